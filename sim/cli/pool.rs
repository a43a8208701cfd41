use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Bytes of stack of a worker, as a main thread has.
const STACK: usize = 8 << 20;

/// Does `work` for each of `jobs` on all cores; hands the results to `take` in the order of the
/// jobs, each as soon as it and all before it are done. `done` is told how many are done.
pub(crate) fn in_order<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> R + Sync,
    mut done: impl FnMut(usize),
    mut take: impl FnMut(R),
) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let (finished, finishes) = mpsc::channel();
    let worker = |finished: mpsc::Sender<()>| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { break };
            let result = work(job);
            if let Ok(mut slot) = results[at].lock() {
                *slot = Some(result);
            }
            if finished.send(()).is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            let (worker, finished) = (&worker, finished.clone());
            let thread = thread::Builder::new().stack_size(STACK);
            if thread.spawn_scoped(scope, move || worker(finished)).is_err() {
                break;
            }
        }
        drop(finished);
        let mut taken = 0;
        let mut count = 0;
        let mut take_ready = |taken: &mut usize| {
            while let Some(result) = results.get(*taken).and_then(|slot| slot.lock().ok()?.take()) {
                take(result);
                *taken += 1;
            }
        };
        while finishes.recv().is_ok() {
            count += 1;
            done(count);
            take_ready(&mut taken);
        }
    });
}
