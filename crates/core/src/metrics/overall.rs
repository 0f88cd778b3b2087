//! An experiment over its levels, with the original system's names behind the fields.

use super::combined;
use super::confidence::Confidence;
use super::distribution::count;
use super::level::LevelMetrics;
use crate::score::{Percentile, Statistic};

/// One experiment's metrics over its levels.
///
/// Means are weighted by level, all levels equal unless the task says otherwise: adding a
/// level therefore changes them, which is why levels are kept beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentMetrics {
    /// Every level, in the order in which they ran.
    pub levels: Vec<LevelMetrics>,
    /// End-to-end latency, seconds: mean, smallest and largest of the levels' means.
    pub latency: Option<Spread>,
    /// Tokens per second arriving, prompt and answer together.
    pub total_throughput: Spread,
    /// Answer tokens per second.
    pub output_throughput: Spread,
    /// Requests per second that met every SLO.
    pub goodput: Spread,
    /// GPUs that the experiment used; 0 on a CPU.
    pub gpus: u32,
    weights: Vec<f64>,
}

/// What [`ExperimentMetrics`] are made of, for whoever keeps them and brings them back.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsParts {
    /// Every level, in the order in which they ran.
    pub levels: Vec<LevelMetrics>,
    /// End-to-end latency, seconds.
    pub latency: Option<Spread>,
    /// Tokens per second arriving, prompt and answer together.
    pub total_throughput: Spread,
    /// Answer tokens per second.
    pub output_throughput: Spread,
    /// Requests per second that met every SLO.
    pub goodput: Spread,
    /// GPUs that the experiment used; 0 on a CPU.
    pub gpus: u32,
    /// One weight a level.
    pub weights: Vec<f64>,
}

/// A value per level, boiled down.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// Weighted mean over levels.
    pub mean: f64,
    /// Smallest level.
    pub min: f64,
    /// Largest level.
    pub max: f64,
}

/// Boils levels down. `weights` has one entry a level; `None` weighs them equally.
pub fn experiment_metrics(
    levels: Vec<LevelMetrics>,
    weights: Option<&[f64]>,
    gpus: u32,
) -> ExperimentMetrics {
    let weights = match weights {
        Some(weights) if weights.len() >= levels.len() => weights[..levels.len()].to_vec(),
        _ => vec![1.0; levels.len()],
    };
    let over = |metric: &dyn Fn(&LevelMetrics) -> Option<f64>| spread(&levels, &weights, metric);
    ExperimentMetrics {
        latency: over(&|level| level.scored_latency().map(|latency| latency.mean)),
        total_throughput: over(&|level| Some(level.rates.total_tokens)).unwrap_or_default(),
        output_throughput: over(&|level| Some(level.rates.output_tokens)).unwrap_or_default(),
        goodput: over(&|level| Some(level.rates.goodput)).unwrap_or_default(),
        gpus,
        levels,
        weights,
    }
}

impl ExperimentMetrics {
    /// The metrics that [`ExperimentMetrics::parts`] took apart; `None` where levels and weights
    /// are not equally many.
    pub fn from_parts(parts: MetricsParts) -> Option<Self> {
        let MetricsParts {
            levels,
            latency,
            total_throughput,
            output_throughput,
            goodput,
            gpus,
            weights,
        } = parts;
        (levels.len() == weights.len()).then_some(Self {
            levels,
            latency,
            total_throughput,
            output_throughput,
            goodput,
            gpus,
            weights,
        })
    }

    /// What they are made of.
    pub fn parts(&self) -> MetricsParts {
        let Self {
            levels,
            latency,
            total_throughput,
            output_throughput,
            goodput,
            gpus,
            weights,
        } = self.clone();
        MetricsParts {
            levels,
            latency,
            total_throughput,
            output_throughput,
            goodput,
            gpus,
            weights,
        }
    }

    /// End-to-end latency at a percentile, from the schedule where there is one, seconds: mean of the levels' percentiles.
    pub fn latency_at(&self, percentile: Percentile) -> Option<f64> {
        self.mean_over_levels(|level| Some(level.scored_latency()?.percentile(percentile)))
    }

    /// Time to first token, from the schedule where there is one, seconds: mean of the levels' means or percentiles.
    pub fn ttft(&self, statistic: Statistic) -> Option<f64> {
        self.mean_over_levels(|level| level.scored_ttft().map(|ttft| statistic.of(ttft)))
    }

    /// Time per output token, seconds: mean of the levels' means or percentiles.
    pub fn tpot(&self, statistic: Statistic) -> Option<f64> {
        self.mean_over_levels(|level| level.tpot.as_ref().map(|tpot| statistic.of(tpot)))
    }

    /// Tokens per second and GPU, prompt and answer together; per machine where no GPU is used.
    pub fn total_throughput_per_gpu(&self) -> f64 {
        self.total_throughput.mean / f64::from(self.gpus.max(1))
    }

    /// Requests started, succeeded, and not succeeded over all levels.
    pub fn request_totals(&self) -> (u32, u32, u32) {
        self.levels.iter().fold((0, 0, 0), |(started, good, bad), level| {
            let counts = &level.counts;
            (
                started + counts.started,
                good + counts.succeeded,
                bad + counts.failed + counts.cut_off,
            )
        })
    }

    /// Share of requests that succeeded, 0 to 1; 0 when none was started.
    pub fn success_rate(&self) -> f64 {
        let (started, succeeded, _) = self.request_totals();
        f64::from(succeeded) / f64::from(started.max(1))
    }

    /// Fewest successful requests of any level: what percentiles rest on.
    pub fn least_n(&self) -> usize {
        self.levels
            .iter()
            .map(|level| level.scored_latency().map_or(0, |latency| latency.n))
            .min()
            .unwrap_or(0)
    }

    /// How sure the means over levels are; `None` where no level can tell.
    pub fn confidence(&self) -> Option<Confidence> {
        combined::confidence(&self.levels, &self.weights)
    }

    /// Why the load generator, and not the engine, has limited what is scored, level by level:
    /// whole sentences for people; none where it has not.
    pub fn client_limits(&self) -> Vec<String> {
        let of = |level: &LevelMetrics| {
            let trust = level.trust.iter();
            let reasons = trust.flat_map(|trust| &trust.reasons);
            let told: Vec<String> = reasons
                .map(|reason| format!("{}: {reason}", level.label()))
                .collect();
            told
        };
        let is_even = self.weights.iter().all(|weight| *weight == 0.0);
        let levels = self.levels.iter().zip(&self.weights);
        let counting = levels.filter(|(_, weight)| is_even || **weight > 0.0);
        counting.flat_map(|(level, _)| of(level)).collect()
    }

    fn mean_over_levels(&self, metric: impl Fn(&LevelMetrics) -> Option<f64>) -> Option<f64> {
        spread(&self.levels, &self.weights, &metric).map(|spread| spread.mean)
    }
}

/// `None` where any level that counts lacks the metric: a mean over fewer levels is another
/// number. A level of weight 0 counts only where all do.
fn spread(
    levels: &[LevelMetrics],
    weights: &[f64],
    metric: &dyn Fn(&LevelMetrics) -> Option<f64>,
) -> Option<Spread> {
    let weight: f64 = weights.iter().sum();
    let values: Vec<(f64, f64)> = levels
        .iter()
        .zip(weights)
        .map(|(level, weight)| (metric(level), *weight))
        .filter(|(value, level_weight)| value.is_some() || *level_weight > 0.0 || weight == 0.0)
        .map(|(value, weight)| Some((value?, weight)))
        .collect::<Option<_>>()?;
    let (first, rest) = values.split_first()?;
    let mean = if weight > 0.0 {
        values.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight
    } else {
        values.iter().map(|(value, _)| value).sum::<f64>() / count(values.len())
    };
    Some(Spread {
        mean,
        min: rest.iter().map(|(value, _)| *value).fold(first.0, f64::min),
        max: rest.iter().map(|(value, _)| *value).fold(first.0, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};
    use crate::metrics::level_metrics;

    fn level(concurrency: u32, latencies_ms: &[u64]) -> LevelMetrics {
        let tokens = |count| TokenCount {
            count,
            source: TokenSource::Usage,
        };
        let requests = latencies_ms.iter().map(|latency| RequestRecord {
            intended_ns: 0,
            sent_ns: 0,
            content_ns: vec![1_000_000, latency * 1_000_000],
            first_chunk_tokens: 1,
            ended_ns: latency * 1_000_000,
            input_tokens: tokens(8),
            output_tokens: tokens(2),
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        });
        level_metrics(
            &LevelRecords {
                scenario: "D(8,2)".into(),
                concurrency,
                window_start_ns: 0,
                window_end_ns: 1_000_000_000,
                requests: requests.collect(),
                ..LevelRecords::default()
            },
            &[],
        )
    }

    #[test]
    fn levels_count_equally_unless_weighed() {
        let levels = vec![level(1, &[100]), level(8, &[300, 500])];
        let equal = experiment_metrics(levels.clone(), None, 0);
        let latency = equal.latency.expect("latency");
        assert!((latency.mean - 0.25).abs() < 1e-9);
        assert!((latency.min - 0.1).abs() < 1e-9 && (latency.max - 0.4).abs() < 1e-9);
        assert!((equal.latency_at(Percentile::P50).expect("p50") - 0.25).abs() < 1e-9);
        let weighed = experiment_metrics(levels, Some(&[0.0, 2.0]), 0);
        assert!((weighed.latency.expect("latency").mean - 0.4).abs() < 1e-9);
    }

    #[test]
    fn throughput_is_per_gpu_where_there_are_gpus() {
        let metrics = |gpus| experiment_metrics(vec![level(1, &[100, 100])], None, gpus);
        assert!((metrics(0).total_throughput_per_gpu() - 20.0).abs() < 1e-9);
        assert!((metrics(4).total_throughput_per_gpu() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_level_without_a_metric_leaves_the_experiment_without_it() {
        let metrics = experiment_metrics(vec![level(1, &[100]), level(8, &[])], None, 0);
        assert_eq!(metrics.latency, None);
        assert_eq!(metrics.least_n(), 0);
        assert_eq!(metrics.request_totals(), (1, 1, 0));
        // Unless nobody asks for it.
        let levels = vec![level(1, &[100]), level(8, &[])];
        let metrics = experiment_metrics(levels.clone(), Some(&[2.0, 0.0]), 0);
        assert!((metrics.latency.expect("latency").mean - 0.1).abs() < 1e-9);
        assert_eq!(
            experiment_metrics(levels.clone(), Some(&[2.0, 0.1]), 0).latency,
            None
        );
        assert_eq!(experiment_metrics(levels, Some(&[0.0, 0.0]), 0).latency, None);
    }
}
