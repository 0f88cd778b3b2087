//! The token that is there from the first start, so that nobody is let in without one.
//!
//! It is written to a file that only its owner can read, and kept in the database as its hash.
//! File and database are compared at every start: where the file was lost or another is in its
//! place, a new token is made and the old one is good no longer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use autotuner_store::{Act, Database, NewToken, Role, StoreError};
use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::secret::Secret;

/// The token's name, and that of callers who need none.
pub(crate) const NAME: &str = "local";

/// Who makes it, as the audit log calls them.
const MAKER: &str = "server";

/// Who alone may read and write the file.
const OWNER_ONLY: u32 = 0o600;

/// Longest file that is read.
const LONGEST: u64 = 4_096;

/// The token of this machine.
pub(crate) struct FirstToken {
    /// The token itself.
    pub(crate) secret: Secret,
    /// Where it is kept.
    pub(crate) path: PathBuf,
    /// Whether it was made just now.
    pub(crate) is_new: bool,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FirstTokenError {
    /// The file could not be read or written.
    #[error("cannot {doing} the token file {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// Which file.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The database could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to make a token of.
    #[error("the system has no random numbers")]
    Random(#[source] getrandom::Error),
}

/// Who reads what is said at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person.
    Terminal,
    /// A person, a file or a program.
    Unknown,
    /// What a cluster keeps, and shows to more people than may come in.
    Log,
}

impl FirstToken {
    /// Where the token of a data directory is kept.
    pub(crate) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("token")
    }

    /// The token in the file, where it is still good; a new one otherwise.
    ///
    /// # Errors
    /// The file cannot be read or written, or the database cannot be asked.
    pub(crate) async fn ensure(
        database: &Database,
        data_dir: &Path,
        now_ms: i64,
    ) -> Result<Self, FirstTokenError> {
        let path = Self::path(data_dir);
        if let Some(secret) = read(&path)? {
            let kept = database.token_with_hash(&secret.hash(), now_ms).await?;
            if kept.is_some_and(|kept| kept.name == NAME && kept.role == Role::Admin) {
                return Ok(Self {
                    secret,
                    path,
                    is_new: false,
                });
            }
        }
        let act = Act {
            actor: MAKER.into(),
            role: Role::Admin,
            address: None,
            at_ms: now_ms,
        };
        for old in database.tokens().await? {
            if old.name == NAME && old.revoked_at_ms.is_none() {
                database.revoke_token(&act, old.id).await?;
            }
        }
        let secret = Secret::token().map_err(FirstTokenError::Random)?;
        let token = NewToken {
            name: NAME.into(),
            role: Role::Admin,
            hash: secret.hash(),
            expires_at_ms: None,
        };
        database.create_token(&act, token).await?;
        write(&path, secret.reveal())?;
        Ok(Self {
            secret,
            path,
            is_new: true,
        })
    }

    /// What to say at the start. The token itself is shown where a person looks, and once when
    /// it was made, unless that is kept: elsewhere it would only end up in logs.
    pub(crate) fn welcome(&self, bound: SocketAddr, reader: Reader) -> String {
        let host = match bound.ip() {
            ip if ip.is_unspecified() => format!("127.0.0.1:{}", bound.port()),
            _ => bound.to_string(),
        };
        let is_shown = match reader {
            Reader::Terminal => true,
            Reader::Unknown => self.is_new,
            Reader::Log => false,
        };
        if is_shown {
            return format!("open http://{host}/?token={}", self.secret.reveal());
        }
        format!("open http://{host}/ with the token in {}", self.path.display())
    }
}

/// The token in a file; nothing where there is no file, or none that we would have written. A
/// file that others can read is made the owner's own: the token may be known to others by then,
/// but making a new one would lock out scripts without a word.
fn read(path: &Path) -> Result<Option<Secret>, FirstTokenError> {
    let failed = |doing| {
        move |source| FirstTokenError::File {
            doing,
            path: path.display().to_string(),
            source,
        }
    };
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A link in its place is nobody's token.
        Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => return Ok(None),
        Err(error) => return Err(failed("read")(error)),
    };
    let metadata = file.metadata().map_err(failed("read"))?;
    if !metadata.is_file() {
        return Ok(None);
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the token file could be read by others; now it cannot");
        file.set_permissions(fs::Permissions::from_mode(OWNER_ONLY))
            .map_err(failed("protect"))?;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut bytes)
        .map_err(failed("read"))?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(Secret::new))
}

/// Writes the file as a new one and puts it in its place in one step: at no time is there half
/// a token, and whoever held the old file open learns nothing.
fn write(path: &Path, text: &str) -> Result<(), FirstTokenError> {
    let failed = |source| FirstTokenError::File {
        doing: "write",
        path: path.display().to_string(),
        source,
    };
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let write = || -> io::Result<()> {
        let mut file: File = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(OWNER_ONLY)
            .open(&new)?;
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(failed)
}
