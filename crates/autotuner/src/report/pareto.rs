//! Good compromises between several objectives, for programs and for people.

use autotuner_core::experiment::Experiment;
use autotuner_core::pareto::compromises;
use autotuner_core::score::Objective;
use autotuner_core::task::Task;
use serde_json::{Map, Value, json};

use super::words;

/// Every objective of a task, where there are several; otherwise none.
pub(crate) fn objectives(task: &Task) -> Vec<Objective> {
    let further = &task.search.pareto;
    let first = (!further.is_empty()).then_some(task.search.objective);
    first.into_iter().chain(further.iter().copied()).collect()
}

/// What no other configuration beats in all objectives; null where there are not several.
pub(super) fn front(experiments: &[Experiment], objectives: &[Objective]) -> Value {
    if objectives.is_empty() {
        return Value::Null;
    }
    let front = compromises(experiments, objectives);
    let told = front.iter().map(|compromise| {
        let values = compromise.values.iter().zip(objectives);
        let values: Map<String, Value> = values
            .map(|(value, objective)| (objective.as_str().to_owned(), json!(value)))
            .collect();
        json!({ "experiment_id": compromise.number.0, "values": values })
    });
    told.collect()
}

/// The same as lines of text; nothing where there are not several objectives, or nothing meets the SLOs.
pub(crate) fn lines(task: &Task, experiments: &[Experiment]) -> Option<String> {
    let objectives = objectives(task);
    if objectives.is_empty() {
        return None;
    }
    let front = compromises(experiments, &objectives);
    let line = |compromise: &autotuner_core::pareto::Compromise| {
        let values = compromise.values.iter().zip(&objectives);
        let values: Vec<String> = values
            .map(|(value, objective)| {
                format!(
                    "{} {}",
                    objective.label(),
                    words::objective_value(*objective, *value)
                )
            })
            .collect();
        let of = experiments.iter().find(|each| each.number == compromise.number);
        let candidate = of.map(|each| each.candidate.to_string()).unwrap_or_default();
        format!("  {}: {}  ({candidate})", compromise.number, values.join(", "))
    };
    let lines: Vec<String> = front.iter().map(line).collect();
    (!lines.is_empty()).then(|| {
        format!(
            "Compromises that nothing tried beats in everything:\n{}",
            lines.join("\n")
        )
    })
}
