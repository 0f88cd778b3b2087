//! From records to numbers: one level's metrics, and an experiment's over its levels.
//!
//! Definitions (times in seconds, stamps in nanoseconds):
//!
//! | metric | definition |
//! |---|---|
//! | TTFT | first content chunk − send |
//! | TTFT, latency from schedule | the same from the intended start on; these are scored where requests start by a clock (wrk2) |
//! | TTFO | first content chunk that is not reasoning − send |
//! | E2E latency | last content chunk − send |
//! | TPOT | (last − first content chunk) / (N − n₁), N answer tokens, n₁ of them in the first chunk; undefined for N ≤ n₁ (DistServe, vLLM) |
//! | NTPOT | E2E latency / N (inference-perf) |
//! | ICL | gaps between content chunks, pooled over requests (AIPerf) |
//! | ITL | the same by tokens: a chunk of k tokens is one gap and k − 1 zeros (inference-perf) |
//! | stall | a request's longest gap |
//! | schedule lag | send − intended start |
//! | throughput | tokens that arrived in the window ÷ the window; a prompt's tokens arrive with its first content; where requests ran out, the window ends for tokens when a slot first found none |
//! | goodput | requests without error that meet every SLO ÷ the window; attainment is their share of all that were started |
//!
//! Only successful requests have latencies; how many were not is told beside them, and a
//! second set of percentiles counts every other request as infinitely slow.
//!
//! Beside the figures stands what they are worth: intervals, whether the level ran evenly, what
//! the load generator had to do with them, and what the engine itself says.

mod combined;
mod confidence;
mod crosscheck;
mod distribution;
mod level;
mod overall;
mod rates;
mod request;
mod resample;
mod series;
#[cfg(test)]
mod simulated;
mod slices;
mod steadiness;
mod trust;

pub use confidence::{Confidence, PercentileIntervals};
pub use crosscheck::EngineDifferences;
pub use distribution::{Distribution, DistributionParts, GapDistribution, LOW_N_P99};
pub use level::{Counts, LevelMetrics, Terms, level_metrics, level_metrics_for};
pub use overall::{ExperimentMetrics, MetricsParts, Spread, experiment_metrics};
pub use rates::Rates;
pub use resample::Interval;
pub use series::{MOST_SLICES, TimeSeries};
pub use steadiness::Steadiness;
pub use trust::{KnownErrors, OwnErrors, TOLERATED_ERROR, Trust};
