//! Logs that everybody on a shared database can read, whichever machine wrote them.
//!
//! The one idea: whoever writes a log writes a file, and whoever reads one reads a file; between
//! the two, pieces of it lie in the database. A worker carries there what is new in its files
//! ([`Carrier`]). Who is asked for a log fetches what is new into a folder of its own
//! ([`Fetched`]), from which it is read like any other.

mod carrier;
mod fetched;

pub(crate) use carrier::Carrier;
pub(crate) use fetched::Fetched;
