//! Task documents that come over the network: from a tree of values to what may be kept.
//!
//! The one idea: every way in (create, edit, replace, restart, import, duplicate, check) judges a
//! document alike and tells every problem at once: its shape and rules, its size, marks that stand
//! for no secret, and what who asks may not ask for.

use autotuner_core::problem::Problem;
use autotuner_core::search::StrategyKind;
use autotuner_core::space::{Domain, Size, Value as Setting};
use autotuner_core::spec::{Parsed, TaskSpec};
use autotuner_core::task::Task;
use autotuner_store::{NewTask, Role};
use serde_json::Value;

use super::error::ApiError;
use super::extract::Written;
use super::views::hidden;
use crate::report::words::counted;
use crate::service::access::Caller;
use crate::service::permits::{self, Permits};

/// Experiments that one task may plan.
const MOST_EXPERIMENTS: u32 = 10_000;

/// Values that one parameter may list.
const MOST_VALUES: usize = 10_000;

/// 2 to the power of 64.
const FIRST_TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;

/// A document that may be kept.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) spec: TaskSpec,
    pub(super) task: Task,
    pub(super) warnings: Vec<Problem>,
}

/// Who hands in a document, and what they may ask for.
pub(super) struct Author<'a> {
    pub(super) role: Role,
    pub(super) permits: &'a Permits,
}

impl Draft {
    /// What is kept of it.
    pub(super) fn record(&self) -> NewTask {
        let Self { spec, task, .. } = self;
        let document = spec.to_value();
        NewTask {
            name: task.name.clone(),
            description: task.description.clone(),
            base_runtime: spec.base_runtime.clone(),
            deployment_mode: task.deployment.as_str().to_owned(),
            slo: document.get("slo").cloned(),
            document,
            max_iterations: task.search.max_iterations,
        }
    }
}

/// Reads the document in a body. `kept` is the one that it takes the place of: what is not shown
/// of it stays.
///
/// # Errors
/// 422 with every problem.
pub(super) fn read(
    body: &Written,
    kept: Option<&Value>,
    caller: &Caller,
    permits: &Permits,
) -> Result<Draft, ApiError> {
    let author = Author {
        role: caller.role,
        permits,
    };
    let (tree, problems) = body.tree()?;
    draft(&tree, problems, kept, &author).map_err(refused)
}

/// Judges a tree of which `problems` are known already.
///
/// # Errors
/// Every problem.
pub(super) fn draft(
    tree: &Value,
    mut problems: Vec<Problem>,
    kept: Option<&Value>,
    author: &Author<'_>,
) -> Result<Draft, Vec<Problem>> {
    let parsed = TaskSpec::from_value(tree);
    if !problems.is_empty() {
        problems.extend(parsed.err().into_iter().flatten());
        return Err(problems);
    }
    let Parsed { mut spec, warnings } = parsed?;
    let mut document = spec.to_value();
    hidden::restore(&mut document, kept)?;
    if document != spec.to_value() {
        spec = TaskSpec::from_value(&document)?.spec;
    }
    let task = spec.resolve()?;
    problems.extend(too_large(&task));
    problems.extend(permits::check(&spec, &task, author.role, author.permits));
    if problems.is_empty() {
        Ok(Draft { spec, task, warnings })
    } else {
        Err(problems)
    }
}

/// 422 with every problem; the text names the first, for who shows nothing else.
pub(super) fn refused(problems: Vec<Problem>) -> ApiError {
    let text = match problems.as_slice() {
        [only] => format!("The task document has a problem: {only}"),
        [first, rest @ ..] => format!(
            "The task document has {}: {first} (and {} more)",
            counted(problems.len() as u128, "problem"),
            rest.len()
        ),
        [] => "The task document cannot be used".to_owned(),
    };
    ApiError::problems(text, problems)
}

/// How many experiments a task plans at most, the engine's defaults and repetitions included.
pub(super) fn planned(task: &Task) -> u32 {
    let beside = task.most_replicates().saturating_add(1);
    searched(task).saturating_add(beside)
}

/// How many configurations a task tries at most.
fn searched(task: &Task) -> u32 {
    match task.space.size() {
        Size::Finite(size) => u32::try_from(size)
            .unwrap_or(u32::MAX)
            .min(task.search.max_iterations),
        Size::Infinite => task.search.max_iterations,
    }
}

/// A number above all whole ones that can be told: what a reader makes of a hundred digits.
fn too_long(value: &Setting) -> Option<f64> {
    match value {
        Setting::Float(number) if number.abs() >= FIRST_TOO_LARGE => Some(*number),
        _ => None,
    }
}

fn too_large(task: &Task) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let count = searched(task);
    if count > MOST_EXPERIMENTS {
        let message = format!("{count} experiments are planned; a task has {MOST_EXPERIMENTS} at most");
        let hint = match task.search.strategy {
            StrategyKind::Grid => "lower it, or list fewer values",
            _ => "lower it",
        };
        problems.push(Problem::new("optimization.max_iterations", message).with_hint(hint));
    }
    for parameter in task.space.parameters() {
        let Domain::Choice(values) = &parameter.domain else {
            continue;
        };
        let path = format!("parameters.{}", parameter.name);
        if values.len() > MOST_VALUES {
            let message = format!("lists {} values; {MOST_VALUES} at most", values.len());
            let problem = Problem::new(path, message);
            problems.push(problem.with_hint("describe them as a range"));
        } else if let Some(number) = values.iter().find_map(too_long) {
            let message = format!("lists {number:e}, which is too large a number for any engine");
            problems.push(Problem::new(path, message));
        }
    }
    problems
}
