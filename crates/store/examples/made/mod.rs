//! What benchmarks of the database put into it.

use autotuner_core::experiment::Measured;
use autotuner_core::measure::TokenSource;
use autotuner_core::metrics::{Counts, Distribution, LevelMetrics, Rates, experiment_metrics};
use autotuner_core::score::{Objective, Score, ScoreParts};
use autotuner_store::Act;

/// Whoever makes and starts tasks.
pub(crate) fn act() -> Act {
    Act {
        actor: "bench".into(),
        role: autotuner_store::Role::Operator,
        address: None,
        at_ms: 0,
    }
}

/// A result as large as real ones with so many levels and requests.
pub(crate) fn result(levels: u32, requests: u32, value: f64) -> Measured {
    let of = |scale: f64| {
        let values = (1..=requests).map(|request| scale * f64::from(request).sqrt());
        Distribution::of(values.collect(), 0)
    };
    let level = |concurrency: u32| LevelMetrics {
        scenario: "D(1000,1000)".into(),
        concurrency,
        window: 60.0,
        counts: Counts::default(),
        ttft: of(0.01),
        tpot: of(0.001),
        latency: of(1.7),
        stall: of(0.02),
        gaps: None,
        input_tokens: of(100.0),
        output_tokens: of(101.0),
        token_source: Some(TokenSource::Usage),
        rates: Rates::default(),
        ..LevelMetrics::default()
    };
    Measured {
        metrics: experiment_metrics((1..=levels).map(level).collect(), None, 1),
        score: Score::from_parts(ScoreParts {
            feasible: true,
            value,
            objective: Objective::MinimizeLatency,
            objective_value: -value,
            penalty: 0.0,
            violations: Vec::new(),
            low_n: false,
        }),
        remarks: Vec::new(),
        gpu_use: Vec::new(),
        fingerprints: Vec::new(),
    }
}
