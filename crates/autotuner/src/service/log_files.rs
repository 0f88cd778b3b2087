//! Where logs are: one file for a task, one for each engine.

use std::path::{Path, PathBuf};

use autotuner_core::ids::{ExperimentNumber, TaskId};

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

    /// The raw records of an experiment's requests, compressed.
    pub(crate) fn requests(&self, task: TaskId, run: u32, number: ExperimentNumber) -> PathBuf {
        self.folder
            .join(format!("task_{task}_run_{run}_exp_{number}_requests.jsonl.gz"))
    }
}
