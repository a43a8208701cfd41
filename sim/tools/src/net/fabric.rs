//! `fabric`: the network between the hosts, as who runs it sees it. hoplab's own command: in place of
//! a switch's console, a provider's web page, `openstack port set`.

use kernel::Errno;
use world::{Args, BadBarrier, Barrier, FabricChange, FabricSegment, Next, Program, Registry, Sys};

use super::{complain, say};

/// Installs `fabric`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("fabric", |args| Box::new(Fabric { args }));
}

#[derive(Clone, Debug)]
struct Fabric {
    args: Args,
}

const USAGE: &str = "\
usage: fabric                      what segments there are and what they don't carry
       fabric bar SEGMENT WHAT     a segment stops carrying something
       fabric unbar SEGMENT WHAT   it carries it again; WHAT may be a number of the list
WHAT:  udp port 8472 | tcp port 80 | icmp | ipip | protocol 4 | all
       fragments | longer than 1400 | more than 100 a second
       sources but 192.168.0.11 10.244.1.0/24
       followed by nothing, `from HOST:NIC`, `to HOST:NIC` or both
";

/// What is asked for.
enum Asked {
    List,
    Change(String, FabricChange),
}

fn parse(args: &[String], segments: &[FabricSegment]) -> Result<Asked, String> {
    let (verb, rest) = match args {
        [] => return Ok(Asked::List),
        [word] if word == "list" || word == "show" => return Ok(Asked::List),
        [verb, rest @ ..] if verb == "bar" || verb == "unbar" => (verb, rest),
        [other, ..] => return Err(format!("unknown word `{other}`\n{}", USAGE.trim_end())),
    };
    let [name, what @ ..] = rest else {
        return Err(format!("`{verb}` needs a segment and what it carries\n{}", USAGE.trim_end()));
    };
    let what = what.join(" ");
    let number = what.parse::<usize>().ok().filter(|_| verb == "unbar");
    let barrier: Barrier = match number {
        Some(number) => {
            let segment = segments.iter().find(|segment| segment.name == *name);
            let found = segment.and_then(|segment| segment.barriers.get(number.checked_sub(1)?));
            found
                .map(|(barrier, _)| barrier.clone())
                .ok_or(format!("`{name}` bars nothing of that number"))?
        }
        None => {
            what.parse().map_err(|BadBarrier| format!("bad `{what}`\nexpected {}", BadBarrier::EXPECTED))?
        }
    };
    let change = if verb == "bar" { FabricChange::Bar(barrier) } else { FabricChange::Unbar(barrier) };
    Ok(Asked::Change(name.clone(), change))
}

fn listing(segments: &[FabricSegment]) -> String {
    let mut text = String::new();
    for FabricSegment { name, ports, barriers } in segments {
        text.push_str(&format!("{name}\n  ports: {}\n", ports.join(" ")));
        for (number, (barrier, stopped)) in (1..).zip(barriers) {
            let frames = if *stopped == 1 { "frame" } else { "frames" };
            text.push_str(&format!("  {number}: bars {barrier}  ({stopped} {frames})\n"));
        }
    }
    text
}

fn refused(segment: &str, change: &FabricChange, errno: Errno) -> String {
    let (FabricChange::Bar(barrier) | FabricChange::Unbar(barrier)) = change;
    match errno {
        Errno::NoDev => format!("no segment is called `{segment}`"),
        Errno::NxIo => format!("`{segment}` has no such port: {barrier}"),
        Errno::Exist => format!("`{segment}` bars `{barrier}` already"),
        Errno::NoEnt => format!("`{segment}` doesn't bar `{barrier}`"),
        errno => errno.to_string(),
    }
}

impl Program for Fabric {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let segments = sys.fabric();
        if self.args.get(1).is_some_and(|arg| arg == "-h" || arg == "--help") {
            say(sys, USAGE);
            return Next::Exit(0);
        }
        match parse(&self.args[1..], &segments) {
            Ok(Asked::List) => {
                say(sys, &listing(&segments));
                Next::Exit(0)
            }
            Ok(Asked::Change(segment, change)) => match sys.change_fabric(&segment, change.clone()) {
                Ok(()) => Next::Exit(0),
                Err(errno) => {
                    complain(sys, &format!("fabric: {}\n", refused(&segment, &change, errno)));
                    Next::Exit(1)
                }
            },
            Err(message) => {
                complain(sys, &format!("fabric: {message}\n"));
                Next::Exit(2)
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
