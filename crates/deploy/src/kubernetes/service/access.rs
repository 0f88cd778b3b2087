//! Whether a cluster has what a task's services need: the operator's API, and the runtime and the
//! model that the task names. Asked before anything starts.

use autotuner_core::problem::Problem;
use autotuner_core::serving::{ObjectKind, Service, ServiceKind};
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use serde_json::Value;

use super::manifest::VERSION;
use super::resource;
use crate::DeployError;
use crate::kubernetes::Cluster;

/// What a task names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Model,
    Runtime,
}

/// An object that a task names and that is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: &'static str,
    spec: Value,
}

impl Named {
    fn key(self) -> &'static str {
        match self {
            Self::Model => "kubernetes.service.model",
            Self::Runtime => "kubernetes.service.runtime",
        }
    }

    /// Version, kind and plural of what may go by the name: the whole cluster's, and the
    /// namespace's.
    fn kinds(self, operator: ServiceKind) -> [(&'static str, &'static str, &'static str); 2] {
        let version = match operator {
            ServiceKind::Ome => VERSION,
            ServiceKind::Kserve => "v1alpha1",
        };
        match self {
            Self::Model => [
                (version, "ClusterBaseModel", "clusterbasemodels"),
                (version, "BaseModel", "basemodels"),
            ],
            Self::Runtime => [
                (version, "ClusterServingRuntime", "clusterservingruntimes"),
                (version, "ServingRuntime", "servingruntimes"),
            ],
        }
    }
}

/// Where objects of the whole cluster are.
pub(super) fn cluster_wide(kind: ObjectKind) -> ApiResource {
    let plural = match kind {
        ObjectKind::BaseModel => "clusterbasemodels",
        ObjectKind::ServingRuntime => "clusterservingruntimes",
    };
    resource(ServiceKind::Ome.group(), VERSION, kind.as_str(), plural)
}

impl Cluster {
    /// Why no service of this task can come to be, as far as it can be seen.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    pub async fn unservable(&self, service: &Service) -> Result<Vec<Problem>, DeployError> {
        if !self.knows(service.kind).await? {
            let message = format!(
                "{} does not know InferenceServices of {} ({}/{VERSION})",
                super::super::error::cluster_at(&self.reach.server),
                service.kind.name(),
                service.kind.group()
            );
            let problem = Problem::new("kubernetes.service.kind", message);
            let hint =
                "install the operator, or leave kubernetes.service out: an experiment is a plain Job then";
            return Ok(vec![problem.with_hint(hint)]);
        }
        let mut problems = Vec::new();
        let model = service.model.as_ref();
        let named = [
            // What KServe is to fetch is no object of the cluster.
            (Named::Model, model.filter(|_| service.kind == ServiceKind::Ome)),
            (Named::Runtime, service.runtime.as_ref()),
        ];
        for (named, name) in named {
            let Some(name) = name else { continue };
            // What is made for the task is there when it is needed.
            if service.objects.iter().any(|object| object.name == *name) {
                continue;
            }
            match self.find_named(service.kind, named, name).await {
                Ok(Some(found)) => problems.extend(unfit(named, name, &found)),
                Ok(None) => problems.push(self.unknown(service.kind, named, name)),
                // Who may not look is told by the operator.
                Err(DeployError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(problems)
    }

    /// Whether the cluster has the operator's API.
    async fn knows(&self, kind: ServiceKind) -> Result<bool, DeployError> {
        let api = format!("{}/{VERSION}", kind.group());
        let asking = async {
            match self.reach.client.list_api_group_resources(&api).await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
                other => other.map(|list| {
                    list.resources
                        .iter()
                        .any(|found| found.kind == "InferenceService")
                }),
            }
        };
        self.reach.answer("ask for an operator's API", asking).await
    }

    /// What goes by a name: in the namespace, or else in the whole cluster.
    pub(super) async fn find_named(
        &self,
        operator: ServiceKind,
        named: Named,
        name: &str,
    ) -> Result<Option<Found>, DeployError> {
        let [of_cluster, of_namespace] = named.kinds(operator);
        let (mut unseen, mut only_there, mut looked_in_vain) = (None, None, 0);
        for (version, kind, plural) in [of_cluster, of_namespace] {
            let resource = resource(operator.group(), version, kind, plural);
            let objects: Api<DynamicObject> = match kind == of_cluster.1 {
                true => Api::all_with(self.reach.client.clone(), &resource),
                false => Api::namespaced_with(self.reach.client.clone(), &self.reach.namespace, &resource),
            };
            let looking = async {
                match objects.get(name).await {
                    // An API without such objects has none of the name, either.
                    Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
                    other => other.map(Some),
                }
            };
            let found = self.reach.answer("look for what a service names", looking).await;
            match found {
                Ok(Some(found)) => {
                    let spec = found.data.get("spec").cloned().unwrap_or_default();
                    return Ok(Some(Found { kind, spec }));
                }
                Ok(None) => looked_in_vain += 1,
                // The other may be the one, and may be seen.
                Err(error @ DeployError::Refused { .. }) => {
                    unseen = Some(error);
                    only_there = Some(kind);
                }
                Err(error) => return Err(error),
            }
        }
        match (unseen, only_there) {
            (None, _) => Ok(None),
            // Where it may be seen it is not: if at all, it is where we may not look.
            (Some(_), Some(kind)) if looked_in_vain == 1 => {
                let spec = Value::Null;
                Ok(Some(Found { kind, spec }))
            }
            (Some(error), _) => Err(error),
        }
    }

    fn unknown(&self, operator: ServiceKind, named: Named, name: &str) -> Problem {
        let [(_, of_cluster, _), (_, of_namespace, _)] = named.kinds(operator);
        let message = format!(
            "the cluster has no {of_cluster}, and the namespace {} no {of_namespace}, called {name}",
            self.reach.namespace
        );
        let hint = match (operator, named) {
            (ServiceKind::Ome, Named::Model) => "have it made, or describe it in clusterbasemodel_config",
            (ServiceKind::Ome, Named::Runtime) => {
                "have it made, or describe it in clusterservingruntime_config"
            }
            (ServiceKind::Kserve, _) => {
                "have it made, or leave it out: the engine's own container does without"
            }
        };
        Problem::new(named.key(), message).with_hint(hint)
    }
}

/// What in an object that is there keeps it from being used.
fn unfit(named: Named, name: &str, found: &Found) -> Option<Problem> {
    let Found { kind, spec } = found;
    if spec["disabled"] == true {
        return Some(Problem::new(
            named.key(),
            format!("the {kind} {name} is disabled"),
        ));
    }
    let engine = &spec["engineConfig"];
    let several = [&engine["leader"], &engine["worker"], &spec["workerSpec"]];
    let is_several = several.into_iter().any(|part| part.is_object());
    is_several.then(|| {
        let message =
            format!("the {kind} {name} is for engines over several nodes, which cannot be tuned yet");
        Problem::new(named.key(), message).with_hint("name one whose engine is one pod")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_disabled_or_of_several_nodes_is_not_used() {
        let check = |spec: Value, expected: Option<&str>| {
            let found = Found {
                kind: "ServingRuntime",
                spec,
            };
            let problem = unfit(Named::Runtime, "r", &found).map(|problem| problem.message);
            assert_eq!(problem.as_deref(), expected);
        };
        check(json!({ "engineConfig": { "runner": {} } }), None);
        check(
            json!({ "disabled": true }),
            Some("the ServingRuntime r is disabled"),
        );
        let several = "the ServingRuntime r is for engines over several nodes, which cannot be tuned yet";
        check(
            json!({ "engineConfig": { "leader": {}, "worker": {} } }),
            Some(several),
        );
        check(
            json!({ "containers": [], "workerSpec": { "pipelineParallelSize": 2 } }),
            Some(several),
        );
    }
}
