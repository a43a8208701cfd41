use packet::Pid;
use world::Sys;

/// A background job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// `%1` and on.
    pub id: usize,
    /// Its processes; the last one's status is the job's.
    pub pids: Vec<Pid>,
    /// Status it already has because its last command could not be started.
    pub failed: Option<i32>,
    /// Its text.
    pub text: String,
}

impl Job {
    /// Its status; `None` while a process of it runs.
    pub(super) fn status(&self, sys: &dyn Sys) -> Option<i32> {
        let mut last = self.failed;
        for &pid in &self.pids {
            let status = sys.exit_status(pid)?;
            if self.failed.is_none() {
                last = Some(status);
            }
        }
        Some(last.unwrap_or(0))
    }
}

/// The background jobs of a shell, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs(pub Vec<Job>);

impl Jobs {
    /// Adds a job; answers its number.
    pub(super) fn add(&mut self, pids: Vec<Pid>, failed: Option<i32>, text: String) -> usize {
        let id = self.0.iter().map(|job| job.id).max().unwrap_or(0) + 1;
        self.0.push(Job { id, pids, failed, text });
        id
    }

    /// The job that `%1`, `%+`, `%-`, `%%`, `%text` or nothing names.
    pub(super) fn find(&self, name: Option<&str>) -> Option<&Job> {
        match name.map(|n| n.strip_prefix('%').unwrap_or(n)) {
            None | Some("" | "%" | "+") => self.0.last(),
            Some("-") => self.0.len().checked_sub(2).and_then(|i| self.0.get(i)),
            Some(text) => match text.parse::<usize>() {
                Ok(id) => self.0.iter().find(|job| job.id == id),
                Err(_) => self.0.iter().find(|job| job.text.starts_with(text)),
            },
        }
    }

    /// The job whose last process this is.
    pub(super) fn of_pid(&self, pid: Pid) -> Option<&Job> {
        self.0.iter().find(|job| job.pids.last() == Some(&pid))
    }

    /// Forgets a job.
    pub(super) fn forget(&mut self, id: usize) {
        self.0.retain(|job| job.id != id);
    }

    /// A line of `jobs`, as dash prints it.
    pub(super) fn line(&self, job: &Job, sys: &dyn Sys) -> String {
        let mark = match self.0.iter().rev().position(|other| other.id == job.id) {
            Some(0) => '+',
            Some(1) => '-',
            _ => ' ',
        };
        let state = match job.status(sys) {
            None => "Running".to_owned(),
            Some(0) => "Done".to_owned(),
            Some(137) => "Killed".to_owned(),
            Some(143) => "Terminated".to_owned(),
            Some(status) => format!("Done({status})"),
        };
        format!("[{}] {mark} {state:<27}{}\n", job.id, job.text)
    }
}
