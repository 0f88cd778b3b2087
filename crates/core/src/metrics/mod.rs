//! From records to numbers: one level's metrics, and an experiment's over its levels.
//!
//! Definitions (times in seconds, stamps in nanoseconds):
//!
//! | metric | definition |
//! |---|---|
//! | TTFT | first content chunk − send |
//! | E2E latency | last content chunk − send |
//! | TPOT | (last − first content chunk) / (N − n₁), N answer tokens, n₁ of them in the first chunk; undefined for N ≤ n₁ (DistServe, vLLM) |
//! | ICL | gaps between content chunks, pooled over requests (AIPerf) |
//! | stall | a request's longest gap |
//! | throughput | tokens that arrived in the window ÷ the window; a prompt's tokens arrive with its first content; where requests ran out, the window ends for tokens when a slot first found none |
//! | goodput | requests without error that meet every SLO ÷ the window; attainment is their share of all that were started |
//!
//! Only successful requests have latencies; how many were not is told beside them, and a
//! second set of percentiles counts every other request as infinitely slow.

mod distribution;
mod level;
mod overall;

pub use distribution::{Distribution, DistributionParts, GapDistribution, LOW_N_P99};
pub use level::{Counts, LevelMetrics, Rates, level_metrics};
pub use overall::{ExperimentMetrics, MetricsParts, Spread, experiment_metrics};
