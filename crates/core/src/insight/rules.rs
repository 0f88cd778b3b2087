//! Rules of one or two parameter values that explain what does not work.
//!
//! A rule divides experiments into those that it names and the others. It explains a kind of
//! failure as far as two shares, one for each side, make what was seen likelier than one share for
//! all (the marginal likelihoods under Jeffreys's prior). Of many rules one always fits by chance:
//! so half of the belief is in rules of one value and half in those of two, shared evenly, and only
//! a rule that is three times as likely as no rule is told. What it explains is set aside, and the
//! next one is looked for.
//!
//! Each kind is judged among those that came far enough: what is refused has not shown whether its
//! memory would do, and only what was measured can miss an SLO.

use std::fmt;

use super::feasibility::{Fate, Told};
use crate::failure::FailureKind;
use crate::ids::ExperimentNumber;
use crate::linear::as_f64;
use crate::space::{Parameter, ParameterName, Value};

/// Most rules for one kind of failure.
const MOST_RULES: usize = 3;

/// Fewest experiments that a rule explains.
const FEWEST: usize = 3;

/// How many times as likely as no rule a rule must be.
const LEAST_ODDS: f64 = 3.0;

/// Most bounds of one parameter that are tried.
const MOST_BOUNDS: usize = 12;

/// A rule that explains some of what does not work.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What it explains.
    pub fate: Fate,
    /// One condition or two, all of which must hold.
    pub conditions: Vec<Condition>,
    /// How many of those that it names have this fate.
    pub hits: usize,
    /// How many it names.
    pub of: usize,
    /// How many of the others have this fate.
    pub hits_elsewhere: usize,
    /// How many others there are.
    pub elsewhere: usize,
    /// Those with this fate that it names.
    pub experiments: Vec<ExperimentNumber>,
    /// How many other rules name the very same experiments: nothing here tells them apart.
    pub alternatives: usize,
}

/// What a rule asks of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Which parameter.
    pub name: ParameterName,
    /// How it stands to the value.
    pub relation: Relation,
    /// The value.
    pub value: Value,
}

/// How a parameter stands to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It has it.
    Is,
    /// It has it, or a larger one.
    AtLeast,
    /// It has it, or a smaller one.
    AtMost,
}

impl Fate {
    /// The word on the wire: a kind of failure's, `missed_slo` or `good`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::MissedSlo => "missed_slo",
            Self::Failed(kind) => kind.as_str(),
        }
    }

    /// What became of it, as the end of a sentence.
    fn words(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::MissedSlo => "missed an SLO",
            Self::Failed(FailureKind::InvalidCandidate) => "refused",
            Self::Failed(FailureKind::OutOfMemory) => "out of memory",
            Self::Failed(FailureKind::EngineCrashed) => "crashed",
            Self::Failed(FailureKind::NotReadyInTime) => "not ready in time",
            Self::Failed(FailureKind::BenchmarkFailed) => "failed under load",
            Self::Failed(kind) => kind.as_str(),
        }
    }

    /// Whether an experiment that ended so came far enough to end in the other way.
    fn could_have_been(self, other: Self) -> bool {
        match other {
            Self::Good | Self::MissedSlo => !matches!(self, Self::Failed(_)),
            Self::Failed(FailureKind::InvalidCandidate) => true,
            Self::Failed(_) => self != Self::Failed(FailureKind::InvalidCandidate),
        }
    }
}

impl Relation {
    /// The sign: `=`, `>=`, `<=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        }
    }
}

/// `kv-cache-dtype=fp8`
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.name, self.relation.as_str(), self.value)
    }
}

/// `kv-cache-dtype=fp8 with attention-backend=x: 5 of 5 refused, 0 of 20 elsewhere`
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        write!(
            f,
            "{}: {} of {} {}",
            named.join(" with "),
            self.hits,
            self.of,
            self.fate.words()
        )?;
        match self.elsewhere {
            0 => Ok(()),
            elsewhere => write!(f, ", {} of {elsewhere} elsewhere", self.hits_elsewhere),
        }
    }
}

/// The rules that explain what does not work in these experiments.
pub(super) fn rules(parameters: &[Parameter], told: &[Told<'_>]) -> Vec<Rule> {
    let kinds = FailureKind::ALL.map(Fate::Failed);
    let kinds = kinds.into_iter().chain([Fate::MissedSlo]);
    let of_kind = |fate: Fate| {
        let is_it = |one: &&Told<'_>| one.fate == fate;
        match told.iter().filter(is_it).count() {
            0..FEWEST => Vec::new(),
            _ => Search::of(parameters, told, fate).rules(),
        }
    };
    kinds.flat_map(of_kind).collect()
}

/// How likely it is to see so many of two sorts in this order, whatever their share: its logarithm.
pub(super) fn evidence(bad: usize, good: usize) -> f64 {
    let halves = |count: usize| (0..count).map(|index| (as_f64(index) + 0.5).ln()).sum::<f64>();
    let all: f64 = (1..=bad + good).map(|index| as_f64(index).ln()).sum();
    halves(bad) + halves(good) - all
}

/// Which experiments, by their places: sixty-four to a word.
#[derive(Debug, Clone, PartialEq)]
struct Set(Vec<u64>);

impl Set {
    fn of(members: impl Iterator<Item = bool>) -> Self {
        let mut words = Vec::new();
        for (index, is_in) in members.enumerate() {
            if index % 64 == 0 {
                words.push(0);
            }
            words[index / 64] |= u64::from(is_in) << (index % 64);
        }
        Self(words)
    }

    fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn count_and(&self, other: &Self) -> usize {
        let words = self.0.iter().zip(&other.0);
        words.map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    fn has(&self, index: usize) -> bool {
        self.0[index / 64] >> (index % 64) & 1 == 1
    }
}

/// A rule while it is looked for: its conditions, and whom they name.
struct Candidate {
    conditions: Vec<usize>,
    named: Set,
}

/// The search for the rules of one kind of failure.
struct Search<'a> {
    fate: Fate,
    told: Vec<Told<'a>>,
    conditions: Vec<(Condition, Set)>,
    hits: Set,
}

impl<'a> Search<'a> {
    fn of(parameters: &[Parameter], told: &[Told<'a>], fate: Fate) -> Self {
        let far_enough = |one: &&Told<'_>| one.fate.could_have_been(fate);
        let told: Vec<Told<'a>> = told.iter().filter(far_enough).copied().collect();
        let conditions = parameters
            .iter()
            .flat_map(|parameter| conditions(parameter, &told));
        Self {
            fate,
            conditions: conditions.collect(),
            hits: Set::of(told.iter().map(|one| one.fate == fate)),
            told,
        }
    }

    /// The rules, the most certain first.
    fn rules(&self) -> Vec<Rule> {
        let candidates = self.candidates();
        let singles = as_f64(self.conditions.len());
        let doubles = as_f64(candidates.len()) - singles;
        let mut left = Set::of(self.told.iter().map(|_| true));
        let mut rules = Vec::new();
        while rules.len() < MOST_RULES {
            let (all, bad) = (left.count(), left.count_and(&self.hits));
            let before = evidence(bad, all - bad);
            let worth = |candidate: &Candidate| {
                let named = candidate.named.and(&left);
                let (of, hits) = (named.count(), named.count_and(&self.hits));
                let is_more = hits >= FEWEST && 2 * hits >= of && hits * all > bad * of;
                let count = match candidate.conditions.len() {
                    1 => singles,
                    _ => doubles,
                };
                is_more.then(|| {
                    let (others, others_bad) = (all - of, bad - hits);
                    evidence(hits, of - hits) + evidence(others_bad, others - others_bad)
                        - before
                        - (2.0 * count).ln()
                })
            };
            let best = candidates
                .iter()
                .filter_map(|candidate| Some((worth(candidate)?, candidate)))
                .reduce(|best, next| if next.0 > best.0 + 1e-9 { next } else { best });
            let Some((_, found)) = best.filter(|(worth, _)| *worth > LEAST_ODDS.ln()) else {
                break;
            };
            let same = candidates.iter().filter(|other| other.named == found.named);
            let same = same.filter(|other| other.conditions.len() == found.conditions.len());
            rules.push(self.told(found, same.count() - 1));
            left = left.without(&found.named);
        }
        rules
    }

    fn told(&self, found: &Candidate, alternatives: usize) -> Rule {
        let (of, hits) = (found.named.count(), found.named.count_and(&self.hits));
        let named = |index: &usize| found.named.has(*index) && self.hits.has(*index);
        let conditions = found
            .conditions
            .iter()
            .map(|index| self.conditions[*index].0.clone());
        Rule {
            fate: self.fate,
            conditions: conditions.collect(),
            hits,
            of,
            hits_elsewhere: self.hits.count() - hits,
            elsewhere: self.told.len() - of,
            experiments: (0..self.told.len())
                .filter(named)
                .map(|index| self.told[index].number)
                .collect(),
            alternatives,
        }
    }

    /// Every rule of one condition, then every one of two conditions on two parameters.
    fn candidates(&self) -> Vec<Candidate> {
        let single = |index: usize| Candidate {
            conditions: vec![index],
            named: self.conditions[index].1.clone(),
        };
        let mut candidates: Vec<Candidate> = (0..self.conditions.len()).map(single).collect();
        for (index, (one, named)) in self.conditions.iter().enumerate() {
            for (other_index, (other, other_named)) in self.conditions.iter().enumerate().skip(index + 1) {
                let both = named.and(other_named);
                let is_narrower = both != *named && both != *other_named;
                if one.name != other.name && is_narrower && both.count() >= FEWEST {
                    candidates.push(Candidate {
                        conditions: vec![index, other_index],
                        named: both,
                    });
                }
            }
        }
        candidates
    }
}

/// Every condition on one parameter; of those that name the same experiments the simplest.
fn conditions(parameter: &Parameter, told: &[Told<'_>]) -> Vec<(Condition, Set)> {
    let value_of = |one: &Told<'_>| one.candidate.get(parameter.name.as_str()).cloned();
    let mut values: Vec<Value> = Vec::new();
    for value in told.iter().filter_map(value_of) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let mut numbers: Vec<(f64, Value)> = values
        .iter()
        .filter_map(|value| Some((value.as_number()?, value.clone())))
        .collect();
    numbers.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let step = numbers.len().div_ceil(MOST_BOUNDS).max(1);
    let bounds = || numbers.iter().step_by(step).map(|(_, value)| value.clone());
    let is_listed = numbers.len() <= MOST_BOUNDS;
    let single = values
        .into_iter()
        .filter(|value| is_listed || value.as_number().is_none());
    let all = (single.map(|value| (Relation::Is, value)))
        .chain(bounds().map(|value| (Relation::AtLeast, value)))
        .chain(bounds().map(|value| (Relation::AtMost, value)));
    let mut known: Vec<(Condition, Set)> = Vec::new();
    for (relation, value) in all {
        let holds = |one: &Told<'_>| {
            let Some(own) = one.candidate.get(parameter.name.as_str()) else {
                return false;
            };
            match (relation, own.as_number(), value.as_number()) {
                (Relation::Is, _, _) => *own == value,
                (Relation::AtLeast, Some(own), Some(bound)) => own >= bound,
                (Relation::AtMost, Some(own), Some(bound)) => own <= bound,
                _ => false,
            }
        };
        let named = Set::of(told.iter().map(holds));
        let is_new = known.iter().all(|(_, other)| *other != named);
        if is_new && (FEWEST..told.len()).contains(&named.count()) {
            let name = parameter.name.clone();
            known.push((
                Condition {
                    name,
                    relation,
                    value,
                },
                named,
            ));
        }
    }
    known
}
