//! What no other beats in everything: the Pareto front.

use std::collections::HashMap;

use crate::experiment::{Experiment, Measured};
use crate::ids::ExperimentNumber;
use crate::linear::as_f64;
use crate::score::{Objective, objective_value};
use crate::search::Role;
use crate::space::CandidateKey;

/// A good compromise between several objectives: no other configuration is better in one of them
/// without being worse in another.
#[derive(Debug, Clone, PartialEq)]
pub struct Compromise {
    /// The experiment that measured it first.
    pub number: ExperimentNumber,
    /// What each objective looks at, in its own unit, in the order of the objectives; the mean where
    /// it was measured several times.
    pub values: Vec<f64>,
}

/// The configurations that meet every SLO and that none of these beats in all objectives, the best by
/// the first objective first. The engine's defaults are a configuration as well.
pub fn compromises(experiments: &[Experiment], objectives: &[Objective]) -> Vec<Compromise> {
    let mut runs: HashMap<CandidateKey, Vec<&Measured>> = HashMap::new();
    for experiment in experiments {
        if let Some(measured) = experiment.measured() {
            runs.entry(experiment.candidate.key()).or_default().push(measured);
        }
    }
    let firsts = experiments
        .iter()
        .filter(|experiment| experiment.role != Role::Replicate && experiment.measured().is_some());
    let measured: Vec<Compromise> = firsts
        .filter_map(|first| mean(first, runs.get(&first.candidate.key())?, objectives))
        .collect();
    let signed = |compromise: &Compromise| -> Vec<f64> {
        let values = compromise.values.iter().zip(objectives);
        values
            .map(|(value, objective)| if objective.is_maximized() { *value } else { -value })
            .collect()
    };
    let utilities: Vec<Vec<f64>> = measured.iter().map(signed).collect();
    let mut front = front(&utilities);
    front.sort_by(|left, right| utilities[*right][0].total_cmp(&utilities[*left][0]));
    front.into_iter().map(|place| measured[place].clone()).collect()
}

/// The means of a configuration's measurements; nothing unless it met every SLO each time.
fn mean(first: &Experiment, runs: &[&Measured], objectives: &[Objective]) -> Option<Compromise> {
    let is_good = runs.iter().all(|run| run.score.is_feasible());
    is_good.then_some(())?;
    let mean = |objective: &Objective| -> Option<f64> {
        let values = runs
            .iter()
            .map(|run| objective_value(&run.metrics, *objective).ok());
        let values: Vec<f64> = values.collect::<Option<_>>()?;
        Some(values.iter().sum::<f64>() / as_f64(values.len()))
    };
    Some(Compromise {
        number: first.number,
        values: objectives.iter().map(mean).collect::<Option<_>>()?,
    })
}

/// The places of rows that no other row beats: more is better in every column. Of equal rows the
/// first is taken.
pub(crate) fn front(rows: &[Vec<f64>]) -> Vec<usize> {
    let beats = |one: usize, other: usize| {
        let mut pairs = rows[one].iter().zip(&rows[other]);
        let is_as_good = pairs.all(|(one, other)| one >= other);
        is_as_good && (rows[one] != rows[other] || one < other)
    };
    let is_beaten = |place: &usize| (0..rows.len()).any(|other| other != *place && beats(other, *place));
    (0..rows.len()).filter(|place| !is_beaten(place)).collect()
}

#[cfg(test)]
mod tests;
