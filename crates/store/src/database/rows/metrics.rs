//! What was measured.

use autotuner_core::gpu::GpuUse;
use autotuner_core::measure::{RequestError, TokenSource};
use autotuner_core::metrics::{
    Counts, Distribution, DistributionParts, ExperimentMetrics, GapDistribution, LevelMetrics, MetricsParts,
    Rates, Spread,
};
use serde::{Deserialize, Serialize};

use super::numbers::{Real, packed, unpacked};
use super::{Kept, Strange, fields};

/// A result without its score, which is stored beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unscored {
    pub(crate) metrics: ExperimentMetrics,
    pub(crate) remarks: Vec<String>,
    pub(crate) gpu_use: Vec<GpuUse>,
    pub(crate) fingerprints: Vec<String>,
}

fields!(UnscoredRow of Unscored {
    metrics: ExperimentMetrics,
    remarks: Vec<String>,
    gpu_use: Vec<GpuUse>,
    fingerprints: Vec<String>,
});

impl Kept for ExperimentMetrics {
    type Row = MetricsRow;
    fn keep(&self) -> MetricsRow {
        self.parts().keep()
    }
    fn recall(row: MetricsRow) -> Result<Self, Strange> {
        Self::from_parts(MetricsParts::recall(row)?)
            .ok_or_else(|| Strange("there is not one weight a level".into()))
    }
}

fields!(MetricsRow of MetricsParts {
    levels: Vec<LevelMetrics>,
    latency: Option<Spread>,
    total_throughput: Spread,
    output_throughput: Spread,
    goodput: Spread,
    gpus: u32,
    weights: Vec<f64>,
});

fields!(SpreadRow of Spread {
    mean: f64,
    min: f64,
    max: f64,
});

fields!(LevelRow of LevelMetrics {
    scenario: String,
    concurrency: u32,
    window: f64,
    counts: Counts,
    ttft: Option<Distribution>,
    tpot: Option<Distribution>,
    latency: Option<Distribution>,
    stall: Option<Distribution>,
    gaps: Option<GapDistribution>,
    input_tokens: Option<Distribution>,
    output_tokens: Option<Distribution>,
    token_source: Option<TokenSource>,
    rates: Rates,
});

fields!(CountsRow of Counts {
    started: u32,
    succeeded: u32,
    failed: u32,
    cut_off: u32,
    errors: std::collections::BTreeMap<RequestError, u32>,
});

fields!(RatesRow of Rates {
    input_tokens: f64,
    output_tokens: f64,
    total_tokens: f64,
    requests: f64,
    goodput: f64,
    attainment: f64,
});

fields!(GapsRow of GapDistribution {
    n: u64,
    mean: f64,
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
});

/// Its shape in JSON. `sorted` are 64-bit numbers, little end first, in base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DistributionRow {
    mean: Real,
    deviation: Real,
    failures: usize,
    sorted: String,
}

impl Kept for Distribution {
    type Row = DistributionRow;
    fn keep(&self) -> DistributionRow {
        let DistributionParts {
            mean,
            deviation,
            sorted,
            failures,
        } = self.parts();
        DistributionRow {
            mean: mean.keep(),
            deviation: deviation.keep(),
            failures,
            sorted: packed(&sorted),
        }
    }
    fn recall(row: DistributionRow) -> Result<Self, Strange> {
        let DistributionRow {
            mean,
            deviation,
            failures,
            sorted,
        } = row;
        let parts = DistributionParts {
            mean: f64::recall(mean)?,
            deviation: f64::recall(deviation)?,
            sorted: unpacked(&sorted)?,
            failures,
        };
        Self::from_parts(parts).ok_or_else(|| Strange("values that are none or out of order".into()))
    }
}
