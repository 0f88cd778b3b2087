//! The commands that ask the service: what they say, what they exit with, and what they send.
//!
//! Where a real service can show it, a real one runs as a child process; a scripted one stands
//! in for what a real one does not do on request: connections that break, refusals, nonsense.

mod conversation;
mod follow;
mod legacy;
mod original;
mod service;
mod stub;
#[expect(
    dead_code,
    reason = "shared with the tests of local runs, which use all of it"
)]
#[path = "../cli/support.rs"]
mod support;
