//! `ip route get`: text to a query. iproute2: `iproute_get` in `ip/iproute.c`.

use kernel::dump::RouteQuery;

use super::options::Options;
use super::route::usage;
use crate::console::Stop;
use crate::iproute::args::{
    Family, Words, get_prefix, get_u16, get_u32, invarg, matches, nodev, not_simulated,
};
use crate::iproute::env::Env;
use crate::iproute::names::{read_dsfield, read_ip_proto};

/// A query, and how it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Get {
    /// What is asked.
    pub query: RouteQuery,
    /// `fibmatch`: the route itself is wanted.
    pub fibmatch: bool,
    /// What is said on standard error although it goes on.
    pub warning: String,
}

/// Reads the words.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse(words: &[&str], options: &Options, env: Env<'_>) -> Result<Get, Stop> {
    let mut get = Get::default();
    let q = &mut get.query;
    let mut family = options.family;
    let mut found = false;
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        let port = |words: &mut Words<'_>, name: &str| {
            let value = words.value()?;
            get_u16(value).ok_or_else(|| invarg(&format!("invalid {name}\n"), value))
        };
        match word {
            _ if word == "tos" || matches(word, "dsfield") => {
                let value = words.value()?;
                q.tos = read_dsfield(value).ok_or_else(|| invarg("TOS value is invalid\n", value))?;
            }
            _ if matches(word, "from") => {
                let value = words.value()?;
                if matches(value, "help") {
                    return Err(usage());
                }
                let prefix = get_prefix(value, family)?;
                if family == Family::Unspec {
                    family = prefix.family;
                }
                q.src = prefix.addr;
            }
            _ if matches(word, "iif") => q.iif = Some(words.value()?.to_owned()),
            _ if matches(word, "mark") => {
                let value = words.value()?;
                q.mark = get_u32(value).ok_or_else(|| invarg("invalid mark value", value))?;
            }
            _ if word == "dev" || matches(word, "oif") => q.oif = Some(words.value()?.to_owned()),
            _ if matches(word, "notify") => {}
            _ if matches(word, "connected") => return Err(not_simulated("ip", word)),
            _ if matches(word, "vrf") || word == "as" => return Err(not_simulated("ip", word)),
            _ if matches(word, "uid") => {
                let value = words.value()?;
                match get_u32(value) {
                    Some(0) => {}
                    Some(_) => return Err(not_simulated("ip", "uid")),
                    None => return Err(invarg("invalid UID\n", value)),
                }
            }
            _ if matches(word, "fibmatch") => get.fibmatch = true,
            _ if matches(word, "sport") => q.sport = Some(port(&mut words, "sport")?),
            _ if matches(word, "dport") => q.dport = Some(port(&mut words, "dport")?),
            _ if matches(word, "ipproto") => {
                let value = words.value()?;
                let proto =
                    read_ip_proto(value).ok_or_else(|| invarg("Invalid \"ipproto\" value\n", value))?;
                q.ipproto = Some(proto);
            }
            _ => {
                let value = if word == "to" { words.value()? } else { word };
                if matches(value, "help") {
                    return Err(usage());
                }
                let prefix = get_prefix(value, family)?;
                if family == Family::Unspec {
                    family = prefix.family;
                }
                q.dst = prefix.addr;
                if family == Family::Inet && prefix.len != 32 {
                    get.warning.push_str(&format!(
                        "Warning: /{} as prefix is invalid, only /32 (or none) is supported.\n",
                        prefix.len
                    ));
                }
                found = true;
            }
        }
    }
    let warned = |stop: Stop| Stop { text: format!("{}{}", get.warning, stop.text), ..stop };
    if !found {
        return Err(warned(Stop::fail(-1, "need at least a destination address")));
    }
    for dev in [&mut q.iif, &mut q.oif].into_iter().flatten() {
        if !env.has_device(dev) {
            return Err(warned(nodev(dev)));
        }
        *dev = env.own_name(dev);
    }
    if family == Family::Inet6 {
        return Err(not_simulated("ip", "-6 route get"));
    }
    Ok(get)
}
