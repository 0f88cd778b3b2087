//! Who holds which GPU, across all processes of ours on this machine.
//!
//! A GPU is held by an exclusive lock on a file of its own. The kernel lets go of it however
//! its holder ends, and two locks never meet on one file, in one process or in two. Files are
//! never removed: a lock on a removed file would lock nothing.
//!
//! To look which are free and to take them is one step, behind a gate: a lock on one more
//! file, held for a few file operations. So nobody mistakes a look for a hold, and whoever
//! wants several gets all or none; there is no order to keep and nothing to be deadlocked.
//!
//! The folder is shared by all users, like `/tmp`: files belong to who came first, and the
//! others only open them for reading, which is enough to lock them.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use autotuner_core::gpu::{ChoiceRules, GpuDevice, GpuState, NotEnough, choose};
use nix::libc::{O_CLOEXEC, O_NOFOLLOW};

use super::GpuError;

/// The file that keeps two from choosing at the same time.
const GATE_FILE: &str = "gate";

/// What came of one attempt to take GPUs.
#[derive(Debug)]
pub(super) enum Attempt {
    /// They are ours as long as the files are open.
    Taken(Vec<GpuDevice>, Vec<File>),
    /// There are not enough now.
    NotEnough(NotEnough),
    /// Somebody else is choosing.
    GateClosed,
}

/// Chooses and takes GPUs, all that are wanted or none. Does not wait.
pub(super) fn take(
    folder: &Path,
    states: &[GpuState],
    wanted: u32,
    rules: &ChoiceRules,
) -> Result<Attempt, GpuError> {
    make_shared_folder(folder)?;
    let Some(_gate) = lock_file(&folder.join(GATE_FILE))? else {
        return Ok(Attempt::GateClosed);
    };
    let mut locks = Vec::new();
    let mut held = HashSet::new();
    for state in states {
        let uuid = &state.device.uuid;
        match lock_file(&folder.join(file_name(uuid)))? {
            Some(lock) => locks.push((uuid, lock)),
            None => drop(held.insert(uuid.clone())),
        }
    }
    Ok(match choose(states, &held, wanted, rules) {
        Err(why) => Attempt::NotEnough(why),
        Ok(chosen) => {
            locks.retain(|(uuid, _)| chosen.iter().any(|device| device.uuid == **uuid));
            let mut files: Vec<File> = locks.into_iter().map(|(_, lock)| lock).collect();
            // Keeps those who clear `/tmp` of old files from clearing this folder.
            files.extend(File::open(folder).and_then(shared).ok());
            Attempt::Taken(chosen, files)
        }
    })
}

/// The uuids of those GPUs that are held now, by us or by others. Leaves no trace.
pub(super) fn held(folder: &Path, states: &[GpuState]) -> HashSet<String> {
    // Without the gate a look could be mistaken for a hold; whoever has it is quick. One who
    // does not let go of it must not keep us from looking.
    let gate = open(&folder.join(GATE_FILE)).ok();
    let _gate = gate.and_then(exclusive_in_a_moment);
    let is_held = |uuid: &&String| match open(&folder.join(file_name(uuid))) {
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    };
    let uuids = states.iter().map(|state| &state.device.uuid);
    uuids.filter(is_held).cloned().collect()
}

fn exclusive_in_a_moment(file: File) -> Option<File> {
    const TRIES: u32 = 100;
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(10);
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

fn shared(file: File) -> io::Result<File> {
    file.try_lock_shared().map_err(io::Error::from)?;
    Ok(file)
}

/// The file, locked by us; `None` while another holds it.
fn lock_file(path: &Path) -> Result<Option<File>, GpuError> {
    let file = open_or_make(path).map_err(GpuError::file("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(GpuError::file("lock", path)(error)),
    }
}

/// For reading only: in a folder for everybody, the kernel lets nobody open another user's
/// file in a way that could have made it.
fn open_or_make(path: &Path) -> io::Result<File> {
    loop {
        match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(path);
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            // For all, whatever our own mask says.
            Ok(file) => file.set_permissions(Permissions::from_mode(0o644))?,
            Err(_) => {}
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(O_NOFOLLOW | O_CLOEXEC)
        .open(path)
}

/// For everybody, as `/tmp` is: all may add files, and nobody may remove another's.
fn make_shared_folder(path: &Path) -> Result<(), GpuError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(GpuError::file("create", parent))?;
    }
    match DirBuilder::new().mode(0o1777).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o1777)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(GpuError::file("create", path))
}

/// A GPU's file. Whatever a driver calls its GPUs, it is one name in this folder.
fn file_name(uuid: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || "-.:".contains(c) {
            c
        } else {
            '_'
        }
    };
    format!("gpu-{}", uuid.chars().map(fit).collect::<String>())
}
