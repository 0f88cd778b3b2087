//! The local target, with real processes.

// Marked as tests, so that their helpers may unwrap like them.
#[cfg(test)]
#[path = "../common/mod.rs"]
mod common;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod death;
#[cfg(test)]
mod gpu;
#[cfg(test)]
mod process;
#[cfg(test)]
mod support;
#[cfg(test)]
mod sweep;
