//! What a run is told as: a file for programs, tables and sentences for people.

pub(crate) mod command;
pub(crate) mod metrics;
pub(crate) mod results;
pub(crate) mod table;
pub(crate) mod words;
