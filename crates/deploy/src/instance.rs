//! Who we are: one running process of ours, and the proof that it lives.
//!
//! An instance is a folder with a file `owner.json`, locked for as long as its process
//! lives. The lock is the proof of life: the kernel lets go of it however the process ends,
//! and nobody else can hold it. What the file *says* is only for people and for the sweep.
//! This module does not know what an engine is.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::DeployError;
use crate::procfs;

/// Name of the locked file in an instance's folder.
pub(crate) const OWNER_FILE: &str = "owner.json";

/// Name of the file that keeps claiming and sweeping apart.
const GATE_FILE: &str = ".gate";

/// How often the gate is tried, and how long to wait in between: ten seconds in all.
const GATE_TRIES: u32 = 500;
const GATE_PAUSE: Duration = Duration::from_millis(20);

/// A running process of ours. Dropped, it takes its folder away, unless engines are still on
/// record there.
#[derive(Debug)]
pub struct Instance {
    name: String,
    instances: PathBuf,
    directory: PathBuf,
    mark: String,
    next: AtomicU32,
    /// Held, never used: closing it is what says that we are dead.
    _lock: File,
}

/// Whether an instance's process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerState {
    /// It does.
    Alive,
    /// It does not, or there is no such instance.
    Dead,
}

/// The kernel, machine and process namespace in which process ids mean something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// This run of the kernel.
    pub(crate) boot_id: String,
    /// The machine's name.
    pub(crate) hostname: String,
    /// The namespace of process ids.
    pub(crate) pid_namespace: String,
}

/// What `owner.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) instance: String,
    pub(crate) pid: i32,
    pub(crate) start_ticks: u64,
    pub(crate) place: Place,
    /// What every process we start carries in its environment, followed by a number.
    pub(crate) mark: String,
}

impl Place {
    /// Where this process is.
    pub(crate) fn here() -> io::Result<Self> {
        Ok(Self {
            boot_id: procfs::boot_id()?,
            hostname: procfs::hostname()?,
            pid_namespace: procfs::pid_namespace()?,
        })
    }

    /// Whether a process id from there names the same process here.
    pub(crate) fn shares_process_ids(&self, here: &Self) -> bool {
        self.boot_id == here.boot_id && self.pid_namespace == here.pid_namespace
    }
}

impl Instance {
    /// Makes this process the instance with this name, under the folder of all instances.
    /// The name should be a new one for each process: a random one does.
    ///
    /// # Errors
    /// [`DeployError::InstanceTaken`] when a living process has the name,
    /// [`DeployError::InstanceUnswept`] when a dead one left engines on record,
    /// [`DeployError::InstanceName`] for a name that cannot be one, and
    /// [`DeployError::File`] when the folder cannot be written.
    pub fn claim(instances: &Path, name: &str) -> Result<Self, DeployError> {
        check_name(name)?;
        let directory = instances.join(name);
        make_private_folder(instances)?;
        let _gate = close_gate(instances)?;
        make_private_folder(&directory)?;
        let path = directory.join(OWNER_FILE);
        let Some(mut lock) = try_lock_owner(&path)? else {
            return Err(DeployError::InstanceTaken {
                name: name.to_owned(),
            });
        };
        let names = fs::read_dir(&directory).map_err(DeployError::file("read", &directory))?;
        if names.flatten().any(|entry| entry.file_name() != OWNER_FILE) {
            return Err(DeployError::InstanceUnswept {
                name: name.to_owned(),
            });
        }
        let owner = own_description(name).map_err(DeployError::file("describe us in", &path))?;
        write_owner(&mut lock, &owner).map_err(DeployError::file("write", &path))?;
        sync_folder(&directory)?;
        sync_folder(instances)?;
        Ok(Self {
            name: name.to_owned(),
            instances: instances.to_owned(),
            directory,
            mark: owner.mark,
            next: AtomicU32::new(1),
            _lock: lock,
        })
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder of all instances.
    pub(crate) fn instances(&self) -> &Path {
        &self.instances
    }

    /// This instance's own folder.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A number no deployment of this instance has had.
    pub(crate) fn next_number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// What the deployment with this number carries in its environment.
    pub(crate) fn mark_of(&self, number: u32) -> String {
        format!("{}.{number}", self.mark)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let Ok(_gate) = close_gate(&self.instances) else {
            return;
        };
        let holds_records = fs::read_dir(&self.directory)
            .is_ok_and(|names| names.flatten().any(|entry| entry.file_name() != OWNER_FILE));
        if !holds_records {
            remove_instance(&self.directory);
        }
    }
}

/// Whether the process that claimed this instance lives.
///
/// # Errors
/// [`DeployError::File`] when its folder cannot be read.
pub fn owner_state(instances: &Path, name: &str) -> Result<OwnerState, DeployError> {
    let path = instances.join(name).join(OWNER_FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(OwnerState::Dead),
        Err(error) => return Err(DeployError::file("read", &path)(error)),
    };
    // A shared lock is refused by the owner's and disturbs no other question like this one.
    match file.try_lock_shared() {
        Ok(()) => Ok(OwnerState::Dead),
        Err(TryLockError::WouldBlock) => Ok(OwnerState::Alive),
        Err(TryLockError::Error(error)) => Err(DeployError::file("lock", &path)(error)),
    }
}

/// Keeps everyone else from claiming, taking over or removing an instance until the answer
/// is dropped. It is held only for a few file operations, so waiting for it is short; one who
/// was stopped while holding it must not hold up everybody for ever.
pub(crate) fn close_gate(instances: &Path) -> Result<File, DeployError> {
    let path = instances.join(GATE_FILE);
    let gate = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(DeployError::file("open", &path))?;
    for _ in 0..GATE_TRIES {
        match gate.try_lock() {
            Ok(()) => return Ok(gate),
            Err(TryLockError::WouldBlock) => std::thread::sleep(GATE_PAUSE),
            Err(TryLockError::Error(error)) => return Err(DeployError::file("lock", &path)(error)),
        }
    }
    let held = "another process has held it for ten seconds: is one of ours stopped?";
    Err(DeployError::file("lock", &path)(io::Error::new(
        io::ErrorKind::TimedOut,
        held,
    )))
}

/// The owner's file, locked by us; `None` while its owner holds it.
pub(crate) fn try_lock_owner(path: &Path) -> Result<Option<File>, DeployError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(DeployError::file("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(DeployError::file("lock", path)(error)),
    }
}

/// What a locked owner's file says; `None` when its writer died before it could say it.
pub(crate) fn read_owner(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Takes an instance's folder away with all that is in it. One that is gone is no error.
pub(crate) fn remove_instance(directory: &Path) {
    if let Err(error) = fs::remove_dir_all(directory)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %directory.display(), %error, "could not remove an instance's folder");
    }
}

/// Makes what was written to a folder survive a power cut.
pub(crate) fn sync_folder(directory: &Path) -> Result<(), DeployError> {
    File::open(directory)
        .and_then(|folder| folder.sync_all())
        .map_err(DeployError::file("sync", directory))
}

fn make_private_folder(path: &Path) -> Result<(), DeployError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(DeployError::file("create", path))
}

fn check_name(name: &str) -> Result<(), DeployError> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&name.len()) && name.bytes().all(is_fit) {
        Ok(())
    } else {
        Err(DeployError::InstanceName {
            name: name.to_owned(),
        })
    }
}

fn own_description(name: &str) -> io::Result<Owner> {
    let pid = std::process::id().cast_signed();
    let process = procfs::stat(pid).ok_or_else(|| io::Error::other("our own process is not in /proc"))?;
    Ok(Owner {
        instance: name.to_owned(),
        pid,
        start_ticks: process.start_ticks,
        place: Place::here()?,
        mark: format!("{name}.{pid}.{}", process.start_ticks),
    })
}

/// In place, not by rename: the lock belongs to this very file.
fn write_owner(file: &mut File, owner: &Owner) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(serde_json::to_string_pretty(owner)?.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_held_while_its_owner_lives_and_free_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let first = Instance::claim(folder.path(), "a").unwrap();
        assert_eq!(owner_state(folder.path(), "a").unwrap(), OwnerState::Alive);
        let again = Instance::claim(folder.path(), "a");
        assert!(matches!(again, Err(DeployError::InstanceTaken { name }) if name == "a"));
        let other = Instance::claim(folder.path(), "b").unwrap();
        drop(first);
        assert_eq!(owner_state(folder.path(), "a").unwrap(), OwnerState::Dead);
        assert!(
            !folder.path().join("a").exists(),
            "an empty instance leaves nothing"
        );
        assert_eq!(owner_state(folder.path(), "b").unwrap(), OwnerState::Alive);
        drop(other);
        Instance::claim(folder.path(), "a").unwrap();
    }

    #[test]
    fn records_outlive_their_owner_and_keep_the_name_taken() {
        let folder = tempfile::tempdir().unwrap();
        let first = Instance::claim(folder.path(), "a").unwrap();
        let record = first.directory().join("deployment-1.json");
        fs::write(&record, "{}").unwrap();
        drop(first);
        assert!(record.exists());
        let again = Instance::claim(folder.path(), "a");
        assert!(matches!(again, Err(DeployError::InstanceUnswept { name }) if name == "a"));
    }

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", ".", "..", "a/b", "a.b", "é", " ", &"x".repeat(65)] {
            let claimed = Instance::claim(folder.path(), name);
            assert!(
                matches!(claimed, Err(DeployError::InstanceName { .. })),
                "{name:?}"
            );
        }
        Instance::claim(folder.path(), &"x".repeat(64)).unwrap();
        Instance::claim(folder.path(), "Az_0-9").unwrap();
    }

    #[test]
    fn numbers_and_marks_are_never_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::claim(folder.path(), "a").unwrap();
        let first = instance.mark_of(instance.next_number());
        let second = instance.mark_of(instance.next_number());
        assert_ne!(first, second);
        assert!(first.starts_with("a.") && second.starts_with("a."));
    }
}
