//! What was fetched before, so that it is fetched again only when it has changed.
//!
//! The one idea: contents are named by their hash and looked at before they are used, so a file
//! that was cut off or changed is fetched again and not believed. A second file for each address
//! says which content it had and under which tag. It is a cache: whatever goes wrong with it costs
//! another fetch and nothing else.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::fetch::Fetched;

/// A folder of contents.
pub(super) struct Cache<'a>(&'a Path);

/// What an address had. The address itself, which may hold a password, is only in the name of
/// the file, as its hash.
#[derive(Serialize, Deserialize)]
struct Note {
    etag: String,
    sha256: String,
}

impl<'a> Cache<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self(folder)
    }

    /// The content of an address, fetched unless it is still the one that is kept.
    ///
    /// # Errors
    /// What fetching says.
    pub(super) fn get(
        &self,
        url: &str,
        fetch: impl Fn(Option<&str>) -> Result<Fetched, String>,
    ) -> Result<Vec<u8>, String> {
        let known = self.known(url);
        let fetched = match &known {
            Some((note, _)) => fetch(Some(&note.etag))?,
            None => fetch(None)?,
        };
        match (fetched, known) {
            (Fetched::Unchanged, Some((_, bytes))) => Ok(bytes),
            (Fetched::Unchanged, None) => Err("cannot be fetched: the server says nothing of it".into()),
            (Fetched::New { bytes, etag }, _) => {
                if let Some(etag) = etag
                    && let Err(error) = self.keep(url, etag, &bytes)
                {
                    tracing::warn!(%error, "what was fetched could not be kept");
                }
                Ok(bytes)
            }
        }
    }

    /// What is kept of an address, if it is whole.
    fn known(&self, url: &str) -> Option<(Note, Vec<u8>)> {
        let note = fs::read(self.note(url)).ok()?;
        let note: Note = serde_json::from_slice(&note).ok()?;
        let is_hash = note.sha256.len() == 64 && note.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bytes = is_hash.then(|| fs::read(self.content(&note.sha256)).ok())??;
        (hash(&bytes) == note.sha256).then_some((note, bytes))
    }

    fn keep(&self, url: &str, etag: String, bytes: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.0)?;
        let note = Note {
            etag,
            sha256: hash(bytes),
        };
        replace(&self.content(&note.sha256), bytes)?;
        replace(&self.note(url), &serde_json::to_vec(&note)?)
    }

    fn note(&self, url: &str) -> PathBuf {
        self.0.join(format!("{}.json", hash(url.as_bytes())))
    }

    fn content(&self, sha256: &str) -> PathBuf {
        self.0.join(format!("{sha256}.data"))
    }
}

/// Writes a file beside its place and moves it there, so that nobody sees half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(bytes)?;
    fs::rename(&draft, path)
}

fn hash(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
