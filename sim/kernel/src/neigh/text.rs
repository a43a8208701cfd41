use std::fmt::{self, Display, Formatter};

use crate::Nud;
use crate::request::NeighSpec;

impl Nud {
    /// The word that `ip neigh … nud` takes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Incomplete => "incomplete",
            Self::Reachable => "reachable",
            Self::Stale => "stale",
            Self::Delay => "delay",
            Self::Probe => "probe",
            Self::Failed => "failed",
            Self::Noarp => "noarp",
            Self::Permanent => "permanent",
        }
    }
}

/// As the command takes it after `ip neigh add`.
impl Display for NeighSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { addr, dev, lladdr, nud, proxy, router, extern_learn } = self;
        if *proxy {
            f.write_str("proxy ")?;
        }
        write!(f, "{addr}")?;
        if let Some(lladdr) = lladdr {
            write!(f, " lladdr {lladdr}")?;
        }
        if let Some(nud) = nud {
            write!(f, " nud {}", nud.word())?;
        }
        if let Some(dev) = dev {
            write!(f, " dev {dev}")?;
        }
        if *router {
            f.write_str(" router")?;
        }
        if *extern_learn {
            f.write_str(" extern_learn")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_command() {
        let spec = NeighSpec {
            addr: [10, 0, 0, 9].into(),
            dev: Some("eth0".to_owned()),
            lladdr: Some(packet::MacAddr([2, 0, 0, 0, 9, 9])),
            nud: Some(Nud::Stale),
            proxy: false,
            router: false,
            extern_learn: true,
        };
        assert_eq!(spec.to_string(), "10.0.0.9 lladdr 02:00:00:00:09:09 nud stale dev eth0 extern_learn");
        let proxy = NeighSpec { proxy: true, lladdr: None, nud: None, extern_learn: false, ..spec };
        assert_eq!(proxy.to_string(), "proxy 10.0.0.9 dev eth0");
    }
}
