//! What would come of a task document, without keeping it.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{EngineKind, LaunchPlan};
use autotuner_core::problem::Problem;
use autotuner_core::space::{Candidate, Size};
use autotuner_core::task::Task;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::documents::{Author, Draft, draft, planned};
use crate::api::error::{ApiError, ErrorBody, ProblemBody};
use crate::api::extract::{Viewer, Written};
use crate::api::openapi::TaskDocument;
use crate::config::Config;
use crate::report::command;
use crate::report::package::Containers;
use crate::service::Service;
use crate::service::permits::Permits;
use crate::worker::plan_request;
use crate::worker::preflight::cannot_run_yet;

/// Points of a space that are looked at for one that its constraints allow.
const MOST_LOOKED_AT: u128 = 10_000;

/// What a document would come to.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Checked {
    /// Everything that is wrong with it; empty for a document that can be kept.
    problems: Vec<ProblemBody>,
    /// What is accepted but worth saying, and what would keep the task from being started.
    warnings: Vec<ProblemBody>,
    /// How many configurations the space has; nothing where they are endless or too many to say.
    space_size: Option<u64>,
    /// How many experiments are planned at most, the engine's defaults included.
    experiments: Option<u32>,
    /// How long they may take at most, by a rough guess, seconds.
    estimated_seconds: Option<f64>,
    /// The command line of the first configuration of the space.
    first_command: Option<String>,
    /// The command line of the engine's defaults, which are measured first.
    baseline_command: Option<String>,
}

/// Check a task document
///
/// Nothing is kept. A document with problems is answered with 200 and its problems.
#[utoipa::path(post, path = "/api/tasks/check", tag = "tasks",
    request_body(content = TaskDocument, description = "A task document, as JSON or YAML"),
    responses(
        (status = 200, body = Checked),
        (status = 422, body = ErrorBody, description = "The body is no text"),
    ))]
pub(super) async fn check_task(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    body: Written,
) -> Result<Json<Checked>, ApiError> {
    let permits = Permits::of(&service.config);
    let author = Author {
        role: caller.role,
        permits: &permits,
    };
    let judged = match autotuner_core::spec::tree(&body.text, body.format) {
        // What is not shown of a task that exists is no problem of its document.
        Ok((tree, problems)) => draft(&tree, problems, Some(&tree), &author),
        Err(problems) => Err(problems),
    };
    Ok(Json(match judged {
        Ok(draft) => sound(draft, &service.config),
        Err(problems) => Checked {
            problems: bodies(problems),
            ..Checked::default()
        },
    }))
}

fn sound(draft: Draft, config: &Config) -> Checked {
    let Draft {
        task, mut warnings, ..
    } = draft;
    warnings.extend(cannot_run_yet(&task));
    let containers = Containers {
        shm_bytes: config.container_shm,
        hub_cache: config.hub_cache.clone(),
    };
    let engine = task.engine.engine();
    let mut command = |candidate: &Candidate| match engine.plan(&plan_request(&task, candidate)) {
        Ok(plan) => Some((command::planned(&plan, &containers), plan)),
        Err(problems) => {
            for problem in problems {
                if !warnings.contains(&problem) {
                    warnings.push(problem);
                }
            }
            None
        }
    };
    let baseline = command(&Candidate::engine_default());
    let first = first(&task).and_then(|candidate| command(&candidate));
    let start = baseline
        .as_ref()
        .or(first.as_ref())
        .map(|(_, plan)| start_guess(&task, plan));
    Checked {
        problems: Vec::new(),
        space_size: match task.space.size() {
            Size::Finite(size) => u64::try_from(size).ok(),
            Size::Infinite => None,
        },
        experiments: Some(planned(&task)),
        estimated_seconds: start.map(|start| estimate(&task, start)),
        first_command: first.or_else(|| baseline.clone()).map(|(line, _)| line),
        baseline_command: baseline.map(|(line, _)| line),
        warnings: bodies(warnings),
    }
}

fn bodies(problems: Vec<Problem>) -> Vec<ProblemBody> {
    problems.into_iter().map(ProblemBody::from).collect()
}

/// The first configuration that the constraints allow, where there is one among the first ones.
fn first(task: &Task) -> Option<Candidate> {
    if task.space.parameters().is_empty() {
        return None;
    }
    match task.space.size() {
        Size::Finite(size) => (0..size.min(MOST_LOOKED_AT))
            .filter_map(|rank| task.space.nth(rank))
            .find(|candidate| task.space.allows(candidate)),
        Size::Infinite => {
            let candidate = task.space.at(task.space.parameters().iter().map(|_| 0.0));
            task.space.allows(&candidate).then_some(candidate)
        }
    }
}

/// How long an engine commonly takes to be ready: all that is known before one was started.
fn start_guess(task: &Task, plan: &LaunchPlan) -> Duration {
    let usual = Duration::from_secs(match task.engine {
        EngineKind::Sim => 2,
        EngineKind::LlamaCpp => 15,
        EngineKind::Custom => 30,
        EngineKind::Vllm | EngineKind::Sglang => 120,
        EngineKind::TensorRtLlm => 240,
    });
    usual.min(plan.start_timeout)
}

/// Every experiment starts its engine and measures every level for as long as one may, within its
/// own limit; those that may run at once do.
fn estimate(task: &Task, start: Duration) -> f64 {
    let levels = u32::try_from(task.workload.level_count()).unwrap_or(u32::MAX);
    let measuring = task
        .workload
        .max_time_per_level
        .saturating_mul(levels)
        .min(task.search.timeout_per_iteration);
    let rounds = planned(task).div_ceil(task.search.max_parallel_experiments.max(1));
    (start.as_secs_f64() + measuring.as_secs_f64()) * f64::from(rounds)
}
