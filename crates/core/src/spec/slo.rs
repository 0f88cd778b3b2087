//! Service-level objectives: what must hold, and how a miss counts.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::read::{Fields, Node, Words};
use super::rules;
use crate::problem::Problem;
use crate::score::{Percentile, Slo, SloMetric, SloMode, SloPolicy, Statistic};

const USUAL_WEIGHT: f64 = 1.0;
const USUAL_FAIL_RATIO: f64 = 0.5;
const USUAL_STEEPNESS: f64 = 0.1;

/// Bounds on what users feel, in seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SloSpec {
    /// End-to-end latency at percentiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<PercentileBounds>,
    /// Time to first token: its mean, or percentiles of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft: Option<TokenTimeBounds>,
    /// Time per output token: its mean, or percentiles of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpot: Option<TokenTimeBounds>,
    /// How a miss counts; `constraint` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<SloModeWord>,
    /// How fast the penalty of `exponential-v1` grows with the relative miss; 0.1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steepness: Option<f64>,
}

/// One bound for each percentile.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PercentileBounds {
    /// The median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<Bound>,
    /// The ninetieth percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<Bound>,
    /// The ninety-fifth percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<Bound>,
    /// The ninety-ninth percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<Bound>,
}

/// A bound on the mean, written directly, and bounds on percentiles.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TokenTimeBounds {
    /// The bound on the mean.
    #[serde(flatten)]
    pub mean: Option<Bound>,
    /// Bounds on percentiles.
    #[serde(flatten)]
    pub percentiles: PercentileBounds,
}

/// One upper bound. Without a threshold it is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Bound {
    /// The largest value that meets the bound, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Weight of a miss in `exponential-v1`; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Whether a miss by more than `fail_ratio` makes an experiment worthless in
    /// `exponential-v1`; false when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_fail: Option<bool>,
    /// Relative miss above which `hard_fail` strikes; 0.5 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_ratio: Option<f64>,
}

/// The words for how a miss counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum SloModeWord {
    /// Configurations that meet every bound rank first; the objective decides among equals.
    #[serde(rename = "constraint")]
    Constraint,
    /// A miss worsens the score by a penalty that grows exponentially.
    #[serde(rename = "exponential-v1")]
    ExponentialV1,
}

impl Words for SloModeWord {
    const WHAT: &'static str = "SLO mode";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("constraint", Self::Constraint),
        ("exponential-v1", Self::ExponentialV1),
    ];
}

impl Words for Percentile {
    const WHAT: &'static str = "percentile";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("p50", Self::P50),
        ("p90", Self::P90),
        ("p95", Self::P95),
        ("p99", Self::P99),
    ];
}

/// Reads the `slo` object.
pub(super) fn read(node: &Node<'_>) -> Option<SloSpec> {
    node.object(|fields| SloSpec {
        latency: fields.take("latency", |node| node.object(read_percentiles)),
        ttft: fields.take("ttft", read_token_time),
        tpot: fields.take("tpot", read_token_time),
        mode: fields.take("mode", Node::word),
        steepness: fields.take("steepness", Node::real),
    })
}

fn read_percentiles(fields: &mut Fields<'_>) -> PercentileBounds {
    let bound = |node: &Node<'_>| node.object(read_bound);
    PercentileBounds {
        p50: fields.take("p50", bound),
        p90: fields.take("p90", bound),
        p95: fields.take("p95", bound),
        p99: fields.take("p99", bound),
    }
}

fn read_bound(fields: &mut Fields<'_>) -> Bound {
    Bound {
        threshold: fields.take("threshold", Node::real),
        weight: fields.take("weight", Node::real),
        hard_fail: fields.take("hard_fail", Node::flag),
        fail_ratio: fields.take("fail_ratio", Node::real),
    }
}

/// Reads bounds of a token time. `percentile: p90` beside a threshold means the same as a
/// bound below the key `p90`.
fn read_token_time(node: &Node<'_>) -> Option<TokenTimeBounds> {
    node.object(|fields| {
        let has_direct = fields.has_any(&["threshold", "weight", "hard_fail", "fail_ratio", "percentile"]);
        let direct = read_bound(fields);
        let percentile = fields.take("percentile", Node::word::<Percentile>);
        let mut bounds = TokenTimeBounds {
            mean: None,
            percentiles: read_percentiles(fields),
        };
        let Some(percentile) = percentile else {
            bounds.mean = has_direct.then_some(direct);
            return bounds;
        };
        let slot = bounds.percentiles.slot(percentile);
        if slot.is_some() {
            let path = fields.path_of("percentile");
            let problem = Problem::new(path, "this percentile is bounded below its own key too");
            fields
                .findings()
                .report(problem.with_hint("leave one of them away"));
        } else {
            *slot = Some(direct);
        }
        bounds
    })
}

impl PercentileBounds {
    fn slot(&mut self, percentile: Percentile) -> &mut Option<Bound> {
        match percentile {
            Percentile::P50 => &mut self.p50,
            Percentile::P90 => &mut self.p90,
            Percentile::P95 => &mut self.p95,
            Percentile::P99 => &mut self.p99,
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&'static str, Percentile, &Bound)> {
        [
            ("p50", Percentile::P50, &self.p50),
            ("p90", Percentile::P90, &self.p90),
            ("p95", Percentile::P95, &self.p95),
            ("p99", Percentile::P99, &self.p99),
        ]
        .into_iter()
        .filter_map(|(word, percentile, bound)| Some((word, percentile, bound.as_ref()?)))
    }
}

impl SloSpec {
    /// The checked policy.
    pub(super) fn resolve(&self, findings: &Findings) -> SloPolicy {
        let mut bounds = Vec::new();
        for (word, percentile, bound) in self.latency.iter().flat_map(PercentileBounds::entries) {
            let path = format!("slo.latency.{word}");
            bounds.extend(bound.resolve(&path, SloMetric::Latency(percentile), findings));
        }
        if let Some(ttft) = &self.ttft {
            bounds.extend(ttft.resolve("slo.ttft", SloMetric::Ttft, findings));
        }
        if let Some(tpot) = &self.tpot {
            bounds.extend(tpot.resolve("slo.tpot", SloMetric::Tpot, findings));
        }
        let steepness = self.steepness.unwrap_or(USUAL_STEEPNESS);
        rules::positive("slo.steepness", steepness, findings);
        SloPolicy {
            bounds,
            mode: match self.mode.unwrap_or(SloModeWord::Constraint) {
                SloModeWord::Constraint => SloMode::Constraint,
                SloModeWord::ExponentialV1 => SloMode::ExponentialV1 { steepness },
            },
        }
    }
}

impl TokenTimeBounds {
    fn resolve(&self, path: &str, metric: fn(Statistic) -> SloMetric, findings: &Findings) -> Vec<Slo> {
        let mean = self
            .mean
            .and_then(|mean| mean.resolve(path, metric(Statistic::Mean), findings));
        let percentiles = self
            .percentiles
            .entries()
            .filter_map(|(word, percentile, bound)| {
                let path = format!("{path}.{word}");
                bound.resolve(&path, metric(Statistic::At(percentile)), findings)
            });
        mean.into_iter().chain(percentiles).collect()
    }
}

impl Bound {
    fn resolve(&self, path: &str, metric: SloMetric, findings: &Findings) -> Option<Slo> {
        let weight = self.weight.unwrap_or(USUAL_WEIGHT);
        let fail_ratio = self.fail_ratio.unwrap_or(USUAL_FAIL_RATIO);
        rules::positive(&format!("{path}.weight"), weight, findings);
        rules::not_negative(&format!("{path}.fail_ratio"), fail_ratio, findings);
        let Some(threshold) = self.threshold else {
            if !findings.is_spoilt(path) {
                let warning = Problem::new(path, "has no threshold and is ignored");
                findings.warn(warning.with_hint("give a threshold in seconds"));
            }
            return None;
        };
        Some(Slo {
            metric,
            threshold: rules::positive(&format!("{path}.threshold"), threshold, findings),
            weight,
            hard_fail: self.hard_fail.unwrap_or(false),
            fail_ratio,
        })
    }
}
