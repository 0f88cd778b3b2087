//! The data directory of a server: one server has it, and says so.
//!
//! The one idea: a lock of the kernel's, on a file that stays, ends with the process that holds
//! it, however that ends. The file's text is for people; only the lock counts.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::clock::rfc3339;

/// A data directory that no other server has.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a data directory cannot be ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    /// Another server has it.
    #[error(
        "the data directory {path} is another server's ({owner}); end that one, or name another directory \
         with --data-dir"
    )]
    Taken {
        /// Which directory.
        path: String,
        /// Whose it is, as far as it says.
        owner: String,
    },
    /// A file in it could not be used.
    #[error("cannot {doing} {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl DataDir {
    /// Takes the directory, which is made where it is missing, for this process alone.
    ///
    /// # Errors
    /// [`DataDirError::Taken`] when another server has it; it cannot be made or written.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(file("create", path))?;
        let lock_path = path.join("server.lock");
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(file("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::Taken {
                    path: path.display().to_string(),
                    owner: owner(&mut lock),
                });
            }
            Err(TryLockError::Error(source)) => return Err(file("lock", &lock_path)(source)),
        }
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(file("write", &lock_path))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        database_path(&self.path)
    }

    /// What tells this directory from those of other machines: made at the first asking, and kept.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub(crate) fn id(&self) -> Result<String, DataDirError> {
        let path = self.path.join("id");
        match fs::read_to_string(&path) {
            Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(file("read", &path)(error));
            }
            _ => {}
        }
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(io::Error::other)
            .map_err(file("make up a name for", &self.path))?;
        let id = format!("{:016x}", u64::from_ne_bytes(random));
        let draft = self.path.join("id.new");
        fs::write(&draft, format!("{id}\n"))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(file("write", &path))?;
        Ok(id)
    }

    /// Puts down where the server answers, for programs on this machine, until the answer is
    /// dropped.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn announce(&self, url: &str, started_at_ms: i64) -> Result<Announcement, DataDirError> {
        let path = self.path.join("server.json");
        let draft = self.path.join("server.json.new");
        let document = json!({
            "url": url,
            "pid": std::process::id(),
            "started_at": rfc3339(started_at_ms),
        });
        // One that a killed server left half written would keep its rights.
        drop(fs::remove_file(&draft));
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| writeln!(file, "{document:#}"))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(file("write", &path))?;
        Ok(Announcement(path))
    }
}

/// The file that says where the server answers; dropped, it is removed.
#[derive(Debug)]
pub(crate) struct Announcement(PathBuf);

impl Drop for Announcement {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "cannot take back where the server answered");
        }
    }
}

/// Where the database of a data directory is.
pub(crate) fn database_path(data_dir: &Path) -> PathBuf {
    data_dir.join("autotuner.db")
}

/// Whose lock it is, as far as it says.
fn owner(lock: &mut File) -> String {
    let mut text = String::new();
    match lock.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        _ => "a process that has not said which it is".to_owned(),
    }
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.display().to_string();
    move |source| DataDirError::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_directory_is_one_servers_at_a_time() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("a/b");
        let first = DataDir::open(&path).expect("free");
        let refused = DataDir::open(&path).expect_err("taken").to_string();
        let owner = format!("process {}", std::process::id());
        assert!(refused.contains(&owner), "{refused}");
        drop(first);
        DataDir::open(&path).expect("free again");
    }

    #[test]
    fn it_keeps_the_name_that_tells_it_from_others() {
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a temporary directory"));
        let id = |index: usize| DataDir::open(folders[index].path()).expect("free").id();
        let first = id(0).expect("made");
        assert_eq!((first.len(), id(0).expect("kept")), (16, first.clone()));
        assert_ne!(id(1).expect("made"), first);
    }

    #[test]
    fn where_it_answers_is_told_to_its_user_alone_and_taken_back() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let data = DataDir::open(folder.path()).expect("free");
        let path = folder.path().join("server.json");
        let announced = data.announce("http://127.0.0.1:8000", 0).expect("written");
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains("\"url\": \"http://127.0.0.1:8000\""), "{text}");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(announced);
        assert!(!path.exists());
    }
}
