//! What workloads promise: lists that follow from a seed, and texts that read back.

mod arrival_text;
mod knee;
mod notation;
mod order;
mod schedule;
