use world::Sys;

use crate::shell::Shell;
use crate::shell::frame::Outcome;

/// `cd [DIR]`.
pub(super) fn cd(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    let rest: Vec<&String> =
        args.iter().skip(1).filter(|a| !matches!(a.as_str(), "-P" | "-L" | "--")).collect();
    let back = rest.first().is_some_and(|a| *a == "-");
    let target = match rest.first() {
        None => shell.state.get("HOME").unwrap_or("/").to_owned(),
        Some(_) if back => shell.state.get("OLDPWD").unwrap_or("/").to_owned(),
        Some(dir) => (*dir).clone(),
    };
    let old = sys.cwd();
    if sys.chdir(&target).is_err() {
        return Outcome::Fatal(format!("can't cd to {target}"));
    }
    let new = sys.cwd();
    if back {
        shell.state.write(sys, 1, format!("{new}\n").as_bytes());
    }
    // A read-only PWD stays.
    let _ = shell.state.set("OLDPWD", old);
    let _ = shell.state.set("PWD", new);
    Outcome::Done(0)
}

/// `pwd`.
pub(super) fn pwd(shell: &mut Shell, sys: &mut dyn Sys, _: &[String]) -> Outcome {
    let text = format!("{}\n", sys.cwd());
    shell.state.write(sys, 1, text.as_bytes());
    Outcome::Done(0)
}

/// `umask [MODE]`. Simplified: files are made without it.
pub(super) fn umask(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    match args.get(1) {
        None => {
            let text = format!("{:04o}\n", shell.state.umask);
            shell.state.write(sys, 1, text.as_bytes());
            Outcome::Done(0)
        }
        Some(text) => match u16::from_str_radix(text, 8) {
            Ok(mask) if mask <= 0o777 => {
                shell.state.umask = mask;
                Outcome::Done(0)
            }
            _ => Outcome::Fatal(format!("Illegal mode: {text}")),
        },
    }
}

/// `ulimit`: accepted; nothing is limited.
pub(super) fn ulimit(shell: &mut Shell, sys: &mut dyn Sys, args: &[String]) -> Outcome {
    if args.iter().skip(1).all(|a| a.starts_with('-')) {
        shell.state.write(sys, 1, b"unlimited\n");
    }
    Outcome::Done(0)
}
