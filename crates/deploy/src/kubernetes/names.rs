//! How our Jobs are called and labelled, in the words that our containers are.
//!
//! The labels decide whose a Job is; the name is for people. A label takes few letters and no
//! path, so folder and task stand whole in annotations.

use std::collections::BTreeMap;

use crate::Label;
use crate::docker::names::{ATTEMPT, DEPLOYMENT, EXPERIMENT, INSTANCE, LOG_FILE, TASK};

/// Whose folder of instances it is: the same for all processes of ours that share one.
pub(crate) const OWNER: &str = "inference-autotuner.owner";

/// What a Job is there for, where it does not hold the engine.
pub(crate) const ROLE: &str = "inference-autotuner.role";

/// A Job that loads an engine which is served elsewhere.
pub(crate) const LOADER: &str = "loader";

/// Longest value of a label.
const LONGEST_VALUE: usize = 63;

/// The longest part of a name that a task's own name may make up. A Job's pods are called like
/// it and six letters more, in 63.
const LONGEST_TASK: usize = 24;

/// How many drawn letters a name holds.
const LONGEST_DRAWN: usize = 10;

/// Whose one Job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whose {
    /// The folder of instances.
    pub(crate) owner: String,
    /// The process of ours.
    pub(crate) instance: String,
    /// A number that no other deployment of its instance has.
    pub(crate) number: u32,
    /// Letters drawn for this Job alone.
    pub(crate) drawn: String,
}

/// All labels of one experiment's Job, pod and secret.
pub(crate) fn labels(whose: &Whose, label: &Label) -> BTreeMap<String, String> {
    [
        (OWNER, whose.owner.clone()),
        (INSTANCE, value(&whose.instance)),
        (DEPLOYMENT, whose.number.to_string()),
        (TASK, value(&label.task)),
        (EXPERIMENT, label.experiment.to_string()),
        (ATTEMPT, label.attempt.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// What labels cannot hold.
pub(crate) fn annotations(label: &Label) -> BTreeMap<String, String> {
    [
        (TASK, label.task.clone()),
        (LOG_FILE, label.log_file.display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// What a Job is called. Processes of ours that know nothing of each other share a namespace, so
/// the name holds letters that nobody else has drawn.
pub(crate) fn job_name(whose: &Whose, label: &Label) -> String {
    let task = dashed(&label.task, LONGEST_TASK);
    format!(
        "at-{task}-{}-e{}",
        dashed(&whose.drawn, LONGEST_DRAWN),
        label.experiment
    )
}

/// What of a text may be the value of a label.
pub(crate) fn value(text: &str) -> String {
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let fit: String = text
        .chars()
        .map(|letter| if is_fit(letter) { letter } else { '-' })
        .take(LONGEST_VALUE)
        .collect();
    fit.trim_matches(['-', '_', '.']).to_owned()
}

/// What of a text may stand in a name: small letters, digits and single dashes.
fn dashed(text: &str, longest: usize) -> String {
    let mut dashed = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            dashed.push(letter);
        } else if !dashed.ends_with('-') {
            dashed.push('-');
        }
        if dashed.len() >= longest {
            break;
        }
    }
    match dashed.trim_matches('-') {
        "" => "task".to_owned(),
        fit => fit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_task_makes_a_name_and_labels_that_a_cluster_takes() {
        let check = |task: &str, name: &str, labelled: &str| {
            let whose = Whose {
                owner: "0a".into(),
                instance: "serve-41-1764468000123".into(),
                number: 7,
                drawn: "0123456789abcdef".into(),
            };
            let label = Label {
                task: task.into(),
                experiment: 12,
                attempt: 2,
                log_file: "/logs/12.log".into(),
            };
            let found = job_name(&whose, &label);
            assert_eq!(found, name);
            assert!(found.len() <= 57, "{found}");
            let labels = labels(&whose, &label);
            assert_eq!(labels[TASK], labelled);
            assert_eq!(labels[EXPERIMENT], "12");
            assert_eq!(annotations(&label)[TASK], task);
        };
        check(
            "Tune Llama 3.1!",
            "at-tune-llama-3-1-0123456789-e12",
            "Tune-Llama-3.1",
        );
        check("模型", "at-task-0123456789-e12", "");
        check(
            &"long ".repeat(50),
            "at-long-long-long-long-long-0123456789-e12",
            "long-long-long-long-long-long-long-long-long-long-long-long-lon",
        );
    }
}
