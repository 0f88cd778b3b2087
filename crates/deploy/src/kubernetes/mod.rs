//! A Kubernetes cluster, in which each experiment is a Job of its own.
//!
//! The one idea: what is measured over a network is the network. So a Job's pod holds the engine
//! and, as its parent, an agent of ours that loads it over the loopback; what the agent says comes
//! back as lines of the pod's log ([`frame`]), and all that is needed of the cluster is its API. This
//! module makes Jobs, hears their pods (`attend.rs`), and removes what is ours (`remove.rs`, `sweep.rs`). It does
//! not know what an agent is told or what it says.
//!
//! What people may see and do of our pods is in [`pods`]. [`service`] is another way, in which an
//! operator of the cluster runs the engine and only the load is a Job.
//!
//! Files: `reach` the way to a cluster, `manifest` what is asked for (`pod`: what a task says of its
//! pods), `fate` what a pod's status means, `names` whose it is, `access` what we may do, `quota` what quotas never give, `error`
//! what refusals mean.

mod access;
pub mod attend;
mod error;
pub(crate) mod fate;
pub mod frame;
mod look;
mod manifest;
mod names;
mod pod;
pub mod pods;
mod quota;
mod reach;
mod remove;
pub mod service;
mod sweep;
mod watched;

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

pub use access::Needs;
pub use fate::Ending;
pub use manifest::{JobOrder, PodPolicy};
pub use pod::check_affinity;
pub use reach::{Reach, Whereabouts, is_in_pod};

use crate::instance::Instance;
use crate::{DeployError, blocking};
use attend::JobRun;
use names::Whose;
use watched::Watched;

/// The file in the folder of instances with the name that all of them share.
const OWNER_FILE: &str = ".cluster-owner";

/// What is needed to reach a cluster.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// Who we are.
    pub instance: Arc<Instance>,
    /// Which cluster.
    pub whereabouts: Whereabouts,
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
    reach: Reach,
    policy: PodPolicy,
    schedule_timeout: Duration,
    is_autoscaled: bool,
    instance: Arc<Instance>,
    owner: String,
    /// Jobs of this process that an experiment still needs.
    live: Arc<Mutex<HashSet<String>>>,
    /// What is known of the pods of these.
    watched: Arc<Watched>,
}

impl Cluster {
    /// Reads how to reach the cluster. It is not asked yet.
    ///
    /// # Errors
    /// [`DeployError::TargetGone`] where nothing says how, or what says so cannot be used.
    pub async fn connect(config: ClusterConfig) -> Result<Self, DeployError> {
        let ClusterConfig {
            instance,
            whereabouts,
            policy,
            schedule_timeout,
            is_autoscaled,
        } = config;
        let reach = Reach::read(whereabouts).await?;
        let owner = instance.instances().to_owned();
        let owner = blocking(move || owner_of(&owner)).await?;
        Ok(Self {
            reach,
            policy,
            schedule_timeout,
            is_autoscaled,
            instance,
            owner,
            live: Arc::default(),
            watched: Arc::default(),
        })
    }

    /// The way to it.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The image with our own program.
    pub fn agent_image(&self) -> &str {
        &self.policy.agent_image
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
        let (secrets, jobs) = (self.reach.secrets(), self.reach.jobs());
        self.reach
            .answer("create a secret", secrets.create(&post, &secret))
            .await?;
        let made = self
            .reach
            .answer("create a Job", jobs.create(&post, &job))
            .await?;
        let uid = made.metadata.uid.unwrap_or_default();
        // From here on the secret goes when the Job does, whoever removes it.
        let owner = json!({ "metadata": { "ownerReferences": [{
            "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid,
        }] } });
        let patch = Patch::Merge(&owner);
        let how = PatchParams::default();
        let patching = secrets.patch(name, &how, &patch);
        self.reach.answer("tie a secret to its Job", patching).await?;
        Ok(uid)
    }

    fn live(&self) -> MutexGuard<'_, HashSet<String>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
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
