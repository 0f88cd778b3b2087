//! Experiments that an operator of the cluster serves: one `InferenceService` each.
//!
//! The one idea: the operator is asked for the engine, and believed in nothing that can be seen
//! otherwise. What was asked for (`manifest`) is applied under a name of our own; its status
//! (`conditions`) says when it is ready and where; its pods say whether they run what was asked for
//! (`asked`) and how they fare (`attend`); their output is copied from the cluster (`log`). It is
//! removed with all that belongs to it, and swept by label as Jobs are. `access` is what we may do
//! and whether what a task names is there, `objects` what is made for the whole cluster.

mod access;
mod asked;
mod attend;
mod conditions;
mod log;
mod manifest;
mod objects;

use std::collections::HashSet;
use std::time::Duration;

use autotuner_core::serving::{Service, ServiceKind};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Cluster;
use super::attend::JobRun;
use super::names::{self, OWNER, Whose};
use super::remove::{PATIENCE, PAUSE};
use crate::DeployError;
use access::Named;
use asked::Asked;
pub use attend::{Patience, Serving, Trouble};
use log::LogCopy;
pub use manifest::{HOST, PORT, ServiceOrder};
use manifest::{References, VERSION};
pub use objects::Made;

/// By what name the cluster knows who has said which field.
const FIELD_MANAGER: &str = "inference-autotuner";

/// An experiment's service. Dropped, it goes on, and its output is copied no more.
pub struct ServiceRun {
    cluster: Cluster,
    name: String,
    kind: ServiceKind,
    asked: Asked,
    log: LogCopy,
}

impl ServiceRun {
    /// What the service is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets the service go with the Job that loads it: a Job ends by itself where nobody comes back,
    /// and a service does not.
    ///
    /// # Errors
    /// The cluster would not have it.
    pub async fn tie_to(&self, job: &JobRun) -> Result<(), DeployError> {
        let owner = json!({ "metadata": { "ownerReferences": [{
            "apiVersion": "batch/v1", "kind": "Job", "name": job.name(), "uid": job.uid(),
        }] } });
        let services = self.cluster.services(self.kind);
        let (how, patch) = (PatchParams::default(), Patch::Merge(&owner));
        let tying = services.patch(&self.name, &how, &patch);
        self.cluster
            .reach
            .answer("tie a service to its Job", tying)
            .await?;
        Ok(())
    }

    /// Removes the service with all that belongs to it, and waits until its pods are gone and what
    /// they have printed is copied.
    ///
    /// # Errors
    /// It is still there, or the cluster does not answer.
    pub async fn end(&self, grace: Duration) -> Result<(), DeployError> {
        let removed = self.cluster.remove_service(self.kind, &self.name, grace).await;
        self.log.finish().await;
        removed
    }
}

impl Cluster {
    /// Asks for an experiment's service. Dropped midway it may leave something behind, which
    /// [`Cluster::sweep`] removes.
    ///
    /// # Errors
    /// The cluster would not have it; nothing is left behind then.
    pub async fn serve(&self, order: &ServiceOrder) -> Result<ServiceRun, DeployError> {
        let whose = Whose {
            owner: self.owner.clone(),
            instance: self.instance.name().to_owned(),
            number: self.instance.next_number(),
            drawn: super::nonce()?,
        };
        let (name, kind) = (names::job_name(&whose, &order.label), order.service.kind);
        self.live().insert(name.clone());
        match self.apply(order, &whose, &name).await {
            Ok(asked) => Ok(ServiceRun {
                cluster: self.clone(),
                log: LogCopy::new(order.label.log_file.clone()),
                name,
                kind,
                asked,
            }),
            Err(error) => {
                self.remove_service(kind, &name, Duration::ZERO).await?;
                Err(error)
            }
        }
    }

    async fn apply(&self, order: &ServiceOrder, whose: &Whose, name: &str) -> Result<Asked, DeployError> {
        let references = self.references(&order.service).await?;
        let manifest = manifest::service(order, &self.policy, references, whose);
        let asked = Asked::of(&manifest, order.service.kind.container());
        let Some(asked) = asked else {
            return Err(DeployError::Refused {
                action: "write a manifest",
                message: "it has no container".into(),
            });
        };
        let secret = manifest::secret(order, whose);
        let has_secret = secret.is_some();
        if let Some(secret) = secret {
            let secret: Secret = serde_json::from_value(secret).map_err(|error| DeployError::Refused {
                action: "write a manifest",
                message: error.to_string(),
            })?;
            let (secrets, post) = (self.reach.secrets(), PostParams::default());
            self.reach
                .answer("create a secret", secrets.create(&post, &secret))
                .await?;
        }
        let services = self.services(order.service.kind);
        let how = PatchParams::apply(FIELD_MANAGER);
        let patch = Patch::Apply(&manifest);
        let applying = services.patch(name, &how, &patch);
        let made = self.reach.answer("apply an InferenceService", applying).await?;
        if has_secret {
            // From here on the secret goes when the service does, whoever removes it.
            let owner = json!({ "metadata": { "ownerReferences": [{
                "apiVersion": manifest["apiVersion"], "kind": "InferenceService", "name": name,
                "uid": made.metadata.uid,
            }] } });
            let (secrets, how) = (self.reach.secrets(), PatchParams::default());
            let patch = Patch::Merge(&owner);
            let patching = secrets.patch(name, &how, &patch);
            self.reach.answer("tie a secret to its service", patching).await?;
        }
        Ok(asked)
    }

    /// Of which kind the objects are that a task names: where the cluster has none of the name, the
    /// namespace may.
    async fn references(&self, service: &Service) -> Result<References, DeployError> {
        let mut references = References::CLUSTER;
        if service.kind != ServiceKind::Ome {
            return Ok(references);
        }
        let named = [
            (Named::Model, &service.model, &mut references.model),
            (Named::Runtime, &service.runtime, &mut references.runtime),
        ];
        for (named, name, kind) in named {
            let Some(name) = name else { continue };
            match self.find_named(service.kind, named, name).await {
                Ok(Some(found)) => *kind = found.kind,
                // What may not be looked at is most likely the whole cluster's.
                Ok(None) | Err(DeployError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(references)
    }

    /// Removes a service with its secret, and waits until its pods are gone. One that is not there is
    /// no error. What is not answered is asked again.
    pub(super) async fn remove_service(
        &self,
        kind: ServiceKind,
        name: &str,
        grace: Duration,
    ) -> Result<(), DeployError> {
        // Whatever comes of it, no experiment needs it: the sweep may try again.
        self.live().remove(name);
        let until = Instant::now() + grace + PATIENCE + PATIENCE;
        loop {
            match self.take_service_away(kind, name, grace).await {
                Err(DeployError::TargetGone { .. }) if Instant::now() < until => sleep(PAUSE).await,
                other => return other,
            }
        }
    }

    async fn take_service_away(
        &self,
        kind: ServiceKind,
        name: &str,
        grace: Duration,
    ) -> Result<(), DeployError> {
        let (services, pods) = (self.services(kind), self.reach.pods());
        let now = DeleteParams::default();
        // The service first, or its operator would make another pod.
        self.reach
            .gone("delete an InferenceService", services.delete(name, &now))
            .await?;
        self.reach
            .gone("delete a secret", self.reach.secrets().delete(name, &now))
            .await?;
        let of_service = of_service(kind, name);
        let polite_until = Instant::now() + grace + PATIENCE;
        let until = polite_until + PATIENCE;
        let mut told = HashSet::new();
        loop {
            let left = self
                .reach
                .answer("list pods", pods.list(&of_service))
                .await?
                .items;
            let looking = services.get_opt(name);
            let is_there = self
                .reach
                .answer("look at an InferenceService", looking)
                .await?
                .is_some();
            if left.is_empty() && !is_there {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(DeployError::StillRunning { id: name.to_owned() });
            }
            // Its pods are the operator's to remove, unless somebody is in a hurry or it does not.
            let is_forced = grace.is_zero() || Instant::now() > polite_until;
            let names = left.iter().filter_map(|pod| pod.metadata.name.as_deref());
            for pod in names.filter(|_| is_forced) {
                if told.insert(pod.to_owned()) {
                    let how = DeleteParams::default().grace_period(0);
                    self.reach.gone("delete a pod", pods.delete(pod, &how)).await?;
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// All services of ours of one operator; none where the cluster does not know it, or we may not
    /// look.
    pub(super) async fn our_services(&self, kind: ServiceKind) -> Result<Vec<DynamicObject>, DeployError> {
        let ours = ListParams::default().labels(&format!("{OWNER}={}", self.owner));
        let services = self.services(kind);
        let listing = async {
            match services.list(&ours).await {
                Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(Vec::new()),
                other => other.map(|list| list.items),
            }
        };
        self.reach.answer("list InferenceServices", listing).await
    }

    /// The pods in which a service's engine runs, oldest first.
    async fn pods_of(&self, kind: ServiceKind, name: &str) -> Result<Vec<Pod>, DeployError> {
        let (pods, of_service) = (self.reach.pods(), of_service(kind, name));
        let mut found = self
            .reach
            .answer("list pods", pods.list(&of_service))
            .await?
            .items;
        // A router or a transformer of the operator's is no engine.
        let has_engine = |pod: &Pod| {
            let containers = pod.spec.as_ref().map(|spec| spec.containers.as_slice());
            let mut containers = containers.unwrap_or_default().iter();
            containers.any(|container| container.name == kind.container())
        };
        if found.iter().any(has_engine) {
            found.retain(has_engine);
        }
        found.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
        Ok(found)
    }

    async fn service(&self, kind: ServiceKind, name: &str) -> Result<Option<Value>, DeployError> {
        let services = self.services(kind);
        let looking = services.get_opt(name);
        let found = self.reach.answer("look at an InferenceService", looking).await?;
        Ok(found.and_then(|found| serde_json::to_value(found).ok()))
    }

    fn services(&self, kind: ServiceKind) -> Api<DynamicObject> {
        let resource = resource(kind.group(), VERSION, "InferenceService", "inferenceservices");
        Api::namespaced_with(self.reach.client.clone(), &self.reach.namespace, &resource)
    }
}

/// A kind of object that the cluster may know.
fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

fn of_service(kind: ServiceKind, name: &str) -> ListParams {
    ListParams::default().labels(&format!("{}={name}", kind.pod_label()))
}
