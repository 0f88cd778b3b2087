//! The Docker target: an engine is a container of ours.

mod ask;
mod connect;
mod error;
mod image;
mod journal;

#[cfg(test)]
mod tests;
