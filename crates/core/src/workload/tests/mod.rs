//! What workloads promise: lists that follow from a seed, and texts that read back.

mod knee;
mod notation;
mod schedule;
