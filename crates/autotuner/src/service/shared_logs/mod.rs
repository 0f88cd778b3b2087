//! Logs that everybody on a shared database can read, whichever machine wrote them.
//!
//! The one idea: whoever writes a log writes a file, and whoever reads one reads a file; between
//! the two, pieces of it lie in the database. A worker carries there what is new in its files
//! ([`Carrier`]). Who is asked for a log fetches what is new into a folder of its own
//! ([`Fetched`]), from which it is read like any other.

mod carrier;
mod fetched;

pub(crate) use carrier::{Carrier, Flush};
pub(crate) use fetched::Fetched;

use autotuner_store::Database;
use sha2::{Digest as _, Sha256};

/// The folder of a shared database's logs: one for each, by where it is.
pub(crate) fn folder_of(database: &Database) -> String {
    let digest = Sha256::digest(database.place());
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("shared-{short}")
}
