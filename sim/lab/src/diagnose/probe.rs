use std::net::IpAddr;
use std::time::Duration;

use kernel::path::Flow;
use packet::{Proto, SimTime};
use trace::{Off, Recorder};
use world::World;

use crate::error::Problem;
use crate::lab::{Spot, Typed, locate, type_command};
use crate::ran::Ran;

/// Headers of IPv4 and ICMP before the data of a ping.
const PING_HEADERS: u32 = 28;

/// How often a full-size ping follows a smaller MTU that it is told.
const MTU_STEPS: usize = 4;

/// Bytes that fill more than one packet.
const LONG: usize = 1600;

/// Something that a person would type to see whether a way works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    /// Where it is typed, as [`locate`] finds it.
    pub from: String,
    /// What is tried.
    pub way: Way,
    /// How often; it must work each time.
    pub times: u32,
}

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// An echo request.
    Ping(To),
    /// The largest echo request that the way claims to carry, not to be fragmented.
    Full(To),
    /// A TCP connection.
    Tcp(To, u16),
    /// A datagram that is answered.
    Udp(To, u16),
    /// The same from a source port that was used before.
    UdpFrom(To, u16, u16),
}

/// Where a probe goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// An address.
    Address(IpAddr),
    /// The first address of a place, looked up each time: a pod that is made anew has another.
    Place(String),
}

/// How a probe ended.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    /// Whether it worked.
    pub ok: bool,
    /// What was typed.
    pub command: String,
    /// What was seen, in a few words.
    pub seen: String,
    /// What its packets did; none if it could not even be typed.
    pub ran: Option<Box<Ran>>,
}

impl To {
    /// The address now.
    pub fn address(&self, world: &World) -> Result<IpAddr, Problem> {
        match self {
            Self::Address(address) => Ok(*address),
            Self::Place(name) => {
                let spot = locate(world, name)?;
                first_address(world, &spot).ok_or_else(|| Problem::Conflict {
                    message: format!("`{name}` has no address"),
                    hint: None,
                })
            }
        }
    }
}

/// The first address of a place that others can use.
pub(super) fn first_address(world: &World, spot: &Spot) -> Option<IpAddr> {
    let addrs = world.host(spot.host).addrs(spot.netns);
    addrs.iter().map(|info| info.addr.local.addr()).find(|addr| !addr.is_loopback())
}

impl Way {
    /// Where it goes.
    pub fn to(&self) -> &To {
        match self {
            Self::Ping(to) | Self::Full(to) | Self::Tcp(to, _) | Self::Udp(to, _) | Self::UdpFrom(to, ..) => {
                to
            }
        }
    }

    /// Protocol and destination port.
    pub fn proto(&self) -> (Proto, u16) {
        match self {
            Self::Ping(_) | Self::Full(_) => (Proto::ICMP, 0),
            Self::Tcp(_, port) => (Proto::TCP, *port),
            Self::Udp(_, port) | Self::UdpFrom(_, port, _) => (Proto::UDP, *port),
        }
    }
}

impl Probe {
    /// A probe that is typed once.
    pub fn once(from: &str, way: Way) -> Self {
        Self { from: from.to_owned(), way, times: 1 }
    }

    /// Whether it works, without a recording.
    pub fn works(&self, world: &World) -> bool {
        let mut world = world.clone();
        (0..self.times).all(|_| self.attempt(&mut world, false).ok)
    }

    /// Tries it on a copy of the world and keeps what the packets did, of the try that failed.
    pub fn run(&self, world: &World) -> Tried {
        let mut world = world.clone();
        let (mut worked, mut failed) = (0, None);
        for _ in 0..self.times.max(1) {
            let tried = self.attempt(&mut world, true);
            if !tried.ok {
                failed = Some(tried);
            } else {
                worked += 1;
                if self.times <= 1 {
                    return tried;
                }
            }
        }
        match failed {
            None => self.attempt(&mut world, true),
            Some(tried) if worked == 0 => tried,
            Some(tried) => {
                let seen = format!("{} of {} tries failed: {}", self.times - worked, self.times, tried.seen);
                Tried { seen, ..tried }
            }
        }
    }

    fn attempt(&self, world: &mut World, record: bool) -> Tried {
        let refused = |problem: Problem| Tried {
            ok: false,
            command: String::new(),
            seen: problem.to_string().lines().next().unwrap_or_default().to_owned(),
            ran: None,
        };
        let spot = match locate(world, &self.from) {
            // The node's own tools in the place's network: an image may lack them.
            Ok(spot) => Spot { root: String::new(), ..spot },
            Err(problem) => return refused(problem),
        };
        let address = match self.way.to().address(world) {
            Ok(address) => address,
            Err(problem) => return refused(problem),
        };
        match &self.way {
            Way::Ping(_) => self.type_it(world, &spot, &format!("ping -c 1 -W 1 {address}"), record),
            Way::Tcp(_, port) => {
                let tried = self.type_it(world, &spot, &format!("nc -v -z -w 2 {address} {port}"), record);
                // Who answers a short request of HTTP has to answer a long one.
                let get =
                    |filler: &str| format!("curl -s -o /dev/null -m 2 {filler}http://{address}:{port}/");
                if !tried.ok || !self.type_it(world, &spot, &get(""), false).ok {
                    return tried;
                }
                let filler = format!("-H 'X-Filler: {}' ", "0".repeat(LONG));
                let long = self.type_it(world, &spot, &get(&filler), record);
                match long.ok {
                    true => tried,
                    false => {
                        let command = get("-H 'X-Filler: 000…' ");
                        let seen =
                            format!("{}: a short request is answered, one of {LONG} bytes isn't", long.seen);
                        Tried { command, seen, ..long }
                    }
                }
            }
            Way::Udp(_, port) => {
                self.type_it(world, &spot, &format!("udp-probe -timeout 1 {address}:{port}"), record)
            }
            Way::UdpFrom(_, port, own) => {
                let command = format!("udp-probe -timeout 1 -bind 0.0.0.0:{own} {address}:{port}");
                self.type_it(world, &spot, &command, record)
            }
            Way::Full(_) => {
                let mut mtu = path_mtu(world, &spot, address);
                let mut tried = None;
                for _ in 0..MTU_STEPS {
                    let size = mtu.saturating_sub(PING_HEADERS);
                    let command = format!("ping -c 1 -W 1 -M do -s {size} {address}");
                    let now = self.type_it(world, &spot, &command, record);
                    let told = now.seen.rsplit_once("mtu").and_then(|(_, rest)| {
                        rest.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().ok()
                    });
                    let smaller = told.filter(|told| *told < mtu);
                    tried = Some(now);
                    match smaller {
                        Some(told) => mtu = told,
                        None => break,
                    }
                }
                tried.unwrap_or_else(|| refused(Problem::Missing("an MTU")))
            }
        }
    }

    fn type_it(&self, world: &mut World, spot: &Spot, command: &str, record: bool) -> Tried {
        let began = world.now();
        let before = world.clone();
        let mut recorder = Recorder::default();
        let typed = if record {
            type_command(world, spot, command, &mut recorder)
        } else {
            type_command(world, spot, command, &mut Off)
        };
        let command = command.to_owned();
        match typed {
            Err(problem) => {
                let seen = problem.to_string();
                Tried { ok: false, command, seen, ran: None }
            }
            Ok(typed) => {
                let took = world.now().since(began);
                let ok = typed.status == 0;
                let seen = seen(&self.way, &typed, took);
                let ran = record.then(|| {
                    let steps = recorder.steps;
                    Box::new(Ran::new(&self.from, &command, typed, began, steps, before, world.clone()))
                });
                Tried { ok, command, seen, ran }
            }
        }
    }
}

/// What a person reads from the output.
fn seen(way: &Way, typed: &Typed, took: Duration) -> String {
    let millis = took.as_secs_f64() * 1000.0;
    if typed.status == 0 {
        return format!("answered after {millis:.1} ms");
    }
    let telling = |line: &&str| match way {
        Way::Ping(_) | Way::Full(_) => {
            line.starts_with("From ") || line.contains("error") || line.starts_with("ping: ")
        }
        Way::Tcp(..) | Way::Udp(..) | Way::UdpFrom(..) => !line.trim().is_empty(),
    };
    match typed.output.lines().rfind(telling) {
        Some(line) => line.trim().to_owned(),
        None => format!("no answer within {:.0} s", took.as_secs_f64()),
    }
}

/// The MTU that a place's route to an address has.
fn path_mtu(world: &World, spot: &Spot, address: IpAddr) -> u32 {
    let host = world.host(spot.host);
    let route = host.ip_route_output(spot.netns, &Flow::to(address), world.now());
    route.map_or(1500, |route| route.mtu.min(9000))
}

/// Lets a network alone for a while.
pub(super) fn wait(world: &mut World, time: Duration) {
    let until: SimTime = world.now() + time;
    world.run_until(until, &mut Off);
}
