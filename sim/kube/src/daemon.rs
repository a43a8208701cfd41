use tools::console::write_all;
use world::{Fd, Next, Sys, Wait};

/// One turn of a process that starts once and then lasts, as `program`; an error ends it.
pub fn turn<R>(
    sys: &mut dyn Sys,
    program: &str,
    running: &mut Option<R>,
    start: impl FnOnce(&mut dyn Sys) -> Result<R, String>,
    go_on: impl FnOnce(&mut R, &mut dyn Sys) -> Result<Wait, String>,
) -> Next {
    let outcome = match running {
        Some(running) => go_on(running, sys),
        None => start(sys).and_then(|started| go_on(running.insert(started), sys)),
    };
    match outcome {
        Ok(wait) => Next::Wait(wait),
        Err(error) => {
            write_all(sys, Fd::STDERR, &format!("{program}: {error}\n"));
            Next::Exit(1)
        }
    }
}
