//! `udp-probe`: sends one datagram from a connected socket and says what came back.

use kernel::Errno;
use kernel::socket::SocketKind;
use packet::SimTime;
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use super::{GoFlags, complain, say, socket_addr};

/// Installs `udp-probe`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("udp-probe", |args| Box::new(UdpProbe { args, waiting: None }));
}

#[derive(Clone, Debug)]
struct UdpProbe {
    args: Args,
    waiting: Option<(Fd, SimTime)>,
}

enum Start {
    Usage(String),
    Failed(Errno),
}

impl UdpProbe {
    fn start(&self, sys: &mut dyn Sys) -> Result<(Fd, SimTime), Start> {
        let usage = |text: &str| Start::Usage(text.to_owned());
        let flags =
            GoFlags::parse(&self.args[1..], &["timeout", "bind", "size"], &[]).map_err(Start::Usage)?;
        let to =
            flags.words.first().and_then(|w| socket_addr(w)).ok_or_else(|| usage("expected ADDR:PORT"))?;
        let timeout =
            super::seconds(flags.get("timeout").unwrap_or("1")).ok_or_else(|| usage("bad -timeout"))?;
        let data = match flags.get("size") {
            Some(size) => vec![b'x'; size.parse::<u16>().map_err(|_| usage("bad -size"))?.into()],
            None => b"probe".to_vec(),
        };
        let fd = sys.socket(SocketKind::Udp).map_err(Start::Failed)?;
        if let Some(bind) = flags.get("bind") {
            let addr = socket_addr(bind).ok_or_else(|| usage("bad -bind: expected ADDR:PORT"))?;
            sys.bind(fd, addr).map_err(Start::Failed)?;
        }
        sys.connect(fd, to).map_err(Start::Failed)?;
        sys.send(fd, &data, None).map_err(Start::Failed)?;
        Ok((fd, sys.now() + timeout))
    }
}

fn report(sys: &mut dyn Sys, errno: Errno) -> Next {
    let word = match errno {
        Errno::ConnRefused => "refused".to_owned(),
        Errno::NetUnreach | Errno::HostUnreach => "unreachable".to_owned(),
        Errno::Perm => "not permitted".to_owned(),
        Errno::MsgSize => "too big".to_owned(),
        errno => format!("error {errno}"),
    };
    say(sys, &format!("{word}\n"));
    Next::Exit(1)
}

impl Program for UdpProbe {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let (fd, until) = match self.waiting {
            Some(waiting) => waiting,
            None => match self.start(sys) {
                Ok(waiting) => *self.waiting.insert(waiting),
                Err(Start::Failed(errno)) => return report(sys, errno),
                Err(Start::Usage(message)) => {
                    complain(sys, &format!("udp-probe: {message}\n"));
                    return Next::Exit(2);
                }
            },
        };
        match sys.recv(fd, 1 << 16) {
            Ok(received) => {
                say(sys, &format!("reply {}\n", String::from_utf8_lossy(&received.data)));
                Next::Exit(0)
            }
            Err(Errno::Again) if sys.now() >= until => {
                say(sys, "timeout\n");
                Next::Exit(1)
            }
            Err(Errno::Again) => Next::Wait(Wait { fds: vec![fd], until: Some(until), ..Wait::default() }),
            Err(errno) => report(sys, errno),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
