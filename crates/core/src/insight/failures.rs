//! What failed, by kind, with what to do about it.

use std::collections::BTreeMap;

use super::Finding;
use crate::failure::{Failure, FailureKind, Lesson};
use crate::ids::ExperimentNumber;

/// The failures of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureGroup {
    /// Which kind.
    pub kind: FailureKind,
    /// The experiments that failed so, in their order.
    pub experiments: Vec<ExperimentNumber>,
    /// The advice that most of them carry; of several as frequent the one given first.
    pub advice: Option<String>,
}

/// The failures by kind, the most frequent kind first.
pub(super) fn failures(findings: &[Finding]) -> Vec<FailureGroup> {
    let mut by_kind: BTreeMap<FailureKind, Vec<(ExperimentNumber, &Failure)>> = BTreeMap::new();
    for finding in findings {
        // What was given up works.
        if let Err(failure) = &finding.outcome
            && failure.kind.lesson() != Lesson::Partial
        {
            by_kind
                .entry(failure.kind)
                .or_default()
                .push((finding.number, failure));
        }
    }
    let group = |(kind, failed): (FailureKind, Vec<(ExperimentNumber, &Failure)>)| FailureGroup {
        kind,
        advice: usual_advice(&failed),
        experiments: failed.into_iter().map(|(number, _)| number).collect(),
    };
    let mut groups: Vec<FailureGroup> = by_kind.into_iter().map(group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.experiments.len()));
    groups
}

fn usual_advice(failed: &[(ExperimentNumber, &Failure)]) -> Option<String> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for text in failed.iter().filter_map(|(_, failure)| failure.advice.as_deref()) {
        match counted.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => counted.push((text, 1)),
        }
    }
    // The earliest of equals: `max_by_key` would take the last.
    let most = counted
        .into_iter()
        .reduce(|most, next| if next.1 > most.1 { next } else { most });
    most.map(|(text, _)| text.to_owned())
}
