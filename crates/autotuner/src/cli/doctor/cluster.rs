//! The cluster that tasks may run in: whether there is one, whether it answers, what we may do
//! there, and what dead runs of ours have left in it.

use std::time::Duration;

use autotuner_deploy::kubernetes::{Cluster, Reach};
use autotuner_deploy::{DeployError, SweepReport};
use tokio::time::timeout;

use super::super::{Refusal, runtime};
use super::{Check, State};
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::targets::{claim, cluster, has_used_cluster};
use crate::worker::chain;

/// Longest time that a cluster may take to say all that is asked here.
const PATIENCE: Duration = Duration::from_secs(15);

/// How the cluster is.
pub(super) fn check(config: &Config) -> Result<Check, Refusal> {
    const WHAT: &str = "Kubernetes";
    let whereabouts = config.kubernetes.whereabouts.clone();
    if !whereabouts.is_known() {
        return Ok(Check::new(
            WHAT,
            State::Good,
            "no cluster is configured, and none is needed",
        ));
    }
    let by = match &whereabouts.kubeconfig {
        Some(path) => format!("by {}", path.display()),
        None => "by the account of our own pod".to_owned(),
    };
    let asking = async {
        let reach = Reach::read(whereabouts).await?;
        let version = reach.version().await?;
        let missing = reach.missing_rights(None).await?;
        let place = format!(
            "{version} at {}, namespace {}, {by}",
            reach.server(),
            reach.namespace()
        );
        Ok::<_, DeployError>((place, missing))
    };
    Ok(
        match runtime()?.block_on(async { timeout(PATIENCE, asking).await }) {
            Ok(Ok((place, missing))) if missing.is_empty() => Check::new(WHAT, State::Good, place),
            Ok(Ok((place, missing))) => {
                let found = format!("{place}; we may not {}", missing.join(", "));
                Check::new(WHAT, State::Noted, found).with_next_step(
                    "for deployment_mode: kubernetes, give the account the Role of docs/kubernetes.md",
                )
            }
            Ok(Err(error)) => away(WHAT, &chain(&error)),
            Err(_) => {
                let message = format!(
                    "the cluster named {by} has not answered within {} s",
                    PATIENCE.as_secs()
                );
                away(WHAT, &message)
            }
        },
    )
}

fn away(what: &'static str, found: &str) -> Check {
    Check::new(what, State::Noted, found).with_next_step(
        "for deployment_mode: kubernetes, name another kubeconfig with kubernetes_config or KUBECONFIG",
    )
}

/// How many Jobs and secrets dead runs of ours have left there; none where we never made any.
pub(super) fn left_behind(config: &Config) -> Result<usize, Refusal> {
    let counting = async {
        let cluster = used(config, "doctor").await?;
        cluster.leftovers().await.ok()
    };
    let counted = runtime()?.block_on(async { timeout(PATIENCE, counting).await });
    Ok(counted.ok().flatten().unwrap_or_default())
}

/// Removes what dead runs of ours have left there.
pub(super) async fn sweep(config: &Config, shutdown: &Shutdown, report: &mut SweepReport) {
    let Some(cluster) = used(config, "sweep").await else {
        return;
    };
    match cluster.sweep(config.stop_grace, &shutdown.soft).await {
        Ok(found) => report.merge(found),
        // Whoever asks for a sweep must hear that a part of it was not done.
        Err(error) => report.problems.push(chain(&error)),
    }
}

/// The cluster, where anything of ours may be in it.
async fn used(config: &Config, purpose: &str) -> Option<Cluster> {
    if !has_used_cluster(config) || !config.kubernetes.whereabouts.is_known() {
        return None;
    }
    let instance = claim(config, purpose).ok()?;
    cluster(config, instance).await.ok()
}
