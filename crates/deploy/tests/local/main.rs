//! The local target, with real processes.

mod conformance;
mod death;
mod process;
mod support;
mod sweep;
