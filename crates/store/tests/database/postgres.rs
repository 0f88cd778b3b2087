//! The database on PostgreSQL. Each of these files is a module of both engines: a test asks the module
//! above it for a fresh database.

pub(crate) use crate::support::fresh_on_postgres as fresh;

#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "audit.rs"]
mod audit;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "claims.rs"]
mod claims;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "conformance.rs"]
mod conformance;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "containers.rs"]
mod containers;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "experiments.rs"]
mod experiments;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "lists.rs"]
mod lists;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "presets.rs"]
mod presets;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "roundtrip.rs"]
mod roundtrip;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "runs.rs"]
mod runs;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "tasks.rs"]
mod tasks;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "together.rs"]
mod together;
#[expect(clippy::duplicate_mod, reason = "the same tests, on each engine")]
#[path = "tokens.rs"]
mod tokens;
