//! A Kubernetes cluster, in which each experiment is a Job of its own.
//!
//! The one idea: what is measured over a network is the network. So a Job's pod holds the engine
//! and, as its parent, an agent of ours that loads it over the loopback; what the agent says comes
//! back as lines of the pod's log ([`frame`]), and all that is needed of the cluster is its API. This
//! module makes Jobs, hears their pods (`attend.rs`), and removes what is ours (`sweep.rs`). It does
//! not know what an agent is told or what it says.
//!
//! Files: `manifest` what is asked for, of what `pod` says a task says of pods, `fate` what a pod's status means, `names` whose it is,
//! `access` what we may do, `error` what refusals mean; [`service`] what is another way, in which an
//! operator of the cluster runs the engine and only the load is a Job.

mod access;
pub mod attend;
mod error;
pub(crate) mod fate;
pub mod frame;
mod look;
mod manifest;
mod names;
mod pod;
pub mod service;
mod sweep;

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use tokio::time::{Instant, sleep};

pub use access::Needs;
pub use fate::Ending;
pub use manifest::{JobOrder, PodPolicy};

use crate::error::whole_story;
use crate::instance::Instance;
use crate::{DeployError, blocking};
use attend::JobRun;
use error::refused;
use names::Whose;

/// Longest wait for a connection and for one answer of the API.
const ANSWER: Duration = Duration::from_secs(20);

/// Where a pod finds the namespace that it is in.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The namespace where nobody names one.
const USUAL_NAMESPACE: &str = "default";

/// The file in the folder of instances with the name that all of them share.
const OWNER_FILE: &str = ".cluster-owner";

/// Pause between two looks whether a pod is gone.
const GONE_PAUSE: Duration = Duration::from_millis(200);

/// How much longer than its grace a pod may take to be gone, before it is forced and after.
const GONE_PATIENCE: Duration = Duration::from_secs(20);

/// What is needed to reach a cluster.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// Who we are.
    pub instance: Arc<Instance>,
    /// The kubeconfig; the account of our own pod when `None`.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; its current one when `None`.
    pub context: Option<String>,
    /// The namespace; the context's when `None`.
    pub namespace: Option<String>,
    /// What holds for all pods.
    pub policy: PodPolicy,
    /// How long a pod may wait for a node.
    pub schedule_timeout: Duration,
    /// Whether the cluster makes nodes as they are needed, so that those it has tell nothing.
    pub is_autoscaled: bool,
}

/// A cluster that can be asked.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
    server: String,
    policy: PodPolicy,
    schedule_timeout: Duration,
    is_autoscaled: bool,
    instance: Arc<Instance>,
    owner: String,
    /// Jobs of this process that an experiment still needs.
    live: Arc<Mutex<HashSet<String>>>,
}

impl Cluster {
    /// Reads how to reach the cluster. It is not asked yet.
    ///
    /// # Errors
    /// [`DeployError::TargetGone`] where nothing says how, or what says so cannot be used.
    pub async fn connect(config: ClusterConfig) -> Result<Self, DeployError> {
        let ClusterConfig {
            instance,
            kubeconfig,
            context,
            namespace,
            policy,
            schedule_timeout,
            is_autoscaled,
        } = config;
        let unusable = |path: Option<&Path>, error: &dyn std::error::Error| DeployError::TargetGone {
            target: match path {
                Some(path) => format!("the Kubernetes cluster of {}", path.display()),
                None => "the Kubernetes cluster that this would be a pod of".to_owned(),
            },
            message: format!(
                "{}; kubernetes_config or KUBECONFIG names a kubeconfig",
                whole_story(error)
            ),
        };
        let mut reach = match &kubeconfig {
            Some(path) => {
                let unusable = |error: &dyn std::error::Error| unusable(Some(path), error);
                let read = Kubeconfig::read_from(path).map_err(|error| unusable(&error))?;
                let options = KubeConfigOptions {
                    context,
                    ..KubeConfigOptions::default()
                };
                let config = Config::from_custom_kubeconfig(read, &options).await;
                config.map_err(|error| unusable(&error))?
            }
            None => Config::incluster().map_err(|error| unusable(None, &error))?,
        };
        reach.connect_timeout = Some(ANSWER);
        // A log is silent for as long as an engine is.
        reach.read_timeout = None;
        let own = kubeconfig
            .is_none()
            .then(|| fs::read_to_string(OWN_NAMESPACE).ok());
        let own = own.flatten().map(|text| text.trim().to_owned());
        let usual = Some(reach.default_namespace.clone()).filter(|name| !name.is_empty());
        let namespace = namespace.or(own).or(usual);
        let server = reach.cluster_url.to_string();
        let owner = instance.instances().to_owned();
        let owner = blocking(move || owner_of(&owner)).await?;
        let client = Client::try_from(reach).map_err(|error| unusable(kubeconfig.as_deref(), &error))?;
        Ok(Self {
            client,
            namespace: namespace.unwrap_or_else(|| USUAL_NAMESPACE.to_owned()),
            server,
            policy,
            schedule_timeout,
            is_autoscaled,
            instance,
            owner,
            live: Arc::default(),
        })
    }

    /// The namespace that Jobs are made in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The image with our own program.
    pub fn agent_image(&self) -> &str {
        &self.policy.agent_image
    }

    /// Which version the cluster says it is.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn version(&self) -> Result<String, DeployError> {
        let asking = self.client.apiserver_version();
        let version = self.answer("ask for the version", asking).await?;
        Ok(version.git_version)
    }

    /// Makes an experiment's Job and hears it from now on. Dropped midway it may leave something
    /// behind, which [`Cluster::sweep`] removes.
    ///
    /// # Errors
    /// The cluster would not have it; nothing is left behind then.
    pub async fn start(&self, order: &JobOrder, nonce: &str) -> Result<JobRun, DeployError> {
        let whose = Whose {
            owner: self.owner.clone(),
            instance: self.instance.name().to_owned(),
            number: self.instance.next_number(),
            drawn: self::nonce()?,
        };
        let name = names::job_name(&whose, &order.label);
        self.live().insert(name.clone());
        match self.create(order, &whose, &name).await {
            Ok(job) => Ok(JobRun::attend(self.clone(), &name, job, nonce)),
            Err(error) => {
                self.live().remove(&name);
                self.forget(&name, Duration::ZERO).await?;
                Err(error)
            }
        }
    }

    async fn create(&self, order: &JobOrder, whose: &Whose, name: &str) -> Result<String, DeployError> {
        let odd = |error: serde_json::Error| DeployError::Refused {
            action: "write a manifest",
            message: error.to_string(),
        };
        let secret: Secret = serde_json::from_value(manifest::secret(order, whose)).map_err(odd)?;
        let job: Job = serde_json::from_value(manifest::job(order, &self.policy, whose)).map_err(odd)?;
        let post = PostParams::default();
        let (secrets, jobs) = (self.secrets(), self.jobs());
        self.answer("create a secret", secrets.create(&post, &secret))
            .await?;
        let made = self.answer("create a Job", jobs.create(&post, &job)).await?;
        let uid = made.metadata.uid.unwrap_or_default();
        // From here on the secret goes when the Job does, whoever removes it.
        let owner = json!({ "metadata": { "ownerReferences": [{
            "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid,
        }] } });
        let patch = Patch::Merge(&owner);
        let how = PatchParams::default();
        let patching = secrets.patch(name, &how, &patch);
        self.answer("tie a secret to its Job", patching).await?;
        Ok(uid)
    }

    /// Removes a Job with all that belongs to it, and waits until its pod is gone. One that is not
    /// there is no error.
    ///
    /// # Errors
    /// It is still there, or the cluster does not answer.
    pub async fn remove(&self, name: &str, grace: Duration) -> Result<(), DeployError> {
        // Whatever comes of it, no experiment needs it: the sweep may try again.
        self.live().remove(name);
        // The Job first, or its controller would make another pod.
        self.forget(name, grace).await?;
        let pods = self.pods();
        let of_job = ListParams::default().labels(&format!("job-name={name}"));
        let polite_until = Instant::now() + grace + GONE_PATIENCE;
        let until = polite_until + GONE_PATIENCE;
        let seconds = u32::try_from(grace.as_secs()).unwrap_or(u32::MAX);
        let mut told = HashSet::new();
        loop {
            let left = self.answer("list pods", pods.list(&of_job)).await?.items;
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(DeployError::StillRunning { id: name.to_owned() });
            }
            let is_forced = Instant::now() > polite_until || grace.is_zero();
            for pod in left.iter().filter_map(|pod| pod.metadata.name.as_deref()) {
                if told.insert((pod.to_owned(), is_forced)) {
                    let seconds = if is_forced { 0 } else { seconds };
                    let how = DeleteParams::default().grace_period(seconds);
                    self.gone("delete a pod", pods.delete(pod, &how)).await?;
                }
            }
            sleep(GONE_PAUSE).await;
        }
    }

    /// Deletes a Job and its secret without waiting.
    async fn forget(&self, name: &str, grace: Duration) -> Result<(), DeployError> {
        let how = match grace.is_zero() {
            true => DeleteParams::background().grace_period(0),
            false => DeleteParams::background(),
        };
        self.gone("delete a Job", self.jobs().delete(name, &how)).await?;
        let now = DeleteParams::default();
        self.gone("delete a secret", self.secrets().delete(name, &now))
            .await
    }

    /// One answer, within a deadline.
    async fn answer<T>(
        &self,
        action: &'static str,
        asking: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, DeployError> {
        match tokio::time::timeout(ANSWER, asking).await {
            Ok(answer) => answer.map_err(|error| refused(action, &self.server, error)),
            Err(_) => Err(DeployError::TargetGone {
                target: error::cluster_at(&self.server),
                message: format!("no answer within {} s", ANSWER.as_secs()),
            }),
        }
    }

    /// The same for a deletion, of which "not there" is the best answer.
    async fn gone<T>(
        &self,
        action: &'static str,
        deleting: impl Future<Output = kube::Result<T>>,
    ) -> Result<(), DeployError> {
        let deleting = async {
            match deleting.await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                other => other.map(drop),
            }
        };
        self.answer(action, deleting).await
    }

    fn live(&self) -> MutexGuard<'_, HashSet<String>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jobs(&self) -> Api<Job> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn events(&self) -> Api<Event> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

/// Whether a process of ours that shares this folder of instances has ever reached a cluster.
pub fn was_used(instances: &Path) -> bool {
    instances.join(OWNER_FILE).exists()
}

/// What cannot be guessed: letters for a nonce.
///
/// # Errors
/// The system has no random numbers.
pub fn nonce() -> Result<String, DeployError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| DeployError::Refused {
        action: "get a random number",
        message: error.to_string(),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// By what name a cluster knows a folder of instances: made up once, and kept in it, so that it is
/// the same wherever the folder is mounted next.
fn owner_of(instances: &Path) -> Result<String, DeployError> {
    let path = instances.join(OWNER_FILE);
    for _ in 0..2 {
        match fs::read_to_string(&path) {
            Ok(name) if !name.trim().is_empty() => return Ok(names::value(name.trim())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(DeployError::file("read", &path)(error)),
        }
        let made = nonce()?;
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            // Another process of ours was quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(DeployError::file("write", &path)(error)),
        };
        let written = file.write_all(made.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(DeployError::file("write", &path))?;
        return Ok(made);
    }
    fs::read_to_string(&path).map_err(DeployError::file("read", &path))
}
