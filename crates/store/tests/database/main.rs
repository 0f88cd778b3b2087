//! The database, against every engine that there is a factory for.

mod conformance;
mod support;
