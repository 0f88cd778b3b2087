//! What an engine says of itself: its metrics, read before and after a level.
//!
//! The one idea: the difference of two readings tells what the engine did between them, by its
//! own clock; laid beside what was measured from outside, each checks the other. `exposition`
//! reads the text, `engines` knows what each engine calls a thing, `read` fetches it.
//!
//! It never fails a measurement: an engine that publishes nothing has no reading.

pub(crate) mod engines;
mod exposition;
pub(crate) mod read;
