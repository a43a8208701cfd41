use trace::Off;
use world::Object;

use super::bare::HOST;
use super::draft::Draft;
use crate::lab::{Spot, type_command};

impl Draft<'_> {
    /// The sets of ipset with their elements, as `ipset save` writes them.
    pub fn sets(&mut self) {
        self.part("Sets");
        for space in 0..self.spaces.len() {
            let (target, bare) = (self.spaces[space].target, self.spaces[space].bare);
            let Some(netns) = self.target().get_ns(target) else { continue };
            let names: Vec<String> = match netns.netfilter.sets() {
                Some(_) => {
                    let listed = netns.netfilter.list_sets(None, self.world.now());
                    listed.into_iter().map(|set| set.name).collect()
                }
                None => Vec::new(),
            };
            if names.is_empty() {
                continue;
            }
            let mut world = self.world.clone();
            let spot = Spot { host: self.host, netns: target, root: String::new() };
            let Ok(saved) = type_command(&mut world, &spot, "ipset save", &mut Off) else { continue };
            let text = format!("ipset restore <<EOF\n{}EOF", saved.stdout);
            let mut makers: Vec<String> = Vec::new();
            for name in names {
                let by = self.makers.of(&[Object::Set(target, name)]);
                if !makers.contains(&by) {
                    makers.push(by);
                }
            }
            let spot = Spot { host: HOST, netns: bare, root: String::new() };
            match type_command(&mut self.bare, &spot, &text, &mut Off) {
                Ok(typed) if typed.status == 0 => self.write(space, &text, makers.join(", ")),
                Ok(typed) => self.remark(format!("refused ({}): ipset restore", typed.output.trim())),
                Err(problem) => self.remark(format!("refused ({problem}): ipset restore")),
            }
        }
    }
}
