//! Experiments in a cluster: from a plan to a Job, whose agent does the rest, or to a service of an
//! operator, which an agent only loads.
//!
//! What is settled here is what only a cluster needs: which program of an image becomes the engine,
//! and for how long a Job may live.

mod hearing;
pub(crate) mod preflight;
mod remote;
mod served;

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{EngineKind, LaunchPlan, Program};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::problem::Problem;
use autotuner_core::task::{DeploymentMode, Task};
use autotuner_deploy::Label;
use autotuner_deploy::gpu::Sampled;
use autotuner_deploy::kubernetes::{Cluster, JobOrder, nonce};

use super::explain::not_deployed;
use super::{Event, Worker};
use crate::agent::order::{Heading, Order};
use crate::fault::{FaultPoint, around};

pub(super) use remote::Remote;
pub(super) use served::{Served, start as serve};

/// Longer than a Job may wait for its node, its images and its container: what ends one that
/// nobody hears any more.
const BEFORE_START: Duration = Duration::from_secs(2 * 3600);

/// Longer than an agent needs beside starting and loading its engine.
const BESIDE: Duration = Duration::from_secs(300);

/// Which program of its image becomes the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InImage {
    /// The image.
    pub(crate) reference: String,
    /// The program; `None` for the agent's own, which is the simulated engine too.
    pub(crate) program: Option<String>,
    /// What its arguments begin with.
    pub(crate) first: Vec<String>,
}

/// Which program a plan starts in its image.
///
/// # Errors
/// Nobody says which.
pub(crate) fn in_image(task: &Task, plan: &LaunchPlan) -> Result<InImage, Problem> {
    let Program::Image {
        reference,
        entrypoint,
    } = &plan.program
    else {
        return Err(Problem::new("engine.image", "a cluster needs an image"));
    };
    let named = entrypoint.as_deref().and_then(<[String]>::split_first);
    let (program, first) = match (named, &task.settings.program) {
        (Some((program, first)), _) => (Some(program.clone()), first.to_vec()),
        (None, Some(program)) => (Some(program.clone()), Vec::new()),
        (None, None) if task.engine == EngineKind::Sim || is_images_own(task) => (None, Vec::new()),
        (None, None) => {
            let message = "the pod's command is ours to say, so the engine's program must be known";
            return Err(Problem::new("engine.program", message)
                .with_hint("name the program inside of the image, which its own entrypoint starts"));
        }
    };
    Ok(InImage {
        reference: reference.clone(),
        program,
        first,
    })
}

/// Whether the pod's command is its image's: an operator runs the engine, with no runtime that has a
/// command of its own.
fn is_images_own(task: &Task) -> bool {
    let service = task.cluster.service.as_ref();
    service.is_some_and(|service| service.runtime.is_none())
}

/// Makes an experiment's Job and waits until its agent has started the engine.
///
/// # Errors
/// Whatever kept it from that; nothing runs then.
pub(super) async fn start(
    worker: &Arc<Worker>,
    cluster: &Arc<Cluster>,
    number: ExperimentNumber,
    plan: &LaunchPlan,
    label: &Label,
) -> Result<Remote, Failure> {
    if worker.stop.tokens.soft.is_cancelled() {
        return Err(Failure::new(
            FailureKind::Cancelled,
            "cancelled before the engine was started",
        ));
    }
    let infrastructure = |error| not_deployed(&error);
    let nonce = nonce().map_err(infrastructure)?;
    let engine = in_image(&worker.task, plan)
        .map_err(|problem| Failure::new(FailureKind::InvalidCandidate, problem.to_string()))?;
    let order = job_order(worker, plan, label, &engine, &nonce);
    let starting = cluster.start(&order, &nonce);
    let run = around(FaultPoint::Launch, starting)
        .await
        .map_err(infrastructure)?;
    let remote = Remote::hear(Arc::clone(cluster), number, run, label, engine.reference);
    let launched = remote.launched(worker).await;
    worker.reporter.report(Event::Waiting { number, what: None });
    match launched {
        Ok(remote) => Ok(remote),
        Err((remote, failure)) => Err(remote.give_up(worker, failure).await),
    }
}

/// Which experiment an agent is told of.
fn heading(worker: &Worker, label: &Label, nonce: &str) -> Heading {
    Heading {
        nonce: nonce.to_owned(),
        experiment: label.experiment,
        attempt: label.attempt,
        document: worker.document.clone(),
        stop_grace: worker.stop_grace,
    }
}

fn job_order(worker: &Worker, plan: &LaunchPlan, label: &Label, engine: &InImage, nonce: &str) -> JobOrder {
    let heading = heading(worker, label, nonce);
    let told = Order::new(heading, plan, engine.program.clone(), &engine.first);
    JobOrder {
        label: label.clone(),
        image: engine.reference.clone(),
        // A tree of texts and numbers can always be written.
        order: serde_json::to_vec(&told).unwrap_or_default(),
        gpus: plan.gpus,
        limits: plan.limits,
        settings: worker.task.cluster.clone(),
        deadline: BEFORE_START + plan.start_timeout + worker.task.search.timeout_per_iteration + BESIDE,
        grace: worker.stop_grace,
        is_loader: false,
    }
}

/// What is said of GPUs that nobody watches.
pub(super) fn not_sampled(plan: &LaunchPlan) -> Sampled {
    let note = "the GPUs were not watched: an agent in a cluster does not do that yet";
    Sampled {
        uses: Vec::new(),
        note: (plan.gpus > 0).then(|| note.to_owned()),
    }
}

/// What a task for a cluster asks for that a cluster cannot do, and what a task for another target
/// asks of a cluster.
pub(crate) fn misplaced(task: &Task) -> Vec<Problem> {
    let mut problems = Vec::new();
    if task.deployment == DeploymentMode::Kubernetes {
        if task.workload.sources.dataset.is_some() || task.workload.sources.trace.is_some() {
            let message = "data sets and traces cannot be sent to a cluster yet";
            problems.push(
                Problem::new("benchmark", message).with_hint("use generated prompts, or docker or local"),
            );
        }
    } else {
        let hint = "leave it out, or use deployment_mode: kubernetes";
        if task.cluster.claim.is_some() {
            let message = "is a volume of a Kubernetes cluster, and the engine runs elsewhere";
            problems.push(Problem::new("storage", message).with_hint(hint));
        }
        if let Some(service) = &task.cluster.service {
            let asked_by = service.objects.first().map(|object| object.kind.key());
            let path = asked_by.unwrap_or("kubernetes.service");
            let message = "asks for a service of a Kubernetes cluster, and the engine runs elsewhere";
            problems.push(Problem::new(path, message).with_hint(hint));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::space::Candidate;
    use autotuner_core::spec::TaskSpec;
    use serde_json::{Value, json};

    fn check(engine: &str, settings: Value, expected: Result<(&str, Option<&str>, &[&str]), &str>) {
        let task = TaskSpec::from_value(&json!({
            "task_name": "t",
            "deployment_mode": "kubernetes",
            "base_runtime": engine,
            "model": { "id_or_path": "org/model" },
            "parameters": {},
            "optimization": {},
            "benchmark": {},
            "engine": settings,
        }));
        let task = task.and_then(|parsed| parsed.spec.resolve()).expect("sound");
        let candidate = Candidate::engine_default();
        let request = crate::worker::plan_request(&task, &candidate);
        let plan = task.engine.engine().plan(&request).expect("a plan");
        let found = in_image(&task, &plan);
        match (found, expected) {
            (Ok(found), Ok((reference, program, first))) => {
                assert!(found.reference.starts_with(reference), "{found:?}");
                assert_eq!(found.program.as_deref(), program);
                assert_eq!(found.first, first);
            }
            (Err(problem), Err(path)) => assert_eq!(problem.path, path),
            (found, expected) => panic!("{found:?} and not {expected:?}"),
        }
    }

    #[test]
    fn the_program_in_an_image_is_the_engines_the_tasks_or_our_own() {
        check(
            "vllm",
            json!({}),
            Ok(("vllm/vllm-openai", Some("vllm"), &["serve"])),
        );
        check(
            "sim",
            json!({}),
            Ok(("inference-autotuner/sim-engine", None, &[])),
        );
        let args = json!(["--port", "{port}"]);
        check(
            "custom",
            json!({ "image": "own/image:1", "program": "/bin/serve", "args": args }),
            Ok(("own/image:1", Some("/bin/serve"), &[])),
        );
        check(
            "custom",
            json!({ "image": "own/image:1", "args": args }),
            Err("engine.program"),
        );
    }
}
