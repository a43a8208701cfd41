//! `getenforce` and `setenforce` of libselinux.

use world::{Fd, OpenMode, Registry, Sys};

use crate::console::write_all;
use crate::net::read_file;

/// Installs both.
pub fn install(registry: &mut Registry) {
    registry.install_command("getenforce", |sys, _| {
        let mode = match read_file(sys, ENFORCE).as_deref() {
            Some("1") => "Enforcing\n",
            Some(_) => "Permissive\n",
            None => "Disabled\n",
        };
        write_all(sys, Fd::STDOUT, mode);
        0
    });
    registry.install_command("setenforce", |sys, args| match setenforce(sys, args) {
        Ok(()) => 0,
        Err(message) => {
            write_all(sys, Fd::STDERR, &message);
            1
        }
    });
}

/// The kernel's switch.
const ENFORCE: &str = "/sys/fs/selinux/enforce";

fn setenforce(sys: &mut dyn Sys, args: &[String]) -> Result<(), String> {
    const USAGE: &str = "usage:  setenforce [ Enforcing | Permissive | 1 | 0 ]\n";
    let [_, mode] = args else { return Err(USAGE.to_owned()) };
    let value = match mode.to_ascii_lowercase().as_str() {
        "1" | "enforcing" => "1",
        "0" | "permissive" => "0",
        _ => return Err(USAGE.to_owned()),
    };
    if sys.stat(ENFORCE).is_err() {
        return Err("setenforce: SELinux is disabled\n".to_owned());
    }
    let failed = |errno: kernel::Errno| format!("setenforce:  setenforce() failed: {errno}\n");
    let fd = sys.open(ENFORCE, OpenMode::Write).map_err(failed)?;
    write_all(sys, fd, value);
    sys.close(fd);
    Ok(())
}
