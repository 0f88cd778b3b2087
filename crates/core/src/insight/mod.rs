//! What a run says of its parameters and of its failures.
//!
//! Each question is answered by a file: which parameters make experiments be among the best
//! (`importance.rs`, on the places that `axis.rs` gives to values), which move the objective, alone
//! and in pairs (`variance.rs`, with a model of `features.rs` that `posterior.rs` draws from), how
//! the score lies over each of them (`slices.rs`), what failed and what to do about it
//! (`failures.rs`), where configurations work (`feasibility.rs`) and which values explain where
//! they do not (`rules.rs`). It is for people: no strategy reads it.

mod axis;
mod eigen;
mod failures;
mod feasibility;
mod features;
mod importance;
mod posterior;
mod rules;
mod slices;
#[cfg(test)]
mod tests;
mod variance;

pub use failures::FailureGroup;
pub use feasibility::{Counts, Fate, Feasibility, PairMap, Span, ValueMap};
pub use importance::Importance;
pub use rules::{Condition, Relation, Rule};
pub use slices::{Group, Kind, Point, Slice};
pub use variance::{Effect, Interaction, Share, Variance};

use crate::failure::Failure;
use crate::ids::ExperimentNumber;
use crate::score::Score;
use crate::space::{Candidate, Domain, Parameter, ParameterName, Value};

/// Experiments below which nothing is said of importance: a best quarter of fewer is one or two.
pub const FEWEST: usize = 8;

/// One experiment that has ended, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its number inside the run.
    pub number: ExperimentNumber,
    /// What was tried.
    pub candidate: Candidate,
    /// What came of it.
    pub outcome: Result<Score, Failure>,
}

/// What a run says of its parameters and of its failures.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight {
    /// Experiments with a score and with parameters; the engine's defaults set none.
    pub used: usize,
    /// Which parameters matter, most first; none while too little is known.
    pub parameters: Vec<Importance>,
    /// Which parameters move the objective, alone and together.
    pub variance: Variance,
    /// The scores over each parameter, in the space's order.
    pub slices: Vec<Slice>,
    /// What failed, the most frequent kind first.
    pub failures: Vec<FailureGroup>,
    /// Where configurations work, and where not.
    pub feasibility: Feasibility,
    /// What a reader should know of it, for people.
    pub note: Option<String>,
}

/// An experiment that has a score and sets parameters.
#[derive(Debug, Clone, Copy)]
struct Scored<'a> {
    number: ExperimentNumber,
    candidate: &'a Candidate,
    score: &'a Score,
}

/// What these experiments of one run say of the parameters of its space.
pub fn insight(parameters: &[Parameter], findings: &[Finding]) -> Insight {
    let scored: Vec<Scored<'_>> = findings.iter().filter_map(scored).collect();
    let (importance, note) = match FEWEST.saturating_sub(scored.len()) {
        0 => importance::importance(parameters, &scored),
        missing => (Vec::new(), Some(too_few(scored.len(), missing))),
    };
    Insight {
        used: scored.len(),
        parameters: importance,
        variance: variance::variance(parameters, &scored),
        slices: slices::slices(parameters, &scored),
        failures: failures::failures(findings),
        feasibility: feasibility::feasibility(parameters, findings),
        note,
    }
}

/// The parameters that these experiments have set, each as a list of the values that were tried:
/// where there is no space to ask.
pub fn seen_parameters(findings: &[Finding]) -> Vec<Parameter> {
    let mut seen: Vec<(ParameterName, Vec<Value>)> = Vec::new();
    for (name, value) in findings.iter().flat_map(|finding| finding.candidate.iter()) {
        let known = seen
            .iter()
            .position(|(other, _)| other.canonical() == name.canonical());
        match known {
            None => seen.push((name.clone(), vec![value.clone()])),
            Some(index) if !seen[index].1.contains(value) => seen[index].1.push(value.clone()),
            Some(_) => {}
        }
    }
    let parameter = |(name, values)| Parameter {
        name,
        domain: Domain::Choice(values),
    };
    seen.into_iter().map(parameter).collect()
}

fn scored(finding: &Finding) -> Option<Scored<'_>> {
    let score = finding.outcome.as_ref().ok()?;
    let sets_something = !finding.candidate.is_engine_default();
    sets_something.then_some(Scored {
        number: finding.number,
        candidate: &finding.candidate,
        score,
    })
}

fn too_few(scored: usize, missing: usize) -> String {
    let (are, needed) = (plural(scored), plural(missing));
    let verb = if missing == 1 { "is" } else { "are" };
    format!(
        "{scored} experiment{are} with parameters scored so far; {missing} more scored experiment{needed} \
         {verb} needed to tell which parameters matter"
    )
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
