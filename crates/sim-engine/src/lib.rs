//! A simulated inference engine: continuous batching over an OpenAI-compatible API.
//!
//! It is a real server process with real sockets and real time, whose *speed* follows a
//! model of a language model on a graphics card: a batch limit, a token budget a step, a
//! paged key/value cache, preemption, and the places where memory runs out. So it can be
//! tuned on any machine, its best configuration can be computed ([`forecast()`]), and what
//! it did to each request can be read back (`GET /sim/truth`) and compared with what a
//! client thought it saw.
//!
//! The one idea: everything that decides is pure ([`forecast()`] and the server share one
//! scheduler and one model), and a thin driver plays those decisions out against an
//! absolute clock.
//!
//! Beside it there is a server that models nothing at all and is exact about time instead, to
//! judge load generators by: the [`metronome`].
//!
//! It deliberately does not run a model: its words mean nothing, sampling parameters change
//! nothing, and a prompt counts as many tokens as it has words between white space.

pub mod metronome;

mod api;
mod clock;
mod connections;
mod driver;
mod error;
mod fault;
mod forecast;
mod identity;
mod journal;
mod loading;
mod model;
mod options;
mod process;
mod scheduler;
mod server;
mod text;
mod truth;

pub use error::SimError;
pub use fault::{Fault, ParseFaultError};
pub use forecast::{ClosedLoop, Forecast, forecast};
pub use options::{KvCacheType, LogLevel, Options, Quantization};
pub use server::{RunningSim, run, spawn_in_process};
pub use truth::{Outcome, RequestTruth};

/// The version of the simulated engine, as `GET /version` and `--version` tell it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
