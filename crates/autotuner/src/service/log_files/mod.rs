//! Where logs are: one file for a task, one for each engine.
//!
//! Whoever writes does so straight into the file, most of them other programs; readers watch the
//! file and nothing else. Nothing here follows a symbolic link out of the folder, and what it
//! makes is for this account alone. What is in a log is nobody's business here.

pub(crate) mod follow;
pub(crate) mod place;
pub(crate) mod read;
pub(crate) mod search;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_store::ContainerRecord;
use nix::fcntl::OFlag;

/// Mode of a log file: engines print what users sent them.
const FILE_MODE: u32 = 0o600;

/// The folder of log files.
#[derive(Debug, Clone)]
pub(crate) struct LogFiles {
    folder: PathBuf,
}

impl LogFiles {
    /// The logs of this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// A task's log, which all of its runs write to.
    pub(crate) fn task(&self, task: TaskId) -> PathBuf {
        self.folder.join(format!("task_{task}.log"))
    }

    /// What an experiment's engine printed.
    pub(crate) fn experiment(&self, task: TaskId, run: u32, number: ExperimentNumber) -> PathBuf {
        self.folder
            .join(format!("task_{task}_run_{run}_exp_{number}.log"))
    }

    /// What the engine printed that ran in a container of ours, also when the container is gone.
    /// The record says whose it was; where that lies is decided here, and nowhere outside of this
    /// folder.
    pub(crate) fn of_container(&self, container: &ContainerRecord) -> PathBuf {
        self.experiment(container.task, container.run, container.number)
    }

    /// The raw records of an experiment's requests, compressed.
    pub(crate) fn requests(&self, task: TaskId, run: u32, number: ExperimentNumber) -> PathBuf {
        self.folder
            .join(format!("task_{task}_run_{run}_exp_{number}_requests.jsonl.zst"))
    }

    /// The logs of a task's run that are there, the task's own among them.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn of_run(&self, task: TaskId, run: u32) -> io::Result<Vec<PathBuf>> {
        let (log, of_run) = (format!("task_{task}.log"), format!("task_{task}_run_{run}_"));
        let Some(entries) = unless_missing(std::fs::read_dir(&self.folder))? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let is_log = |name: &str| name == log || (name.starts_with(&of_run) && name.ends_with(".log"));
            if name.to_str().is_some_and(is_log) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    /// Empties a task's log and keeps the file, which a worker may have open. One that is not
    /// there stays away.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) async fn clear(&self, task: TaskId) -> io::Result<()> {
        let path = self.task(task);
        blocking(move || match open_with(OpenOptions::new().write(true), &path)? {
            Some(file) => file.set_len(0),
            None => Ok(()),
        })
        .await
    }

    /// Removes everything of a task: its log, and what its runs left.
    ///
    /// # Errors
    /// The folder cannot be read, or a file cannot be removed; the others are gone by then.
    pub(crate) async fn remove(&self, task: TaskId) -> io::Result<()> {
        let log = format!("task_{task}.log");
        let of_runs = format!("task_{task}_run_");
        self.remove_those(move |name| name == log || name.starts_with(&of_runs))
            .await
    }

    /// Removes what one run of a task left: its engines' logs and records of requests. The
    /// task's own log stays.
    ///
    /// # Errors
    /// As [`LogFiles::remove`].
    pub(crate) async fn remove_run(&self, task: TaskId, run: u32) -> io::Result<()> {
        let of_run = format!("task_{task}_run_{run}_");
        self.remove_those(move |name| name.starts_with(&of_run)).await
    }

    async fn remove_those(&self, is_one: impl Fn(&str) -> bool + Send + 'static) -> io::Result<()> {
        let folder = self.folder.clone();
        blocking(move || {
            let Some(entries) = unless_missing(std::fs::read_dir(&folder))? else {
                return Ok(());
            };
            let mut outcome = Ok(());
            for entry in entries {
                let entry = entry?;
                if entry.file_name().to_str().is_some_and(&is_one)
                    && let Err(error) = unless_missing(std::fs::remove_file(entry.path()))
                {
                    outcome = Err(error);
                }
            }
            outcome
        })
        .await
    }
}

/// Opens a log to add to it; it and its folder are made where they are missing.
///
/// # Errors
/// It cannot be written, or is no ordinary file.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        // Engines' own output may show secrets, and its files are made by others.
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    open_with(OpenOptions::new().create(true).append(true), path)?
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Opens a log to read it; `None` where there is none.
///
/// # Errors
/// It cannot be read, or is no ordinary file.
pub(crate) fn open_to_read(path: &Path) -> io::Result<Option<File>> {
    open_with(OpenOptions::new().read(true), path)
}

/// Runs what waits for the disk where nobody else waits for it.
///
/// # Errors
/// Those of the work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<Option<File>> {
    // A pipe in a log's place must not keep us here.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let opened = options.mode(FILE_MODE).custom_flags(flags.bits()).open(path);
    let Some(file) = unless_missing(opened)? else {
        return Ok(None);
    };
    match file.metadata()?.is_file() {
        true => Ok(Some(file)),
        false => Err(io::Error::other("it is no ordinary file")),
    }
}

fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("readable").file_name().into_string().expect("text"))
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn what_a_task_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let logs = LogFiles::new(folder.path());
        let (task, number) = (TaskId(1), ExperimentNumber(1));
        let others = [
            logs.task(TaskId(11)),
            logs.experiment(TaskId(11), 1, number),
            folder.path().join("task_1.log.old"),
        ];
        let ours = [
            logs.task(task),
            logs.experiment(task, 1, number),
            logs.experiment(task, 12, ExperimentNumber(2)),
            logs.requests(task, 1, number),
        ];
        for path in others.iter().chain(&ours) {
            std::fs::write(path, "x").expect("written");
        }
        logs.remove_run(task, 1).await.expect("removed");
        assert_eq!(
            names(folder.path()),
            [
                "task_1.log",
                "task_1.log.old",
                "task_11.log",
                "task_11_run_1_exp_1.log",
                "task_1_run_12_exp_2.log",
            ]
        );
        logs.remove(task).await.expect("removed");
        assert_eq!(
            names(folder.path()),
            ["task_1.log.old", "task_11.log", "task_11_run_1_exp_1.log"]
        );
        logs.remove(task).await.expect("nothing to do");
        let nowhere = LogFiles::new(&folder.path().join("missing"));
        nowhere.remove(task).await.expect("nothing to do");
    }

    #[tokio::test]
    async fn clearing_keeps_the_file_for_who_writes_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let logs = LogFiles::new(&folder.path().join("logs"));
        let path = logs.task(TaskId(1));
        logs.clear(TaskId(1)).await.expect("nothing to do");
        assert!(!path.exists(), "and nothing made");
        let mut writer = open_to_append(&path).expect("made");
        let mode = writer.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, FILE_MODE);
        writeln!(writer, "before").expect("written");
        let inode = std::fs::metadata(&path).expect("there").ino();
        logs.clear(TaskId(1)).await.expect("emptied");
        writeln!(writer, "after").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "after\n");
        assert_eq!(std::fs::metadata(&path).expect("there").ino(), inode);
    }

    #[tokio::test]
    async fn links_and_pipes_are_no_logs() {
        let folder = tempfile::tempdir().expect("a folder");
        let logs = LogFiles::new(folder.path());
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "precious").expect("written");
        let path = logs.task(TaskId(1));
        symlink(&secret, &path).expect("linked");
        assert!(open_to_read(&path).is_err() && open_to_append(&path).is_err());
        logs.clear(TaskId(1)).await.expect_err("refused");
        assert_eq!(std::fs::read_to_string(&secret).expect("readable"), "precious");
        logs.remove(TaskId(1)).await.expect("the link is removed");
        assert!(secret.exists() && !path.exists());
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("made");
        assert!(open_to_read(&path).is_err(), "and at once");
    }
}
