//! What was measured.

use autotuner_core::gpu::GpuUse;
use autotuner_core::measure::{EngineFigures, RequestError, Schedule, TokenSource};
use autotuner_core::metrics::{
    Confidence, Counts, Distribution, DistributionParts, ExperimentMetrics, GapDistribution, LevelMetrics,
    MetricsParts, Rates, Spread, Steadiness, TimeSeries, Trust,
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
    schedule: Option<Schedule>,
    window: f64,
    counts: Counts,
    ttft: Option<Distribution>,
    ttft_from_schedule: Option<Distribution>,
    tpot: Option<Distribution>,
    latency: Option<Distribution>,
    latency_from_schedule: Option<Distribution>,
    stall: Option<Distribution>,
    gaps: Option<GapDistribution>,
    token_gaps: Option<GapDistribution>,
    chunk_tokens: Option<f64>,
    first_visible: Option<GapDistribution>,
    ntpot: Option<GapDistribution>,
    schedule_lag: Option<GapDistribution>,
    input_tokens: Option<Distribution>,
    output_tokens: Option<Distribution>,
    token_source: Option<TokenSource>,
    rates: Rates,
    series: Option<TimeSeries>,
    steadiness: Option<Steadiness>,
    confidence: Option<Confidence>,
    trust: Option<Trust>,
    engine: Option<EngineFigures>,
    seen: Option<EngineFigures>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::rows::from_text;

    #[test]
    fn a_level_that_was_stored_before_its_worth_was_known_is_read() {
        let stored = r#"{
            "scenario": "D(100,128)", "concurrency": 4, "window": 30.0,
            "counts": {"started": 2, "succeeded": 1, "failed": 1, "cut_off": 0, "errors": [["timeout", 1]]},
            "ttft": {"mean": 0.5, "deviation": 0.0, "failures": 1, "sorted": "AAAAAAAA4D8"},
            "tpot": null, "latency": null, "stall": null, "gaps": null,
            "input_tokens": null, "output_tokens": null, "token_source": "usage",
            "rates": {"input_tokens": 1.0, "output_tokens": 2.0, "total_tokens": 3.0,
                "requests": 4.0, "goodput": 5.0, "attainment": 0.5}
        }"#;
        let level: LevelMetrics = from_text(stored, || "a level".into()).expect("readable");
        let ttft = Distribution::of(vec![0.5], 1);
        let expected = LevelMetrics {
            scenario: "D(100,128)".into(),
            concurrency: 4,
            window: 30.0,
            counts: Counts {
                started: 2,
                succeeded: 1,
                failed: 1,
                cut_off: 0,
                errors: [(RequestError::Timeout, 1)].into(),
            },
            ttft,
            token_source: Some(TokenSource::Usage),
            rates: Rates {
                input_tokens: 1.0,
                output_tokens: 2.0,
                total_tokens: 3.0,
                requests: 4.0,
                goodput: 5.0,
                attainment: 0.5,
            },
            ..LevelMetrics::default()
        };
        assert_eq!(level, expected);
    }
}
