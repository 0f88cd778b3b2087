//! Where configurations work: for each value, and for each pair of values, how many experiments
//! were good, missed an SLO, or failed, and how.
//!
//! What says nothing of a configuration (a lost worker, a cancel) is not counted, nor are the
//! engine's defaults, which set nothing. Which pair of parameters tells most is judged by how much
//! likelier they make what was seen, each cell with a share of its own (the marginal likelihood
//! under Jeffreys's prior): of two explanations as good, the one with fewer cells.

use super::Finding;
use super::rules::{self, Rule};
use crate::failure::{FailureKind, Lesson};
use crate::ids::ExperimentNumber;
use crate::space::{Candidate, Domain, Parameter, ParameterName, Value};

/// Most values of a number that have a place each.
const MOST_NUMBERS: usize = 8;

/// Places of a number that has more values.
const SPANS: usize = 6;

/// Most pairs that are told of.
const MOST_PAIRS: usize = 6;

/// Where configurations work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feasibility {
    /// All experiments that tell of it.
    pub all: Counts,
    /// Each parameter that took several values, in the space's order.
    pub parameters: Vec<ValueMap>,
    /// The pairs that tell most, the most first; none where everything works.
    pub pairs: Vec<PairMap>,
    /// Rules that explain what does not work, the most certain of each kind first.
    pub rules: Vec<Rule>,
}

/// What became of some experiments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub experiments: usize,
    /// Those with a score that miss an SLO.
    pub missed_slo: usize,
    /// Those that failed, by kind.
    pub failed: Vec<(FailureKind, usize)>,
}

/// The values of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueMap {
    /// Which parameter.
    pub name: ParameterName,
    /// Its values in their order, with what became of them.
    pub values: Vec<(Span, Counts)>,
}

/// The values of two parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct PairMap {
    /// One parameter, and its values in their order.
    pub first: (ParameterName, Vec<Span>),
    /// The other one.
    pub second: (ParameterName, Vec<Span>),
    /// Where both meet, by their places, as far as anything was tried there.
    pub cells: Vec<(usize, usize, Counts)>,
}

/// One value, or all that were tried from one to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The lowest, or the only one.
    pub from: Value,
    /// The highest; the same where it is one value.
    pub to: Value,
}

/// What an experiment tells of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was measured, and meets every SLO.
    Good,
    /// It was measured, and misses one.
    MissedSlo,
    /// It does not work.
    Failed(FailureKind),
}

/// An experiment that tells of its configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub number: ExperimentNumber,
    pub candidate: &'a Candidate,
    pub fate: Fate,
}

/// Where these experiments say that configurations work.
pub(super) fn feasibility(parameters: &[Parameter], findings: &[Finding]) -> Feasibility {
    let told: Vec<Told<'_>> = findings.iter().filter_map(Told::of).collect();
    let scales: Vec<Scale<'_>> = parameters
        .iter()
        .map(|parameter| Scale::of(parameter, &told))
        .filter(|scale| scale.spans.len() > 1)
        .collect();
    Feasibility {
        all: Counts::of(told.iter()),
        parameters: scales.iter().map(|scale| scale.map(&told)).collect(),
        pairs: pairs(&scales, &told),
        rules: rules::rules(parameters, &told),
    }
}

impl<'a> Told<'a> {
    fn of(finding: &'a Finding) -> Option<Self> {
        let fate = match &finding.outcome {
            Ok(score) if score.is_feasible() && score.violations().is_empty() => Fate::Good,
            Ok(_) => Fate::MissedSlo,
            Err(failure) if failure.kind.lesson() == Lesson::KeepAway => Fate::Failed(failure.kind),
            Err(_) => return None,
        };
        (!finding.candidate.is_engine_default()).then_some(Self {
            number: finding.number,
            candidate: &finding.candidate,
            fate,
        })
    }
}

impl Counts {
    fn of<'a, 'b: 'a>(told: impl Iterator<Item = &'a Told<'b>>) -> Self {
        let mut counts = Self::default();
        for one in told {
            counts.experiments += 1;
            match one.fate {
                Fate::Good => {}
                Fate::MissedSlo => counts.missed_slo += 1,
                Fate::Failed(kind) => match counts.failed.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, count)) => *count += 1,
                    None => counts.failed.push((kind, 1)),
                },
            }
        }
        counts.failed.sort();
        counts
    }

    /// How many failed, in whatever way.
    pub fn failures(&self) -> usize {
        self.failed.iter().map(|(_, count)| count).sum()
    }

    /// How many are as they should be.
    pub fn good(&self) -> usize {
        self.experiments - self.missed_slo - self.failures()
    }
}

/// The values of a parameter that were tried, in their order.
struct Scale<'a> {
    name: &'a ParameterName,
    spans: Vec<Span>,
}

impl<'a> Scale<'a> {
    fn of(parameter: &'a Parameter, told: &[Told<'_>]) -> Self {
        let name = &parameter.name;
        let mut values: Vec<&Value> = Vec::new();
        for value in told.iter().filter_map(|one| one.candidate.get(name.as_str())) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let number = |value: &&Value| value.as_number();
        if values.iter().all(|value| number(value).is_some()) {
            values.sort_by(|a, b| {
                number(a)
                    .partial_cmp(&number(b))
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
        } else if let Domain::Choice(listed) = &parameter.domain {
            values.sort_by_key(|value| listed.iter().position(|other| other == *value));
        }
        let are_numbers = values.iter().all(|value| number(value).is_some());
        let per_span = match are_numbers && values.len() > MOST_NUMBERS {
            true => values.len().div_ceil(SPANS),
            false => 1,
        };
        let spans = values.chunks(per_span).filter_map(|span| {
            Some(Span {
                from: (*span.first()?).clone(),
                to: (*span.last()?).clone(),
            })
        });
        Self {
            name,
            spans: spans.collect(),
        }
    }

    /// Where an experiment has its place; nowhere if it does not set the parameter.
    fn place(&self, one: &Told<'_>) -> Option<usize> {
        let value = one.candidate.get(self.name.as_str())?;
        let is_in = |span: &Span| match (span.from.as_number(), value.as_number(), span.to.as_number()) {
            (Some(low), Some(number), Some(high)) => low <= number && number <= high,
            _ => span.from == *value,
        };
        self.spans.iter().position(is_in)
    }

    fn map(&self, told: &[Told<'_>]) -> ValueMap {
        let at = |place: usize| told.iter().filter(move |one| self.place(one) == Some(place));
        let values = self.spans.iter().cloned().enumerate();
        ValueMap {
            name: self.name.clone(),
            values: values
                .map(|(place, span)| (span, Counts::of(at(place))))
                .collect(),
        }
    }
}

/// The pairs that tell most of what does not work.
fn pairs(scales: &[Scale<'_>], told: &[Told<'_>]) -> Vec<PairMap> {
    let all = Counts::of(told.iter());
    if all.good() == all.experiments {
        return Vec::new();
    }
    let mut known: Vec<(f64, PairMap)> = Vec::new();
    for (index, first) in scales.iter().enumerate() {
        for second in &scales[index + 1..] {
            let map = pair(first, second, told);
            known.push((gain(&map), map));
        }
    }
    known.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    known.into_iter().take(MOST_PAIRS).map(|(_, map)| map).collect()
}

fn pair(first: &Scale<'_>, second: &Scale<'_>, told: &[Told<'_>]) -> PairMap {
    let mut groups: Vec<Vec<&Told<'_>>> = vec![Vec::new(); first.spans.len() * second.spans.len()];
    for one in told {
        if let (Some(row), Some(column)) = (first.place(one), second.place(one)) {
            groups[row * second.spans.len() + column].push(one);
        }
    }
    let cells = groups
        .into_iter()
        .enumerate()
        .filter(|(_, group)| !group.is_empty());
    let cells = cells.map(|(index, group)| {
        let (row, column) = (index / second.spans.len(), index % second.spans.len());
        (row, column, Counts::of(group.into_iter()))
    });
    PairMap {
        first: (first.name.clone(), first.spans.clone()),
        second: (second.name.clone(), second.spans.clone()),
        cells: cells.collect(),
    }
}

/// How much likelier a share for each cell makes what was seen than one for all of them.
fn gain(map: &PairMap) -> f64 {
    let parts = map.cells.iter();
    let parts = parts.map(|(_, _, counts)| (counts.experiments - counts.good(), counts.good()));
    let (bad, good) = (parts.clone()).fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let apart: f64 = parts.map(|(bad, good)| rules::evidence(bad, good)).sum();
    apart - rules::evidence(bad, good)
}
