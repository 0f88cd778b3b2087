//! A task's log files: one for the task, one an experiment for the engine's output.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use autotuner_core::ids::{ExperimentNumber, TaskId};

use crate::clock::{Clock, log_stamp};
use crate::service::log_files::{LogFiles, open_to_append};

/// Longest line of engine output that is copied whole into the task log, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// The log files of one run of a task.
pub(crate) struct TaskLogs {
    layout: Layout,
    directory: PathBuf,
    task_log: Mutex<File>,
    clock: Arc<dyn Clock>,
}

/// How the files are named.
enum Layout {
    /// A folder for this run alone.
    OwnFolder,
    /// The server's folder, which all tasks share.
    Server { files: LogFiles, task: TaskId, run: u32 },
}

impl TaskLogs {
    /// Opens `task.log` in a directory, which is made where it is missing.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub(crate) fn open(directory: PathBuf, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let path = directory.join("task.log");
        Self::open_file(Layout::OwnFolder, directory, &path, clock)
    }

    /// Opens the log that all runs of a task of the server write to.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub(crate) fn open_on_server(
        files: LogFiles,
        task: TaskId,
        run: u32,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let path = files.task(task);
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::open_file(Layout::Server { files, task, run }, directory, &path, clock)
    }

    fn open_file(layout: Layout, directory: PathBuf, path: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let task_log = open_to_append(path)?;
        Ok(Self {
            layout,
            directory,
            task_log: Mutex::new(task_log),
            clock,
        })
    }

    /// Where the files are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where an experiment's engine writes.
    pub(crate) fn engine_log(&self, number: ExperimentNumber) -> PathBuf {
        match &self.layout {
            Layout::OwnFolder => self.directory.join(format!("experiment_{number}.log")),
            Layout::Server { files, task, run } => files.experiment(*task, *run, number),
        }
    }

    /// Where the records of an experiment's requests are kept, where they are.
    pub(crate) fn requests(&self, number: ExperimentNumber) -> Option<PathBuf> {
        match &self.layout {
            Layout::OwnFolder => None,
            Layout::Server { files, task, run } => Some(files.requests(*task, *run, number)),
        }
    }

    /// Adds a line, and tells the terminal's log the same. A log that cannot be written must not
    /// end a run: the failure is told to the terminal's log instead.
    pub(crate) fn line(&self, level: &str, message: &str) {
        tracing::info!("{message}");
        let stamp = log_stamp(self.clock.now_ms());
        let mut file = self.task_log.lock().unwrap_or_else(PoisonError::into_inner);
        // At once, so that a death in between leaves no half of a line.
        let line = format!("[{stamp}] [{level}] {message}\n");
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!(%error, "cannot write to the task log");
        }
    }

    /// Copies an engine's whole output into the task log, between its delimiters, decoded
    /// with replacement.
    pub(crate) fn preserve(&self, number: ExperimentNumber) {
        if let Err(error) = self.copy_engine_log(number) {
            self.line(
                "WARNING",
                &format!("[Experiment {number}] engine output cannot be read: {error}"),
            );
        }
    }

    fn copy_engine_log(&self, number: ExperimentNumber) -> io::Result<()> {
        let source = File::open(self.engine_log(number))?;
        // Up to its end now: something that still writes must not keep us here.
        let length = source.metadata()?.len();
        let mut source = BufReader::new(source.take(length));
        let file = self.task_log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = BufWriter::new(&*file);
        let prefix = format!("[Experiment {number}]");
        writeln!(file, "{prefix} ========== Container Logs ==========")?;
        let mut line = Vec::new();
        while source.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? > 0 {
            if line.len() as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
                source.skip_until(b'\n')?;
            }
            let text = String::from_utf8_lossy(line.trim_ascii_end());
            writeln!(file, "{prefix} {text}")?;
            line.clear();
        }
        writeln!(file, "{prefix} ========== End Container Logs ==========")?;
        file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now_ms(&self) -> i64 {
            1_700_000_000_000
        }
    }

    #[test]
    fn the_engines_output_stands_between_delimiters() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let logs = TaskLogs::open(directory.path().join("a/b"), Arc::new(Noon)).expect("opened");
        logs.line("INFO", "begun");
        let number = ExperimentNumber(3);
        std::fs::write(logs.engine_log(number), b"first\nbad \xff byte\r\nlast").expect("written");
        logs.preserve(number);
        logs.preserve(ExperimentNumber(4));
        let text = std::fs::read_to_string(logs.directory().join("task.log")).expect("readable");
        assert_eq!(
            text.lines().take(6).collect::<Vec<_>>(),
            [
                "[2023-11-14 22:13:20] [INFO] begun",
                "[Experiment 3] ========== Container Logs ==========",
                "[Experiment 3] first",
                "[Experiment 3] bad \u{fffd} byte",
                "[Experiment 3] last",
                "[Experiment 3] ========== End Container Logs ==========",
            ]
        );
        assert!(
            text.contains("[Experiment 4] engine output cannot be read"),
            "{text}"
        );
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let logs = TaskLogs::open(directory.path().to_owned(), Arc::new(Noon)).expect("opened");
        let number = ExperimentNumber(1);
        let longest = "x".repeat(64 * 1024);
        let text = format!("{longest}{longest}y\n{longest}\nlast");
        std::fs::write(logs.engine_log(number), text).expect("written");
        logs.preserve(number);
        let text = std::fs::read_to_string(directory.path().join("task.log")).expect("readable");
        let lines: Vec<&str> = text.lines().collect();
        let long = format!("[Experiment 1] {longest}");
        assert_eq!(lines.len(), 5);
        assert!(
            lines[1] == long && lines[2] == long,
            "cut, and nothing lost after it"
        );
        assert_eq!(lines[3], "[Experiment 1] last");
    }
}
