use kernel::socket::{NetlinkGroup, NetlinkMessage, SocketKind};
use netfilter::conntrack::{CtEvent, EventKind, EventMask, Shown};
use packet::SimTime;
use world::{Fd, Next, Sys, Wait};

use super::options::Parsed;
use super::{NAME, output, table};
use crate::console::{Console, write_all};

/// `conntrack -E`.
///
/// Simplified: a connection that expires is told of at once; the kernel's garbage collector comes
/// by up to a minute later.
#[derive(Clone, Debug)]
pub struct Listener {
    parsed: Parsed,
    socket: Fd,
    shown: u32,
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// The exit status after the failure was told.
    pub fn open(sys: &mut dyn Sys, parsed: Parsed) -> Result<Self, i32> {
        write_all(sys, Fd::STDERR, &parsed.warning);
        match sys.socket(SocketKind::Netlink(NetlinkGroup::Conntrack)) {
            Ok(socket) => Ok(Self { parsed, socket, shown: 0 }),
            Err(errno) => {
                let mut console = Console::new(sys);
                console.error(&format!("{NAME}: Can't open handler: {errno}\n"));
                Err(1)
            }
        }
    }

    /// Prints what came, and waits for more.
    pub fn turn(&mut self, sys: &mut dyn Sys) -> Next {
        while let Ok(NetlinkMessage::Conntrack(event)) = sys.recv_netlink(self.socket) {
            let wanted = match event.kind {
                EventKind::New => EventMask::NEW,
                EventKind::Update => EventMask::REPLY,
                EventKind::Destroy => EventMask::DESTROY,
            };
            let asked = self.parsed.events;
            if (asked.is_empty() || asked.intersects(wanted)) && self.parsed.filter.matches(&event.conn) {
                let line = self.line(&event);
                let head = if self.parsed.output.xml && self.shown == 0 { output::XML_HEAD } else { "" };
                write_all(sys, Fd::STDOUT, &format!("{head}{line}\n"));
                self.shown += 1;
            }
        }
        let until = table(sys).and_then(|table| table.next_expiry());
        Next::Wait(Wait { fds: vec![self.socket], until, ..Wait::default() })
    }

    /// A signal ends it. conntrack-tools: `event_sighandler`.
    pub fn end(&mut self, sys: &mut dyn Sys) -> Next {
        if self.parsed.output.xml && self.shown > 0 {
            write_all(sys, Fd::STDOUT, &format!("{}\n", output::XML_TAIL));
        }
        write_all(sys, Fd::STDERR, &format!("{NAME}: {} flow events have been shown.\n", self.shown));
        Next::Exit(0)
    }

    fn line(&self, event: &CtEvent) -> String {
        let CtEvent { kind, why, at, conn, portid } = event;
        let destroyed = *kind == EventKind::Destroy;
        let timeout = Some(conn.seconds_left(*at)).filter(|left| !destroyed || *left > 0);
        let out = &self.parsed.output;
        if out.xml {
            let name = match kind {
                EventKind::New => "new",
                EventKind::Update => "update",
                EventKind::Destroy => "destroy",
            };
            return output::xml_event(out, conn, name, timeout, *at);
        }
        let name = match kind {
            EventKind::New => "[NEW]",
            EventKind::Update => "[UPDATE]",
            EventKind::Destroy => "[DESTROY]",
        };
        let stamp = if out.timestamp { stamp(*at) } else { String::new() };
        let line = conn.line(&Shown {
            layer3: out.extended,
            timeout,
            state: destroyed || why.intersects(EventMask::PROTOINFO),
            counters: destroyed,
            mark: why.intersects(EventMask::MARK),
            zone: false,
            delta_at: destroyed.then_some(*at),
            start: (destroyed && out.ktimestamp).then_some(output::clock as fn(SimTime) -> String),
            uses: None,
            id: out.id,
        });
        let by =
            portid.map_or(String::new(), |portid| format!(" [USERSPACE] portid={portid} progname=conntrack"));
        format!("{stamp}{name:>9} {line}{by}")
    }
}

/// `[1795268844.231280]\t`.
fn stamp(at: SimTime) -> String {
    let nanos = at.as_nanos();
    format!("[{}.{:06}]\t", world::EPOCH + nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000)
}
