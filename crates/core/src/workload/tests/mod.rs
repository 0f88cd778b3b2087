//! What workloads promise: lists that follow from a seed, and texts that read back.

mod notation;
mod schedule;
