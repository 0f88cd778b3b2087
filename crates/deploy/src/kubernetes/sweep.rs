//! Removes Jobs and secrets of ours that no experiment needs any more.
//!
//! Ours are those with the name of our folder of instances. An instance is dead when nobody holds
//! its lock, as everywhere; what is our own and of no live experiment could not be removed before.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use tokio_util::sync::CancellationToken;

use super::Cluster;
use super::names::OWNER;
use crate::docker::names::{EXPERIMENT, INSTANCE, TASK};
use crate::error::whole_story;
use crate::instance::{OwnerState, owner_state};
use crate::{DeployError, SweepReport, Swept, blocking};

impl Cluster {
    /// Removes what dead processes of ours have left, and what we could not remove ourselves.
    ///
    /// # Errors
    /// The cluster cannot be asked, or it was cancelled.
    pub async fn sweep(
        &self,
        grace: Duration,
        cancel: &CancellationToken,
    ) -> Result<SweepReport, DeployError> {
        let mut report = SweepReport::default();
        for (meta, is_job) in self.left().await? {
            let name = meta.name.clone().unwrap_or_default();
            let removing = self.remove(&name, grace);
            let removed = tokio::select! {
                removed = removing => removed,
                () = cancel.cancelled() => return Err(DeployError::Cancelled),
            };
            match removed {
                Ok(()) if is_job => report.stopped.push(swept(&meta)),
                Ok(()) => report.already_gone += 1,
                Err(error) => report.problems.push(whole_story(&error)),
            }
        }
        Ok(report)
    }

    /// How much there is for a sweep to remove.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    pub async fn leftovers(&self) -> Result<usize, DeployError> {
        Ok(self.left().await?.len())
    }

    /// Jobs of ours that nobody needs, and secrets that are left without one.
    async fn left(&self) -> Result<Vec<(ObjectMeta, bool)>, DeployError> {
        let ours = ListParams::default().labels(&format!("{OWNER}={}", self.owner));
        let (jobs, secrets) = (self.reach.jobs(), self.reach.secrets());
        let listed = self.reach.answer("list Jobs", jobs.list(&ours)).await?.items;
        let mut found: Vec<(ObjectMeta, bool)> = listed.into_iter().map(|job| (job.metadata, true)).collect();
        let listed = self
            .reach
            .answer("list secrets", secrets.list(&ours))
            .await?
            .items;
        for secret in listed {
            let name = &secret.metadata.name;
            if !found.iter().any(|(job, _)| job.name == *name) {
                found.push((secret.metadata, false));
            }
        }
        let mut left = Vec::new();
        for (meta, is_job) in found {
            if self.is_left(&meta).await? {
                left.push((meta, is_job));
            }
        }
        Ok(left)
    }

    /// Whether nobody needs it.
    async fn is_left(&self, meta: &ObjectMeta) -> Result<bool, DeployError> {
        let instance = label(meta, INSTANCE);
        let Some(name) = &meta.name else { return Ok(false) };
        if instance == self.instance.name() {
            return Ok(!self.live().contains(name));
        }
        let instances = self.instance.instances().to_owned();
        let state = blocking(move || owner_state(&instances, &instance)).await?;
        Ok(state == OwnerState::Dead)
    }
}

fn label(meta: &ObjectMeta, name: &str) -> String {
    let labels = meta.labels.as_ref();
    let value = labels.and_then(|labels| labels.get(name));
    value.cloned().unwrap_or_default()
}

fn swept(meta: &ObjectMeta) -> Swept {
    let whole = meta.annotations.as_ref().and_then(|all| all.get(TASK));
    Swept {
        instance: label(meta, INSTANCE),
        task: whole.cloned().unwrap_or_else(|| label(meta, TASK)),
        experiment: label(meta, EXPERIMENT).parse().unwrap_or_default(),
        process_ids: Vec::new(),
        container: meta.name.clone(),
    }
}
