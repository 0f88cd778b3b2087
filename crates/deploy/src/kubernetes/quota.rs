//! What the quotas of a namespace can never give an experiment, asked before anything starts.
//!
//! What others use at the moment comes free again and is no reason: only what is asked for is held
//! against all that a quota gives. A quota for some pods alone (by scopes) may not be for ours.

use autotuner_core::problem::Problem;
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Api, ListParams};

use super::Cluster;
use super::access::{Needs, amount};
use crate::DeployError;

/// What each experiment makes one of, as quotas count it.
const COUNTED: [&str; 5] = [
    "pods",
    "count/pods",
    "count/jobs.batch",
    "secrets",
    "count/secrets",
];

impl Cluster {
    /// Why a quota of the namespace will never let the experiment be; `None` where none stands in
    /// its way, and where quotas cannot be seen.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    pub async fn over_quota(&self, needs: &Needs) -> Result<Option<Problem>, DeployError> {
        let quotas: Api<ResourceQuota> = Api::namespaced(self.reach.client.clone(), self.reach.namespace());
        let all = ListParams::default();
        let listing = quotas.list(&all);
        match self.reach.answer("list quotas", listing).await {
            Ok(list) => Ok(exceeded(&list.items, needs, &self.policy.gpu_resource)),
            // Who may not see quotas is told by the Job's controller.
            Err(DeployError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The first thing that a quota does not give.
fn exceeded(quotas: &[ResourceQuota], needs: &Needs, gpu_resource: &str) -> Option<Problem> {
    #[expect(clippy::cast_precision_loss, reason = "for comparing sizes of machines")]
    let memory = needs.limits.memory_bytes.map(|bytes| bytes as f64);
    let (cpus, gpus) = (needs.limits.cpus, Some(f64::from(needs.gpus)));
    let of_gpus = format!("requests.{gpu_resource}");
    let mut wanted = vec![
        ("resources.gpus", of_gpus.as_str(), gpus),
        ("resources.cpus", "cpu", cpus),
        ("resources.cpus", "requests.cpu", cpus),
        ("resources.cpus", "limits.cpu", cpus),
        ("resources.memory", "memory", memory),
        ("resources.memory", "requests.memory", memory),
        ("resources.memory", "limits.memory", memory),
    ];
    wanted.extend(COUNTED.map(|resource| ("deployment_mode", resource, Some(1.0))));
    quotas.iter().find_map(|quota| {
        let spec = quota.spec.as_ref()?;
        if spec.scopes.is_some() || spec.scope_selector.is_some() {
            return None;
        }
        let hard = spec.hard.as_ref()?;
        wanted.iter().find_map(|(path, resource, wanted)| {
            let (wanted, given) = ((*wanted)?, hard.get(*resource).and_then(amount)?);
            (wanted > given).then(|| {
                let name = quota.metadata.name.as_deref().unwrap_or_default();
                let message =
                    format!("an experiment needs {wanted} of {resource}, and the quota {name} gives {given}");
                let hint = "ask for less, or have the namespace's quota raised";
                Problem::new(*path, message).with_hint(hint)
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use autotuner_core::engine::Limits;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_a_quota_can_never_give_is_named() {
        let check = |spec: Value, expected: Option<&str>| {
            let quota = json!({ "metadata": { "name": "team" }, "spec": spec });
            let quota: ResourceQuota = serde_json::from_value(quota).unwrap();
            let needs = Needs {
                gpus: 4,
                limits: Limits {
                    cpus: Some(2.5),
                    memory_bytes: Some(8 << 30),
                },
                ..Needs::default()
            };
            let found = exceeded(&[ResourceQuota::default(), quota], &needs, "nvidia.com/gpu");
            let found = found.map(|problem| format!("{}: {}", problem.path, problem.message));
            assert_eq!(found.as_deref(), expected);
        };
        let hard = |resource: &str, given: &str| json!({ "hard": { resource: given } });
        check(json!({}), None);
        check(hard("requests.nvidia.com/gpu", "4"), None);
        check(
            hard("requests.nvidia.com/gpu", "2"),
            Some(
                "resources.gpus: an experiment needs 4 of requests.nvidia.com/gpu, and the quota team gives 2",
            ),
        );
        check(hard("requests.amd.com/gpu", "0"), None);
        check(hard("limits.cpu", "2500m"), None);
        check(
            hard("limits.cpu", "2"),
            Some("resources.cpus: an experiment needs 2.5 of limits.cpu, and the quota team gives 2"),
        );
        check(hard("memory", "8Gi"), None);
        check(
            hard("requests.memory", "1Gi"),
            Some(
                "resources.memory: an experiment needs 8589934592 of requests.memory, and the quota team gives 1073741824",
            ),
        );
        check(
            hard("count/jobs.batch", "0"),
            Some("deployment_mode: an experiment needs 1 of count/jobs.batch, and the quota team gives 0"),
        );
        // It is for pods that are not ours, or may be.
        check(
            json!({ "hard": { "pods": "0" }, "scopes": ["Terminating"] }),
            None,
        );
    }
}
