//! Before a task's first experiment: whether we may do what is needed, whether the operator and what
//! the task names of it are there, and whether any node is large enough.

use autotuner_core::engine::{Engine, LaunchPlan};
use autotuner_core::problem::Problem;
use autotuner_core::space::{Candidate, Size};
use autotuner_core::task::Task;
use autotuner_deploy::kubernetes::service::Made;
use autotuner_deploy::kubernetes::{Cluster, Needs, check_affinity};

use super::in_image;
use crate::worker::plan_request;
use crate::worker::preflight::not_there;

/// Most configurations of a space that are looked at for the one that needs the most GPUs.
const MOST_LOOKED_AT: u128 = 5_000;

/// Everything for which each of the task's Jobs would fail.
///
/// # Errors
/// All of it.
pub(crate) async fn check(
    task: &Task,
    engine: &dyn Engine,
    plan: &LaunchPlan,
    cluster: &Cluster,
) -> Result<(), Vec<Problem>> {
    in_image(task, plan).map_err(|problem| vec![problem])?;
    check_affinity(&task.cluster).map_err(|problem| vec![problem])?;
    let away = |error| vec![not_there(task, &error)];
    let service = task.cluster.service.as_ref();
    if let Some(service) = service {
        let problems = cluster.unservable(service).await.map_err(away)?;
        if !problems.is_empty() {
            return Err(problems);
        }
    }
    let operator = service.map(|service| service.kind);
    let problems = cluster.forbidden(operator).await.map_err(away)?;
    if !problems.is_empty() {
        return Err(problems);
    }
    let needs = Needs {
        gpus: most_gpus(task, engine, plan),
        limits: plan.limits,
        node_selector: task.cluster.node_selector.clone(),
    };
    if let Some(problem) = cluster.over_quota(&needs).await.map_err(away)? {
        return Err(vec![problem]);
    }
    if let Some(problem) = cluster.too_small(&needs).await.map_err(away)? {
        return Err(vec![problem]);
    }
    // Last of all: what is made for the whole cluster stays there.
    if let Some(service) = service {
        for Made { what, is_new } in cluster.make_objects(service).await? {
            match is_new {
                true => tracing::info!("made the {what} for the whole cluster"),
                false => tracing::info!("the {what} is there already, and is used as it is"),
            }
        }
    }
    Ok(())
}

/// GPUs of the configuration that needs the most of them, as far as a space can be looked through.
fn most_gpus(task: &Task, engine: &dyn Engine, plan: &LaunchPlan) -> u32 {
    let looked_at = match task.space.size() {
        Size::Finite(size) => size.min(MOST_LOOKED_AT),
        _ => 0,
    };
    let gpus = (0..looked_at)
        .filter_map(|rank| task.space.nth(rank))
        .filter(|candidate| task.space.allows(candidate))
        .filter_map(|candidate: Candidate| engine.plan(&plan_request(task, &candidate)).ok())
        .map(|plan| plan.gpus);
    gpus.chain([plan.gpus]).max().unwrap_or_default()
}
