//! The server, as a process: what it keeps when it is killed, what it leaves when a task is
//! cancelled, and that it is alone with its data.
//!
//! Every test has a sandbox of its own, and so does every server. Tests look at the database
//! itself, beside the server that has it, and ask the server over HTTP.

mod alone;
mod cancel;
#[expect(
    dead_code,
    reason = "shared with the tests of containers, which use all of it"
)]
#[path = "../docker/harbour.rs"]
mod harbour;
mod kill;
mod life;
#[expect(
    dead_code,
    reason = "shared with the tests of local runs, which use all of it"
)]
#[path = "../cli/support.rs"]
mod sandbox;
#[expect(
    dead_code,
    reason = "shared with the tests of the database, which use all of it"
)]
#[path = "../../../store/tests/database/support/schema.rs"]
mod schema;
mod shared;
mod support;
