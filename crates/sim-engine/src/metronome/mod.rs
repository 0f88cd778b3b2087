//! The truth server: a metronome over an OpenAI-compatible API, to judge load generators by.
//!
//! It answers every request the same way: the first chunk after a given time, each further one
//! a given time later (or as fast as the socket takes them), and writes down when it did so.
//! One thread waits for sockets and for the next deadline together, so a chunk is written at its
//! nanosecond and not at the next tick of a runtime's clock, and one core carries about a
//! hundred thousand writes a second. All its stamps are those of the system's monotonic clock:
//! a client on the same machine may subtract its own from them.
//!
//! It deliberately models no engine: no batch, no queue, no memory, no faults. For that there
//! is the simulated engine beside it.

mod agenda;
mod answer;
mod ask;
mod body;
mod clock;
mod connection;
mod connections;
mod error;
mod head;
mod incoming;
mod intake;
mod ledger;
mod listen;
mod options;
mod pace;
mod reply;
mod running;
mod server;
mod turns;
mod voice;
mod watch;

pub use error::MetronomeError;
pub use ledger::{Outcome, Record, Truth};
pub use options::{MetronomeOptions, Stamps};
pub use running::{RunningMetronome, Stopper, run, spawn};
