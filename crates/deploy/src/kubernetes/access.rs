//! What we may do in a cluster, and whether it has what a task needs: asked before anything starts.

use std::collections::BTreeMap;

use autotuner_core::engine::Limits;
use autotuner_core::problem::Problem;
use autotuner_core::serving::ServiceKind;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::{Api, ListParams, PostParams};

use super::{Cluster, Reach};
use crate::DeployError;

/// Something that we do: verb, group, resource, part of it.
pub(super) type Deed<'a> = (&'a str, &'a str, &'a str, &'a str);

/// What we do with services of an operator.
const SERVICE_VERBS: [&str; 5] = ["create", "get", "list", "patch", "delete"];

/// Everything that we do in a namespace.
const DEEDS: [Deed<'static>; 13] = [
    ("create", "batch", "jobs", ""),
    ("get", "batch", "jobs", ""),
    ("list", "batch", "jobs", ""),
    ("delete", "batch", "jobs", ""),
    ("get", "", "pods", ""),
    ("list", "", "pods", ""),
    ("watch", "", "pods", ""),
    ("delete", "", "pods", ""),
    ("get", "", "pods", "log"),
    ("create", "", "secrets", ""),
    ("patch", "", "secrets", ""),
    ("list", "", "secrets", ""),
    ("delete", "", "secrets", ""),
];

/// The most that one experiment of a task asks of a node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Needs {
    /// GPUs.
    pub gpus: u32,
    /// What else.
    pub limits: Limits,
    /// Labels that the node must have.
    pub node_selector: BTreeMap<String, String>,
}

impl Reach {
    /// What we would need to do and may not, such as `create jobs`; with services of this operator,
    /// if any.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    pub async fn missing_rights(&self, service: Option<ServiceKind>) -> Result<Vec<String>, DeployError> {
        let of_services = service
            .into_iter()
            .flat_map(|kind| SERVICE_VERBS.map(|verb| (verb, kind.group(), "inferenceservices", "")));
        let mut missing = Vec::new();
        for deed in DEEDS.into_iter().chain(of_services) {
            if !self.may(deed, Some(&self.namespace)).await? {
                let (verb, _, resource, part) = deed;
                let part = if part.is_empty() {
                    String::new()
                } else {
                    format!("/{part}")
                };
                missing.push(format!("{verb} {resource}{part}"));
            }
        }
        Ok(missing)
    }

    /// Whether we may do this in a namespace, or in the whole cluster.
    pub(super) async fn may(
        &self,
        (verb, group, resource, part): Deed<'_>,
        namespace: Option<&str>,
    ) -> Result<bool, DeployError> {
        let attributes = ResourceAttributes {
            namespace: namespace.map(str::to_owned),
            verb: Some(verb.to_owned()),
            group: Some(group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: Some(part.to_owned()).filter(|part| !part.is_empty()),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let post = PostParams::default();
        let asking = reviews.create(&post, &review);
        let answer = self.answer("ask what is allowed", asking).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

impl Cluster {
    /// The same as problems of a task.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    pub async fn forbidden(&self, service: Option<ServiceKind>) -> Result<Vec<Problem>, DeployError> {
        let missing = self.reach.missing_rights(service).await?;
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let message = format!(
            "in the namespace {} of {} we may not {}",
            self.reach.namespace(),
            super::error::cluster_at(self.reach.server()),
            missing.join(", ")
        );
        let hint = "give the account the Role of docs/kubernetes.md";
        Ok(vec![Problem::new("deployment_mode", message).with_hint(hint)])
    }

    /// Why no node of the cluster, as large as it is now, can ever take the experiment; `None`
    /// where one can, and where nodes cannot be seen.
    ///
    /// # Errors
    /// The cluster cannot be asked.
    pub async fn too_small(&self, needs: &Needs) -> Result<Option<Problem>, DeployError> {
        if self.is_autoscaled {
            return Ok(None);
        }
        let nodes: Api<Node> = Api::all(self.reach.client.clone());
        let listed = self
            .reach
            .answer("list nodes", nodes.list(&ListParams::default()))
            .await;
        let nodes = match listed {
            Ok(list) => list.items,
            // Who may not see nodes is told by the scheduler, once a pod waits.
            Err(DeployError::Refused { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(fits_nowhere(&nodes, needs, &self.policy.gpu_resource))
    }
}

/// Why no node is large enough.
fn fits_nowhere(nodes: &[Node], needs: &Needs, gpu_resource: &str) -> Option<Problem> {
    let selected: Vec<&Node> = nodes.iter().filter(|node| is_selected(node, needs)).collect();
    if selected.is_empty() {
        let labels: Vec<String> = needs
            .node_selector
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let message = match labels.is_empty() {
            true => "the cluster has no node that takes pods".to_owned(),
            false => format!("no node that takes pods has the labels {}", labels.join(", ")),
        };
        return Some(Problem::new("kubernetes.node_selector", message).with_hint(AUTOSCALED));
    }
    let most = |resource: &str| {
        let amounts = selected.iter().filter_map(|node| {
            let allocatable = node.status.as_ref()?.allocatable.as_ref()?;
            allocatable.get(resource).and_then(amount)
        });
        amounts.fold(0.0, f64::max)
    };
    #[expect(clippy::cast_precision_loss, reason = "for comparing sizes of machines")]
    let memory = needs.limits.memory_bytes.map(|bytes| bytes as f64);
    let wanted = [
        ("resources.gpus", gpu_resource, Some(f64::from(needs.gpus))),
        ("resources.cpus", "cpu", needs.limits.cpus),
        ("resources.memory", "memory", memory),
    ];
    wanted.into_iter().find_map(|(path, resource, wanted)| {
        let (wanted, most) = (wanted?, most(resource));
        (wanted > most).then(|| {
            let message = format!(
                "an experiment needs {wanted} of {resource}, and the largest of {} nodes has {most}",
                selected.len()
            );
            Problem::new(path, message).with_hint(AUTOSCALED)
        })
    })
}

/// What to do where the cluster is larger than it looks.
const AUTOSCALED: &str =
    "ask for less, or set kubernetes_autoscaled where the cluster makes nodes as they are needed";

fn is_selected(node: &Node, needs: &Needs) -> bool {
    let is_closed = node
        .spec
        .as_ref()
        .is_some_and(|spec| spec.unschedulable == Some(true));
    let labels = node.metadata.labels.as_ref();
    let has = |(name, value): (&String, &String)| labels.and_then(|labels| labels.get(name)) == Some(value);
    !is_closed && needs.node_selector.iter().all(has)
}

/// An amount as a number: `4`, `3900m`, `16Gi`.
pub(super) fn amount(quantity: &Quantity) -> Option<f64> {
    const UNITS: [(&str, f64); 12] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let text = quantity.0.as_str();
    let (number, factor) = UNITS
        .into_iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .unwrap_or((text, 1.0));
    number.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(labels: serde_json::Value, allocatable: serde_json::Value) -> Node {
        let node = json!({ "metadata": { "labels": labels }, "status": { "allocatable": allocatable } });
        serde_json::from_value(node).expect("a node")
    }

    #[test]
    fn amounts_are_numbers_in_the_clusters_units() {
        let check = |text: &str, expected: Option<f64>| {
            assert_eq!(amount(&Quantity(text.into())), expected, "{text}");
        };
        check("4", Some(4.0));
        check("3900m", Some(3.9));
        check("16Gi", Some(17_179_869_184.0));
        check("2M", Some(2e6));
        check("1e3", Some(1000.0));
        check("much", None);
    }

    #[test]
    fn a_task_that_fits_on_no_node_is_told_which_part_is_too_large() {
        let nodes = [
            node(
                json!({ "pool": "a" }),
                json!({ "cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "2" }),
            ),
            node(json!({ "pool": "b" }), json!({ "cpu": "64", "memory": "256Gi" })),
        ];
        let check = |needs: Needs, expected: Option<&str>| {
            let problem = fits_nowhere(&nodes, &needs, "nvidia.com/gpu");
            let text = problem.map(|problem| format!("{}: {}", problem.path, problem.message));
            assert_eq!(text.as_deref(), expected);
        };
        let on = |pool: &str| BTreeMap::from([("pool".to_owned(), pool.to_owned())]);
        check(Needs::default(), None);
        let two = Needs {
            gpus: 2,
            ..Needs::default()
        };
        check(two.clone(), None);
        check(
            Needs {
                gpus: 4,
                ..two.clone()
            },
            Some("resources.gpus: an experiment needs 4 of nvidia.com/gpu, and the largest of 2 nodes has 2"),
        );
        check(
            Needs {
                node_selector: on("b"),
                ..two
            },
            Some("resources.gpus: an experiment needs 2 of nvidia.com/gpu, and the largest of 1 nodes has 0"),
        );
        check(
            Needs {
                node_selector: on("c"),
                ..Needs::default()
            },
            Some("kubernetes.node_selector: no node that takes pods has the labels pool=c"),
        );
    }
}
