//! The physics of the simulated engine: how much memory flags take and how long a step lasts.
//!
//! The one idea: everything here is a pure function of the flags and of a step's work. The
//! simulated model is a dense transformer of 6.7 billion parameters with full attention
//! heads, on devices like a data-centre card cut to 24 GiB; so a step is bound by reading
//! weights and cache, a long prompt is bound by arithmetic, and the cache is what runs short.
//! The figures give a realistic *structure* (knees, cliffs, crash regions), not any vendor's
//! numbers.
//!
//! It holds no state and knows neither requests nor clocks; noise is the driver's.

mod check;
mod hazards;
mod memory;
mod timing;

use std::fmt;

use crate::options::Quantization;

pub(crate) use check::check;
pub(crate) use hazards::{Hazards, check_warm_up};
pub(crate) use memory::{MemoryPlan, blocks_for, plan_memory, report_under_load, weight_bytes};
pub(crate) use timing::{LoadTimes, StepTimer, Work};

const GIBIBYTE: f64 = 1_073_741_824.0;
const MEBIBYTE: f64 = 1_048_576.0;
const KIBIBYTE: f64 = 1024.0;

const PARAMETERS: f64 = 6.7e9;
const LAYERS: f64 = 32.0;
const HIDDEN_SIZE: f64 = 4096.0;
/// Keys and values of one token in all layers, at two bytes a number: 512 KiB.
const CACHE_BYTES_PER_TOKEN: f64 = 2.0 * LAYERS * HIDDEN_SIZE * 2.0;

/// Bytes that one parameter takes, in memory and on its way to where it is computed with.
fn bytes_per_parameter(quantization: Quantization) -> f64 {
    match quantization {
        Quantization::None => 2.0,
        Quantization::Fp8 | Quantization::Int8 => 1.0,
    }
}

/// Bytes, shown as GiB with two decimals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gibibytes(pub(crate) u64);

impl Gibibytes {
    /// A real number of bytes.
    pub(crate) fn of(bytes: f64) -> Self {
        Self(real_to_whole(bytes))
    }
}

impl fmt::Display for Gibibytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.2}", whole_to_real(self.0) / GIBIBYTE)
    }
}

/// A count as a real number; exact up to 2^53, which no count here reaches.
fn whole_to_real(count: u64) -> f64 {
    count as f64
}

/// A size as whole bytes; a negative one is none.
fn real_to_whole(bytes: f64) -> u64 {
    bytes.max(0.0) as u64
}
