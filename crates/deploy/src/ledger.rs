//! What we have started, on disk, from before it could do anything until it is gone.
//!
//! One file a deployment. It is written as an intent before the process exists, completed
//! with the process's identity once it does, and removed after it has been stopped. A crash
//! in between is covered: the intent names a mark that the process carries in its
//! environment. Nothing in here looks at processes.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::instance::{Instance, OWNER_FILE, Place, sync_folder};
use crate::kin::Identity;
use crate::{DeployError, Label};

/// What is on record of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) task: String,
    pub(crate) experiment: u32,
    pub(crate) attempt: u32,
    pub(crate) command: Vec<String>,
    pub(crate) log_file: PathBuf,
    /// What its processes carry in their environment.
    pub(crate) mark: String,
    pub(crate) place: Place,
    /// Its first process, once there is one.
    pub(crate) started: Option<Identity>,
}

/// A record on disk that is ours to complete and to remove.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Kept so that the owner is alive on paper for as long as its entries are.
    instance: Arc<Instance>,
    path: PathBuf,
    record: Record,
}

impl Entry {
    /// Puts on record what is about to be started.
    pub(crate) fn intend(
        instance: &Arc<Instance>,
        number: u32,
        label: &Label,
        command: &[String],
    ) -> Result<Self, DeployError> {
        let path = instance.directory().join(format!("deployment-{number}.json"));
        let Label {
            task,
            experiment,
            attempt,
            log_file,
        } = label;
        let record = Record {
            task: task.clone(),
            experiment: *experiment,
            attempt: *attempt,
            command: command.to_vec(),
            log_file: log_file.clone(),
            mark: instance.mark_of(number),
            place: Place::here().map_err(DeployError::ListProcesses)?,
            started: None,
        };
        write(&path, &record)?;
        let instance = Arc::clone(instance);
        Ok(Self {
            instance,
            path,
            record,
        })
    }

    /// Adds the process that was started.
    pub(crate) fn complete(&mut self, identity: Identity) -> Result<(), DeployError> {
        self.record.started = Some(identity);
        write(&self.path, &self.record)
    }

    /// Forgets the deployment, once nothing of it is left.
    pub(crate) fn remove(&self) -> Result<(), DeployError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DeployError::file("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    /// What the deployment's processes carry.
    pub(crate) fn mark(&self) -> &str {
        &self.record.mark
    }

    /// The name of the instance that owns it.
    pub(crate) fn instance_name(&self) -> &str {
        self.instance.name()
    }
}

/// The number in a deployment's mark, which no other deployment of its instance has.
pub(crate) fn number_of(mark: &str) -> &str {
    mark.rsplit_once('.').map_or(mark, |(_owner, number)| number)
}

/// What one instance has on record, and the files that could not be understood.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) records: Vec<Record>,
    pub(crate) unreadable: Vec<PathBuf>,
}

/// Reads what an instance has on record. A folder or a file that goes away meanwhile is one
/// that its owner has just cleared.
pub(crate) fn read_records(directory: &Path) -> Result<Records, DeployError> {
    let mut found = Records::default();
    let names = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        names => names.map_err(DeployError::file("read", directory))?,
    };
    for entry in names.flatten() {
        let path = entry.path();
        let is_record =
            path.extension().is_some_and(|extension| extension == "json") && entry.file_name() != OWNER_FILE;
        if !is_record {
            continue;
        }
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => found.unreadable.push(path),
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(record) => found.records.push(record),
                Err(_) => found.unreadable.push(path),
            },
        }
    }
    Ok(found)
}

/// The folders of all instances, living and dead.
pub(crate) fn instance_folders(instances: &Path) -> Result<Vec<PathBuf>, DeployError> {
    let names = match fs::read_dir(instances) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names.map_err(DeployError::file("read", instances))?,
    };
    let mut folders: Vec<PathBuf> = names
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    Ok(folders)
}

/// Writes a record whole or not at all, and so that it outlives a power cut.
pub(crate) fn write(path: &Path, record: &impl Serialize) -> Result<(), DeployError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let try_write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".record-")
            .tempfile_in(directory)?;
        file.write_all(&serde_json::to_vec_pretty(record)?)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    try_write().map_err(DeployError::file("write", path))?;
    sync_folder(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label {
            task: "a task".into(),
            experiment: 3,
            attempt: 2,
            log_file: "/tmp/x.log".into(),
        }
    }

    #[test]
    fn a_deployment_is_on_record_from_intent_to_removal() {
        let folder = tempfile::tempdir().unwrap();
        let instance = Arc::new(Instance::claim(folder.path(), "a").unwrap());
        let read = || read_records(instance.directory()).unwrap().records;
        let mut entry = Entry::intend(&instance, 1, &label(), &["engine".into()]).unwrap();
        let [intent] = &read()[..] else {
            panic!("one record")
        };
        assert_eq!(
            (intent.task.as_str(), intent.experiment, intent.attempt),
            ("a task", 3, 2)
        );
        assert_eq!(intent.started, None);
        assert_eq!(intent.mark, entry.mark());
        let identity = Identity {
            pid: 12,
            start_ticks: 34,
        };
        entry.complete(identity).unwrap();
        assert_eq!(read()[0].started, Some(identity));
        entry.remove().unwrap();
        entry.remove().unwrap();
        assert!(read().is_empty());
    }

    #[test]
    fn a_file_that_is_no_record_is_named_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let instance = Arc::new(Instance::claim(folder.path(), "a").unwrap());
        let _entry = Entry::intend(&instance, 1, &label(), &[]).unwrap();
        let torn = instance.directory().join("deployment-9.json");
        fs::write(&torn, "{\"task\":").unwrap();
        let found = read_records(instance.directory()).unwrap();
        assert_eq!((found.records.len(), found.unreadable), (1, vec![torn]));
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert!(read_records(&missing).unwrap().records.is_empty());
        assert!(instance_folders(&missing).unwrap().is_empty());
    }
}
