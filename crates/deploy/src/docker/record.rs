//! Which containers we have made, on disk, from before they exist until they are gone.
//!
//! Beside the records of processes, in the same instance's folder, and of another kind: what
//! finds a container again is its labels, and what is needed to clear it is a daemon. Nothing
//! in here speaks to one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::instance::{Instance, Place};
use crate::{DeployError, Label, ledger};

/// What the files of such records end in.
const EXTENSION: &str = "container";

/// What is on record of one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContainerRecord {
    /// The daemon's address.
    pub(crate) daemon: String,
    pub(crate) task: String,
    pub(crate) experiment: u32,
    pub(crate) attempt: u32,
    pub(crate) log_file: PathBuf,
    pub(crate) place: Place,
    /// The container's id, once there is one.
    pub(crate) container: Option<String>,
}

/// A record on disk that is ours to complete and to remove.
#[derive(Debug, Clone)]
pub(crate) struct ContainerEntry {
    /// Kept so that the owner is alive on paper for as long as its entries are.
    _instance: Arc<Instance>,
    path: PathBuf,
    number: u32,
    record: ContainerRecord,
}

impl ContainerEntry {
    /// Puts on record what is about to be made.
    pub(crate) fn intend(instance: &Arc<Instance>, daemon: &str, label: &Label) -> Result<Self, DeployError> {
        let number = instance.next_number();
        let path = instance
            .directory()
            .join(format!("deployment-{number}.{EXTENSION}"));
        let record = ContainerRecord {
            daemon: daemon.to_owned(),
            task: label.task.clone(),
            experiment: label.experiment,
            attempt: label.attempt,
            log_file: label.log_file.clone(),
            place: Place::here().map_err(DeployError::ListProcesses)?,
            container: None,
        };
        ledger::write(&path, &record)?;
        Ok(Self {
            _instance: Arc::clone(instance),
            path,
            number,
            record,
        })
    }

    /// Adds the container that was made.
    pub(crate) fn complete(&self, id: &str) -> Result<(), DeployError> {
        let mut record = self.record.clone();
        record.container = Some(id.to_owned());
        ledger::write(&self.path, &record)
    }

    /// The number in its containers' labels.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Forgets the container, once it is gone.
    pub(crate) fn remove(&self) -> Result<(), DeployError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DeployError::file("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }
}

/// What one instance has on record, and the files that could not be understood.
#[derive(Debug, Default)]
pub(crate) struct ContainerRecords {
    pub(crate) records: Vec<ContainerRecord>,
    pub(crate) unreadable: Vec<PathBuf>,
}

impl ContainerRecords {
    /// Whether there is nothing to clear.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.unreadable.is_empty()
    }
}

/// Reads what an instance has on record.
pub(crate) fn read_records(directory: &Path) -> Result<ContainerRecords, DeployError> {
    let mut found = ContainerRecords::default();
    let names = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        names => names.map_err(DeployError::file("read", directory))?,
    };
    let paths = names.flatten().map(|entry| entry.path());
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == EXTENSION)) {
        match fs::read(&path).map(|bytes| serde_json::from_slice(&bytes)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(Ok(record)) => found.records.push(record),
            _ => found.unreadable.push(path),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_on_record_from_intent_to_removal_and_is_no_process() {
        let folder = tempfile::tempdir().unwrap();
        let instance = Arc::new(Instance::claim(folder.path(), "a").unwrap());
        let log_file = folder.path().join("x.log");
        let label = Label {
            task: "a task".into(),
            experiment: 3,
            attempt: 2,
            log_file,
        };
        let read = || read_records(instance.directory()).unwrap();
        assert!(read().is_empty());
        let entry = ContainerEntry::intend(&instance, "unix:///d", &label).unwrap();
        let found = read();
        assert_eq!(found.records, std::slice::from_ref(&entry.record));
        assert_eq!(found.records[0].container, None);
        entry.complete("1e0f").unwrap();
        assert_eq!(read().records[0].container.as_deref(), Some("1e0f"));
        let processes = ledger::read_records(instance.directory()).unwrap();
        assert!(processes.records.is_empty() && processes.unreadable.is_empty());
        entry.remove().unwrap();
        entry.remove().unwrap();
        assert!(read().is_empty());
        fs::write(instance.directory().join("deployment-9.container"), "{").unwrap();
        assert_eq!(read().unreadable.len(), 1);
    }
}
