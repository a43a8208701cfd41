//! Commands that move to another place: a shell there, from which `exit` comes back.

use lab::Lab;

use super::desk::try_out;
use crate::prompt::Prompt;

const SHELLS: [&str; 4] = ["sh", "bash", "/bin/sh", "/bin/bash"];

/// Moves, if these words are a command that only does that; false if they aren't.
pub(super) fn carry_out(lab: &Lab, prompt: &mut Prompt, words: &[&str]) -> bool {
    match words {
        ["ssh", target] => ssh(prompt, target.rsplit('@').next().unwrap_or(target)),
        ["ssh", ..] => prompt.complain("usage: ssh HOST   (no command may follow)\n"),
        ["kubectl", "exec", rest @ ..] => match pod_of(rest) {
            Some((place, probe)) => enter(lab, prompt, &place, &probe),
            None => return false,
        },
        ["docker", "exec", rest @ .., name, shell] if SHELLS.contains(shell) && rest.iter().all(is_flag) => {
            let place = format!("{}/{name}", host_of(prompt));
            enter(lab, prompt, &place, &format!("docker exec {name} true"));
        }
        ["ip", "netns", "exec", name, shell] if SHELLS.contains(shell) => {
            let place = format!("{}/{name}", host_of(prompt));
            enter(lab, prompt, &place, &format!("ip netns exec {name} true"));
        }
        _ => return false,
    }
    true
}

/// A host's console. It needs no network: whoever repairs one has a way in.
fn ssh(prompt: &mut Prompt, host: &str) {
    let by_address = |world: &world::World| {
        let address: std::net::Ipv4Addr = host.parse().ok()?;
        let has = |host: &&kernel::Host| {
            host.addrs(packet::NetnsId::INIT).iter().any(|own| own.addr.local.addr() == address)
        };
        world.hosts().find(has).map(|host| host.name.clone())
    };
    let name = by_address(&prompt.world).unwrap_or_else(|| host.to_owned());
    match lab::locate(&prompt.world, &name) {
        Ok(spot) if !name.contains('/') => prompt.visit(spot),
        _ => prompt.complain(&format!("ssh: Could not resolve hostname {host}: Name or service not known\n")),
    }
}

/// Enters a place if a command that does nothing there succeeds; else shows what that says.
fn enter(lab: &Lab, prompt: &mut Prompt, place: &str, probe: &str) {
    let (output, status) = try_out(lab, prompt, probe);
    match lab::locate(&prompt.world, place) {
        Ok(spot) if status == 0 => prompt.visit(spot),
        Ok(_) | Err(_) if status != 0 => prompt.complain(&output),
        Err(problem) => prompt.complain(&format!("error: {problem}\n")),
        Ok(_) => {}
    }
}

/// The pod that `kubectl exec` words enter with a shell, and the same words with `true` instead.
fn pod_of(words: &[&str]) -> Option<(String, String)> {
    let (shell, words) = words.split_last().filter(|(shell, _)| SHELLS.contains(shell))?;
    let _ = shell;
    let (mut namespace, mut pod, mut kept) = ("default", None, Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "-i" | "-t" | "-it" | "-ti" | "--stdin" | "--tty" => continue,
            "--" => {}
            "-n" | "--namespace" => {
                namespace = rest.next()?;
                kept.extend(["-n", namespace]);
            }
            flag if flag.starts_with('-') => return None,
            name if pod.is_none() => {
                pod = Some(name.strip_prefix("pod/").unwrap_or(name));
                kept.push(name);
            }
            _ => return None,
        }
    }
    let pod = pod.filter(|pod| !pod.contains('/'))?;
    Some((format!("pod/{namespace}/{pod}"), format!("kubectl exec {} -- true", kept.join(" "))))
}

fn is_flag(word: &&str) -> bool {
    word.starts_with('-')
}

fn host_of(prompt: &Prompt) -> String {
    prompt.world.host(prompt.spot().host).name.clone()
}
