//! Where configurations work, as answers tell it.

use autotuner_core::insight::{Condition, Counts, Feasibility, PairMap, Rule, Span, ValueMap};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What became of experiments, by value. The engine's defaults are not counted, nor what says
/// nothing of a configuration, such as a cancel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FeasibilityView {
    /// All of them.
    all: CountsView,
    /// By the values of each parameter that took several, in the order of the space.
    parameters: Vec<ValueMapView>,
    /// By the values of two parameters: the pairs that tell most of what does not work, the most
    /// first. None where everything works.
    pairs: Vec<PairMapView>,
    /// Rules of one or two values that explain what does not work.
    rules: Vec<RuleView>,
}

/// What became of some experiments.
#[derive(Debug, Serialize, ToSchema)]
struct CountsView {
    /// How many.
    n: usize,
    /// Measured, and every SLO is met.
    good: usize,
    /// Measured, and an SLO is missed.
    missed_slo: usize,
    /// Failed, by kind.
    failed: Vec<KindCountView>,
}

/// How many failed in one way.
#[derive(Debug, Serialize, ToSchema)]
struct KindCountView {
    /// `out_of_memory`, `invalid_candidate`, …
    kind: &'static str,
    /// How many.
    n: usize,
}

/// What became of the values of one parameter.
#[derive(Debug, Serialize, ToSchema)]
struct ValueMapView {
    /// The parameter.
    name: String,
    /// Its values in their order.
    values: Vec<ValueCountsView>,
}

/// What became of one value, or of neighbouring ones.
#[derive(Debug, Serialize, ToSchema)]
struct ValueCountsView {
    /// The value, or the lowest of them; null where the engine decides.
    from: Value,
    /// The highest of them; the same where it is one value.
    to: Value,
    /// What became of it.
    counts: CountsView,
}

/// A value, or neighbouring ones.
#[derive(Debug, Serialize, ToSchema)]
struct SpanView {
    /// The value, or the lowest of them; null where the engine decides.
    from: Value,
    /// The highest of them; the same where it is one value.
    to: Value,
}

/// What became of the values of two parameters.
#[derive(Debug, Serialize, ToSchema)]
struct PairMapView {
    /// One parameter.
    first: String,
    /// Its values in their order.
    first_values: Vec<SpanView>,
    /// The other one.
    second: String,
    /// Its values in their order.
    second_values: Vec<SpanView>,
    /// Where both meet, as far as anything was tried there.
    cells: Vec<CellView>,
}

/// Where two values meet.
#[derive(Debug, Serialize, ToSchema)]
struct CellView {
    /// Which of `first_values`, from 0.
    first: usize,
    /// Which of `second_values`, from 0.
    second: usize,
    /// What became of them.
    counts: CountsView,
}

/// A rule that explains some of what does not work.
#[derive(Debug, Serialize, ToSchema)]
struct RuleView {
    /// The rule in words.
    text: String,
    /// What it explains: a kind of failure, or `missed_slo`.
    outcome: &'static str,
    /// One condition or two; all must hold.
    conditions: Vec<ConditionView>,
    /// How many of the experiments that it names ended so.
    n: usize,
    /// How many it names, of those that came far enough to end so.
    of: usize,
    /// How many of the others ended so.
    n_elsewhere: usize,
    /// How many others there are.
    elsewhere: usize,
    /// Those that it explains, by their numbers inside the run.
    experiment_ids: Vec<u32>,
    /// Other rules that name the very same experiments: nothing here tells them apart.
    alternatives: usize,
}

/// What a rule asks of one parameter.
#[derive(Debug, Serialize, ToSchema)]
struct ConditionView {
    /// The parameter.
    name: String,
    /// `=`, `>=` or `<=`.
    relation: &'static str,
    /// The value; null where the engine decides.
    value: Value,
}

impl FeasibilityView {
    pub(super) fn of(feasibility: Feasibility) -> Self {
        let Feasibility {
            all,
            parameters,
            pairs,
            rules,
        } = feasibility;
        Self {
            all: CountsView::of(&all),
            parameters: parameters.iter().map(ValueMapView::of).collect(),
            pairs: pairs.iter().map(PairMapView::of).collect(),
            rules: rules.iter().map(RuleView::of).collect(),
        }
    }
}

impl CountsView {
    fn of(counts: &Counts) -> Self {
        let kind = |(kind, n): &(autotuner_core::failure::FailureKind, usize)| KindCountView {
            kind: kind.as_str(),
            n: *n,
        };
        Self {
            n: counts.experiments,
            good: counts.good(),
            missed_slo: counts.missed_slo,
            failed: counts.failed.iter().map(kind).collect(),
        }
    }
}

impl SpanView {
    fn of(span: &Span) -> Self {
        Self {
            from: span.from.to_json(),
            to: span.to.to_json(),
        }
    }
}

impl ValueMapView {
    fn of(map: &ValueMap) -> Self {
        let value = |(span, counts): &(Span, Counts)| ValueCountsView {
            from: span.from.to_json(),
            to: span.to.to_json(),
            counts: CountsView::of(counts),
        };
        Self {
            name: map.name.to_string(),
            values: map.values.iter().map(value).collect(),
        }
    }
}

impl PairMapView {
    fn of(map: &PairMap) -> Self {
        let cell = |(first, second, counts): &(usize, usize, Counts)| CellView {
            first: *first,
            second: *second,
            counts: CountsView::of(counts),
        };
        Self {
            first: map.first.0.to_string(),
            first_values: map.first.1.iter().map(SpanView::of).collect(),
            second: map.second.0.to_string(),
            second_values: map.second.1.iter().map(SpanView::of).collect(),
            cells: map.cells.iter().map(cell).collect(),
        }
    }
}

impl RuleView {
    fn of(rule: &Rule) -> Self {
        let condition = |condition: &Condition| ConditionView {
            name: condition.name.to_string(),
            relation: condition.relation.as_str(),
            value: condition.value.to_json(),
        };
        Self {
            text: rule.to_string(),
            outcome: rule.fate.as_str(),
            conditions: rule.conditions.iter().map(condition).collect(),
            n: rule.hits,
            of: rule.of,
            n_elsewhere: rule.hits_elsewhere,
            elsewhere: rule.elsewhere,
            experiment_ids: rule.experiments.iter().map(|number| number.0).collect(),
            alternatives: rule.alternatives,
        }
    }
}
