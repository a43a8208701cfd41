use std::collections::BTreeMap;

use kernel::request::Request;
use packet::NetnsId;
use world::Object;

use super::draft::Draft;

/// Settings that set others come first.
fn rank(key: &str) -> u8 {
    match key {
        "net.ipv4.ip_forward" => 0,
        key if key.contains(".conf.all.") => 1,
        key if key.contains(".conf.default.") => 2,
        _ => 3,
    }
}

impl Draft<'_> {
    /// Settings of the host's own namespace: what comes later starts with some of them.
    pub fn settings_of_host(&mut self) {
        self.part("Settings");
        self.settings_in(0);
    }

    /// The settings that differ once everything is there.
    pub fn settings(&mut self) {
        self.part("Settings of namespaces and devices");
        for space in 0..self.spaces.len() {
            self.settings_in(space);
        }
    }

    /// Writes settings until none differs; those that can't be written count something.
    fn settings_in(&mut self, space: usize) {
        let (target, bare) = (self.spaces[space].target, self.spaces[space].bare);
        let wanted: BTreeMap<String, String> = self.target().sysctl_list(target).into_iter().collect();
        let mut keys: Vec<&String> = wanted.keys().collect();
        keys.sort_by_key(|key| rank(key));
        for key in keys {
            let value = &wanted[key];
            if self.bare().sysctl_get(bare, key).is_ok_and(|now| now == *value)
                || self.bare().sysctl_get(bare, key).is_err()
            {
                continue;
            }
            let value = value.replace('\t', " ");
            let request = Request::Sysctl { key: key.clone(), value };
            let objects = [Object::Sysctl(target, key.clone()), Object::Sysctl(NetnsId::INIT, key.clone())];
            if self.try_out(space, request.clone()).is_ok() {
                let by = self.makers.of(&objects);
                self.write(space, &request.to_string(), by);
            }
        }
    }
}
