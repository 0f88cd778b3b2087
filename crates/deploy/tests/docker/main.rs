//! The Docker target, with a real daemon and real containers.
//!
//! Where no daemon answers, every test here says so and passes, unless
//! `AUTOTUNER_REQUIRE_DOCKER=1` asks for them to fail.

// Marked as tests, so that their helpers may unwrap like them.
#[cfg(test)]
#[path = "../common/mod.rs"]
mod common;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod image;
#[cfg(test)]
mod life;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod own_daemon;
#[cfg(test)]
mod support;
#[cfg(test)]
mod sweep;
