//! A model of what was measured decides what to try next.
//!
//! Metrics are modelled one by one on a logarithmic scale, and the goal is applied to draws
//! from those models ("composite" Bayesian optimisation): throughput and latency are close
//! to products of what single parameters do, which a score with its penalties is not.
//! Crashes have models of their own, one for each way to crash. Everything follows from the
//! history, the seed and nothing else.

mod abort;
mod believed;
mod candidates;
mod confirm;
mod crash;
mod draws;
mod earlier;
mod fit;
mod habits;
mod kernel;
mod model;
mod outlier;
mod outputs;
mod parzen;
mod points;
mod problem;
mod process;
mod remaining;
mod rules;
mod scale;
mod sobol;
mod suggest;
mod widen;

pub use abort::{Prospect, prospect};
pub use believed::{Believed, believed};
pub use outlier::doubted;
pub use parzen::Parzen;
pub use problem::{Axis, Crash, Goal, Outcome, Output, Point, Search, Suggestion, Trial, Worth};
pub use remaining::Remaining;
pub(super) use sobol::points as sobol_points;
pub use suggest::{Advice, advise};

#[cfg(test)]
mod tests;
