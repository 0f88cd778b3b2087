//! Where the service of a data directory is: its record, its lock, its token.
//!
//! The lock is the proof of life, as everywhere: whoever serves a data directory holds it, and
//! the kernel lets go of it however that process ends. The record says where to ask; it is
//! believed only while somebody holds the lock.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::service::access::secret::Secret;

/// The files of a service in its data directory.
#[derive(Debug, Clone)]
pub(super) struct Place {
    folder: PathBuf,
}

/// Where a service that runs says it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Record {
    /// Its address.
    pub(super) url: String,
}

impl Place {
    /// The service of this data directory.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.to_owned(),
        }
    }

    /// Where the service says it is.
    pub(super) fn record(&self) -> Option<Record> {
        let text = std::fs::read_to_string(self.folder.join("server.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// What lets this machine's user in.
    pub(super) fn token(&self) -> Option<Secret> {
        let text = std::fs::read_to_string(self.folder.join("token")).ok()?;
        let token = text.trim();
        (!token.is_empty()).then(|| Secret::new(token))
    }
}
