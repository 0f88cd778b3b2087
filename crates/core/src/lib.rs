//! The brain: it decides, and touches nothing.
//!
//! Everything in here is synchronous and total: data in, decision out. There is no
//! I/O, no clock, no global randomness and no `async`; a test of the workspace holds
//! that. Start reading at [`plan`], which says what to do next with a task, and at
//! [`score`], which says what a measurement is worth.

pub mod calibration;
pub mod capacity;
pub mod engine;
pub mod experiment;
pub mod failure;
pub mod gpu;
pub mod ids;
pub mod insight;
pub mod lifecycle;
mod linear;
pub mod measure;
pub mod metrics;
pub mod pareto;
pub mod plan;
pub mod preset;
pub mod problem;
pub mod score;
pub mod search;
pub mod serving;
pub mod space;
pub mod spec;
mod statistics;
pub mod task;
pub mod tune;
pub mod verdict;
pub mod workload;
