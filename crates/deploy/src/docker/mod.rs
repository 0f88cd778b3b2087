//! The Docker target: an engine is a container of ours.

mod connect;
mod error;
mod image;
mod journal;
