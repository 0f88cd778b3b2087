//! Whole runs whose engines are containers of a real daemon.
//!
//! `make test` starts a daemon and builds the images (`AUTOTUNER_REQUIRE_DOCKER=1`); elsewhere,
//! where there is no daemon or no image, these tests say so and prove nothing.

#[expect(
    dead_code,
    reason = "shared with the tests of local runs, which use all of it"
)]
#[path = "../cli/support.rs"]
mod support;

mod container_logs;
mod containers;
mod daemon;
mod failures;
mod harbour;
mod interruptions;
mod registry;
mod runs;
mod served;
mod together;
