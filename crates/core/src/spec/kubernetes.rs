//! Parts of the document that only a Kubernetes cluster needs: what its pods are like, and where the
//! model's volume is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::findings::Findings;
use super::read::{Fields, Node, Words, shorten};
use super::resources::memory_bytes;
use super::rules;
use super::service::{self, ServiceSpec};
use crate::problem::Problem;
use crate::serving::Service;
use crate::task::{ClusterSettings, SecretKey, Toleration, VolumeClaim};

/// Where the engine sees a volume when the document does not say.
const USUAL_MOUNT: &str = "/models";

/// The entry of a secret that holds the hub's token when the document does not say.
const USUAL_TOKEN_KEY: &str = "token";

/// The kinds of affinity that a pod may have.
const AFFINITIES: [&str; 3] = ["nodeAffinity", "podAffinity", "podAntiAffinity"];

/// Longest name in a cluster.
const LONGEST_NAME: usize = 253;

/// What the pods of a cluster are like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KubernetesSpec {
    /// Labels that a node must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Taints that a node may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerations: Option<Vec<TolerationSpec>>,
    /// Which nodes are wanted and which pods beside: the cluster's own `affinity` of a pod, with
    /// `nodeAffinity`, `podAffinity` and `podAntiAffinity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Map<String, Value>>,
    /// The runtime class, for example `nvidia`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<String>,
    /// Size of `/dev/shm` with its unit, for example `16GiB`; the cluster's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_memory: Option<String>,
    /// Service account of the pods, whose token the engine sees; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Priority class of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class: Option<String>,
    /// The Kueue queue that experiments wait in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Names of secrets with which images are fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_pull_secrets: Option<Vec<String>>,
    /// Where the cluster keeps the token for the model hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub_token: Option<SecretKeySpec>,
    /// Experiments as services of OME or KServe; each is a Job when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceSpec>,
}

/// A taint that pods take. What is absent means any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TolerationSpec {
    /// The taint's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The taint's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The taint's effect: `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// One entry of a secret of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SecretKeySpec {
    /// The secret's name.
    pub secret: String,
    /// The entry; `token` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Where a cluster finds the model's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StorageSpec {
    /// The kind of storage.
    #[serde(rename = "type")]
    pub kind: StorageWord,
    /// Name of the persistent volume claim.
    pub pvc_name: String,
    /// Directory inside the volume; its root when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvc_subpath: Option<String>,
    /// Where the engine sees the volume, for example `/raid/models`; `/models` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
}

/// The words for kinds of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageWord {
    /// A persistent volume claim.
    Pvc,
}

impl Words for StorageWord {
    const WHAT: &'static str = "storage type";
    const WORDS: &'static [(&'static str, Self)] = &[("pvc", Self::Pvc)];
}

/// Reads the `kubernetes` object.
pub(super) fn read_pods(node: &Node<'_>) -> Option<KubernetesSpec> {
    node.object(|fields| KubernetesSpec {
        node_selector: fields.take("node_selector", read_texts),
        tolerations: fields.take("tolerations", |node| node.list(read_toleration)),
        affinity: fields.take("affinity", |node| node.free_object().cloned()),
        runtime_class: fields.take("runtime_class", Node::text),
        shared_memory: fields.take("shared_memory", Node::text),
        service_account: fields.take("service_account", Node::text),
        priority_class: fields.take("priority_class", Node::text),
        queue: fields.take("queue", Node::text),
        image_pull_secrets: fields.take("image_pull_secrets", |node| node.list(Node::text)),
        hub_token: fields.take("hub_token", |node| {
            node.object(|fields: &mut Fields<'_>| {
                fields.require(&["secret"], "name the secret");
                SecretKeySpec {
                    secret: fields.take("secret", Node::text).unwrap_or_default(),
                    key: fields.take("key", Node::text),
                }
            })
        }),
        service: fields.take("service", service::read),
    })
}

/// Reads texts under free names.
pub(super) fn read_texts(node: &Node<'_>) -> Option<BTreeMap<String, String>> {
    let entries = node.free_object()?.iter().map(|(name, value)| {
        let entry = Node {
            path: super::read::join(&node.path, &shorten(name)),
            value,
            findings: node.findings,
        };
        (name.clone(), entry.text_of_scalar().unwrap_or_default())
    });
    Some(entries.collect())
}

fn read_toleration(node: &Node<'_>) -> Option<TolerationSpec> {
    node.object(|fields| TolerationSpec {
        key: fields.take("key", Node::text),
        value: fields.take("value", Node::text),
        effect: fields.take("effect", Node::text),
    })
}

/// Reads the `storage` object.
pub(super) fn read_storage(node: &Node<'_>) -> Option<StorageSpec> {
    node.object(|fields| {
        fields.require(&["type"], "use pvc");
        fields.require(&["pvc_name"], "name the persistent volume claim");
        let kind = fields.take("type", Node::word);
        let pvc_name = fields.take("pvc_name", Node::text);
        let pvc_subpath = fields.take("pvc_subpath", Node::text);
        let mount_path = fields.take("mount_path", Node::text);
        Some(StorageSpec {
            kind: kind?,
            pvc_name: pvc_name?,
            pvc_subpath,
            mount_path,
        })
    })?
}

impl StorageSpec {
    /// Holds the rules.
    pub(super) fn check(&self, findings: &Findings) {
        rules::argument("storage.pvc_name", &self.pvc_name, findings);
        if self
            .mount_path
            .as_ref()
            .is_some_and(|path| !path.starts_with('/'))
        {
            let problem = Problem::new("storage.mount_path", "is not an absolute path");
            findings.refuse(problem.with_hint("for example /raid/models"));
        }
    }

    fn claim(&self) -> VolumeClaim {
        VolumeClaim {
            name: self.pvc_name.clone(),
            sub_path: self.pvc_subpath.clone(),
            mount_path: self.mount_path.clone().unwrap_or_else(|| USUAL_MOUNT.to_owned()),
        }
    }
}

/// What a task's pods are like.
pub(super) fn resolve(
    pods: Option<&KubernetesSpec>,
    storage: Option<&StorageSpec>,
    service: Option<Service>,
    findings: &Findings,
) -> ClusterSettings {
    let nothing = KubernetesSpec::default();
    let KubernetesSpec {
        node_selector,
        tolerations,
        affinity,
        runtime_class,
        shared_memory,
        service_account,
        priority_class,
        queue,
        image_pull_secrets,
        hub_token,
        service: _,
    } = pods.unwrap_or(&nothing);
    let name = |key: &str, name: &Option<String>| {
        let name = name.clone()?;
        check_name(&format!("kubernetes.{key}"), &name, findings);
        Some(name)
    };
    let memory = shared_memory.as_deref().and_then(|text| {
        let bytes = memory_bytes(text);
        if bytes.is_none() {
            let message = format!("\"{}\" is not an amount of memory", shorten(text));
            let hint = "write a number above 0 and its unit, for example 16GiB";
            findings.refuse(Problem::new("kubernetes.shared_memory", message).with_hint(hint));
        }
        bytes
    });
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    let toleration = |(index, toleration): (usize, &TolerationSpec)| {
        let TolerationSpec { key, value, effect } = toleration.clone();
        if let Some(effect) = effect.as_deref().filter(|effect| !effects.contains(effect)) {
            let path = format!("kubernetes.tolerations[{index}].effect");
            let message = format!("\"{}\" is no effect of a taint", shorten(effect));
            let hint = "use NoSchedule, PreferNoSchedule or NoExecute";
            findings.refuse(Problem::new(path, message).with_hint(hint));
        }
        if key.is_none() && value.is_some() {
            let path = format!("kubernetes.tolerations[{index}].key");
            findings.refuse(Problem::new(path, "is missing, and there is a value"));
        }
        Toleration { key, value, effect }
    };
    for (index, secret) in image_pull_secrets.iter().flatten().enumerate() {
        check_name(
            &format!("kubernetes.image_pull_secrets[{index}]"),
            secret,
            findings,
        );
    }
    for (kind, value) in affinity.iter().flatten() {
        if !AFFINITIES.contains(&kind.as_str()) || !value.is_object() {
            let path = format!("kubernetes.affinity.{}", shorten(kind));
            let hint = "write nodeAffinity, podAffinity or podAntiAffinity, each as a pod has it";
            findings.refuse(Problem::new(path, "is no affinity of a pod").with_hint(hint));
        }
    }
    if let Some(token) = hub_token {
        check_name("kubernetes.hub_token.secret", &token.secret, findings);
    }
    ClusterSettings {
        node_selector: node_selector.clone().unwrap_or_default(),
        tolerations: tolerations.iter().flatten().enumerate().map(toleration).collect(),
        affinity: affinity.clone().unwrap_or_default(),
        runtime_class: name("runtime_class", runtime_class),
        shared_memory_bytes: memory,
        service_account: name("service_account", service_account),
        priority_class: name("priority_class", priority_class),
        queue: name("queue", queue),
        image_pull_secrets: image_pull_secrets.clone().unwrap_or_default(),
        hub_token: hub_token.as_ref().map(|token| SecretKey {
            secret: token.secret.clone(),
            key: token.key.clone().unwrap_or_else(|| USUAL_TOKEN_KEY.to_owned()),
        }),
        claim: storage.map(StorageSpec::claim),
        service,
    }
}

/// The name of something in a cluster: small letters, digits, dashes and dots.
pub(super) fn check_name(path: &str, name: &str, findings: &Findings) {
    let is_edge = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    let is_sound = name.len() <= LONGEST_NAME
        && is_edge(name.chars().next())
        && is_edge(name.chars().next_back())
        && name
            .chars()
            .all(|letter| is_edge(Some(letter)) || matches!(letter, '-' | '.'));
    if !is_sound {
        let message = format!("\"{}\" cannot be a name in a cluster", shorten(name));
        let hint = "use small letters, digits, dashes and dots, a letter or digit first and last";
        findings.refuse(Problem::new(path, message).with_hint(hint));
    }
}
