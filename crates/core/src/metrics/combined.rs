//! How sure an experiment's figures are, from how sure its levels' are.

use super::confidence::{Confidence, PercentileIntervals};
use super::distribution::Distribution;
use super::level::LevelMetrics;
use super::resample::Interval;
use crate::score::Percentile;

/// The intervals of the levels' weighted means. Levels err independently of each other, so the
/// means' distances from the point are those of the levels in quadrature. `None` where no level
/// has any; a figure's is `None` where a level that counts has none.
pub(super) fn confidence(levels: &[LevelMetrics], weights: &[f64]) -> Option<Confidence> {
    let known = || levels.iter().filter_map(|level| level.confidence.as_ref());
    let blocks = known().map(|confidence| confidence.blocks).min()?;
    let over = |point: &dyn Fn(&LevelMetrics) -> Option<f64>,
                of: &dyn Fn(&Confidence) -> Option<Interval>| {
        let parts = levels.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        let parts =
            parts.map(|(level, weight)| Some((*weight, point(level)?, of(level.confidence.as_ref()?)?)));
        combined(&parts.collect::<Option<Vec<_>>>()?)
    };
    let mean = |of: Option<&Distribution>| of.map(|of| of.mean);
    let percentiles = |point: fn(&LevelMetrics) -> Option<&Distribution>,
                       of: fn(&Confidence) -> &PercentileIntervals| {
        let at = |percentile, interval: fn(&PercentileIntervals) -> Option<Interval>| {
            over(
                &|level| Some(point(level)?.percentile(percentile)),
                &|confidence| interval(of(confidence)),
            )
        };
        PercentileIntervals {
            p50: at(Percentile::P50, |of| of.p50),
            p90: at(Percentile::P90, |of| of.p90),
            p99: at(Percentile::P99, |of| of.p99),
        }
    };
    Some(Confidence {
        blocks,
        ttft: over(&|level| mean(level.scored_ttft()), &|of| of.ttft),
        tpot: over(&|level| mean(level.tpot.as_ref()), &|of| of.tpot),
        latency: over(&|level| mean(level.scored_latency()), &|of| of.latency),
        ttft_percentiles: percentiles(LevelMetrics::scored_ttft, |of| &of.ttft_percentiles),
        latency_percentiles: percentiles(LevelMetrics::scored_latency, |of| &of.latency_percentiles),
        output_tokens: over(&|level| Some(level.rates.output_tokens), &|of| of.output_tokens),
        total_tokens: over(&|level| Some(level.rates.total_tokens), &|of| of.total_tokens),
        requests: over(&|level| Some(level.rates.requests), &|of| of.requests),
        goodput: over(&|level| Some(level.rates.goodput), &|of| of.goodput),
    })
}

/// Weights, points and their intervals.
fn combined(parts: &[(f64, f64, Interval)]) -> Option<Interval> {
    let whole: f64 = parts.iter().map(|(weight, ..)| weight).sum();
    let sum = |of: &dyn Fn(&(f64, f64, Interval)) -> f64| parts.iter().map(of).sum::<f64>();
    let point = sum(&|(weight, point, _)| weight * point) / whole;
    let below = sum(&|(weight, point, of)| (weight * (point - of.low)).powi(2)).sqrt() / whole;
    let above = sum(&|(weight, point, of)| (weight * (of.high - point)).powi(2)).sqrt() / whole;
    (whole > 0.0).then_some(Interval {
        low: point - below,
        high: point + above,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::experiment_metrics;

    fn level(mean: f64, interval: Option<(f64, f64)>) -> LevelMetrics {
        LevelMetrics {
            ttft: Distribution::of(vec![mean], 0),
            confidence: interval.map(|(low, high)| Confidence {
                blocks: 20,
                ttft: Some(Interval { low, high }),
                ..Confidence::default()
            }),
            ..LevelMetrics::default()
        }
    }

    #[test]
    fn errors_of_levels_add_up_in_quadrature() {
        let levels = vec![level(1.0, Some((0.7, 1.3))), level(3.0, Some((2.6, 3.8)))];
        let sure = experiment_metrics(levels.clone(), None, 0)
            .confidence()
            .expect("known");
        let ttft = sure.ttft.expect("an interval");
        // Half of the root of 0.3² + 0.4², and of 0.3² + 0.8².
        assert!((ttft.low - (2.0 - 0.25)).abs() < 1e-9, "{ttft:?}");
        assert!(
            (ttft.high - (2.0 + 0.73_f64.sqrt() / 2.0)).abs() < 1e-9,
            "{ttft:?}"
        );
        assert_eq!((sure.blocks, sure.latency), (20, None));
        // A level that does not count does not err.
        let first = experiment_metrics(levels, Some(&[2.0, 0.0]), 0).confidence();
        let ttft = first.expect("known").ttft.expect("an interval");
        assert!(
            (ttft.low - 0.7).abs() < 1e-9 && (ttft.high - 1.3).abs() < 1e-9,
            "{ttft:?}"
        );
    }

    #[test]
    fn a_level_without_an_interval_leaves_the_experiment_without_it() {
        let levels = vec![level(1.0, Some((0.7, 1.3))), level(3.0, None)];
        let sure = experiment_metrics(levels, None, 0)
            .confidence()
            .expect("one level has");
        assert_eq!(sure.ttft, None);
        assert_eq!(
            experiment_metrics(vec![level(3.0, None)], None, 0).confidence(),
            None
        );
    }
}
