//! Removes Jobs, services and secrets of ours that no experiment needs any more.
//!
//! Ours are those with the name of our folder of instances. An instance is dead when nobody holds
//! its lock, as everywhere; what is our own and of no live experiment could not be removed before.

use std::time::Duration;

use autotuner_core::serving::ServiceKind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use tokio_util::sync::CancellationToken;

use super::Cluster;
use super::names::{LOADER, OWNER, ROLE};
use crate::docker::names::{EXPERIMENT, INSTANCE, TASK};
use crate::error::whole_story;
use crate::instance::{OwnerState, owner_state};
use crate::{DeployError, SweepReport, Swept, blocking};

/// What is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Job,
    Service(ServiceKind),
    Secret,
}

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
        for (meta, what) in self.left().await? {
            let name = meta.name.clone().unwrap_or_default();
            let removing = async {
                match what {
                    What::Service(kind) => self.remove_service(kind, &name, grace).await,
                    What::Job | What::Secret => self.remove(&name, grace).await,
                }
            };
            let removed = tokio::select! {
                removed = removing => removed,
                () = cancel.cancelled() => return Err(DeployError::Cancelled),
            };
            match removed {
                // The Job of a service holds no engine.
                Ok(()) if what == What::Secret || label(&meta, ROLE) == LOADER => report.already_gone += 1,
                Ok(()) => report.stopped.push(swept(&meta)),
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

    /// Jobs and services of ours that nobody needs, and secrets that are left without one.
    async fn left(&self) -> Result<Vec<(ObjectMeta, What)>, DeployError> {
        let ours = ListParams::default().labels(&format!("{OWNER}={}", self.owner));
        let (jobs, secrets) = (self.reach.jobs(), self.reach.secrets());
        let listed = self.reach.answer("list Jobs", jobs.list(&ours)).await?.items;
        let jobs = listed.into_iter().map(|job| (job.metadata, What::Job));
        let mut found: Vec<(ObjectMeta, What)> = jobs.collect();
        for kind in ServiceKind::ALL {
            let services = self.our_services(kind).await?.into_iter();
            found.extend(services.map(|service| (service.metadata, What::Service(kind))));
        }
        let listed = self
            .reach
            .answer("list secrets", secrets.list(&ours))
            .await?
            .items;
        for secret in listed {
            let name = &secret.metadata.name;
            if !found.iter().any(|(owner, _)| owner.name == *name) {
                found.push((secret.metadata, What::Secret));
            }
        }
        let mut left = Vec::new();
        for (meta, what) in found {
            if self.is_left(&meta).await? {
                left.push((meta, what));
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
