//! Our pods, for people: which there are, how they are, what they print; and taken away.
//!
//! The one idea: a pod is ours when it carries the name of our folder of instances. What does not
//! is not there, whatever it is called: it is not listed, not read and not deleted. The cluster is
//! reached when it is first asked for, and a cluster that is away is an answer like any other.

mod detail;
mod error;
mod log;
mod model;

use std::path::PathBuf;
use std::sync::Arc;

use kube::api::{DeleteParams, ListParams, Preconditions};
use tokio::sync::Mutex;

pub use self::detail::{PodCondition, PodContainer, PodEvent};
pub use self::error::PodError;
pub use self::log::{PodBeginning, PodViewer};
use self::model::Described;
pub use self::model::{Asked, JobName, Pod, PodState};
use super::names::OWNER;
use super::{OWNER_FILE, Reach, Whereabouts};
use crate::instance::{OwnerState, owner_state};
use crate::{DeployError, blocking};

/// What [`Pods`] needs to know.
#[derive(Debug, Clone, Default)]
pub struct PodSurroundings {
    /// Which cluster.
    pub whereabouts: Whereabouts,
    /// The folder of instances whose pods are ours.
    pub instances: PathBuf,
    /// How the cluster calls its GPUs.
    pub gpu_resource: String,
}

/// The pods of one folder of instances. Clones share everything.
#[derive(Clone)]
pub struct Pods {
    surroundings: Arc<PodSurroundings>,
    reach: Arc<Mutex<Option<Reach>>>,
}

/// A cluster, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Where its API is.
    pub server: String,
    /// The namespace that our Jobs are in.
    pub namespace: String,
    /// Its version.
    pub version: String,
}

/// What a pod's containers, conditions and events say, beside the pod itself.
#[derive(Debug, Clone, PartialEq)]
pub struct PodDetail {
    /// The pod.
    pub pod: Pod,
    /// Its containers, in the order in which they run.
    pub containers: Vec<PodContainer>,
    /// What holds of it.
    pub conditions: Vec<PodCondition>,
    /// What the cluster has noted of it, oldest first.
    pub events: Vec<PodEvent>,
    /// Why there are no events, where they may not be seen.
    pub without_events: Option<String>,
}

impl Pods {
    /// The pods of this folder in this cluster, which is not asked yet.
    #[must_use]
    pub fn new(surroundings: PodSurroundings) -> Self {
        Self {
            surroundings: Arc::new(surroundings),
            reach: Arc::default(),
        }
    }

    /// Whether anything says where a cluster is.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.surroundings.whereabouts.is_known()
    }

    /// Which cluster it is.
    ///
    /// # Errors
    /// [`PodError::NotConfigured`], [`PodError::Unreachable`].
    pub async fn cluster(&self) -> Result<ClusterFacts, PodError> {
        let reach = self.reach().await?;
        Ok(ClusterFacts {
            version: reach.version().await?,
            server: reach.server().to_owned(),
            namespace: reach.namespace().to_owned(),
        })
    }

    /// All of them, newest first.
    ///
    /// # Errors
    /// [`PodError`].
    pub async fn list(&self) -> Result<Vec<Pod>, PodError> {
        let reach = self.reach().await?;
        let Some(owner) = self.owner().await? else {
            // Nothing was ever made there; that it answers is said all the same.
            reach.version().await?;
            return Ok(Vec::new());
        };
        let ours = ListParams::default().labels(&format!("{OWNER}={owner}"));
        let pods = reach.pods();
        let listed = reach.answer("list pods", pods.list(&ours)).await?.items;
        let mut described = Vec::with_capacity(listed.len());
        for pod in &listed {
            described.push(self.described(pod).await?);
        }
        described.sort_by(|one, other| {
            let key = |pod: &Pod| (pod.created_at, pod.name.clone());
            key(other).cmp(&key(one))
        });
        Ok(described)
    }

    /// One of them, by its name.
    ///
    /// # Errors
    /// [`PodError::NotFound`] also where it is another's.
    pub async fn get(&self, name: &str) -> Result<Pod, PodError> {
        let (_, pod) = self.find(name).await?;
        Ok(self.described(&pod).await?)
    }

    /// One of them with all that is known of it.
    ///
    /// # Errors
    /// [`PodError::NotFound`] also where it is another's.
    pub async fn detail(&self, name: &str) -> Result<PodDetail, PodError> {
        let (reach, found) = self.find(name).await?;
        let pod = self.described(&found).await?;
        let of_pod = ListParams::default().fields(&format!("involvedObject.uid={}", pod.uid));
        let events = reach.events();
        let listed = reach.answer("list events", events.list(&of_pod)).await;
        let (events, without_events) = match listed {
            Ok(list) => (detail::events(list.items), None),
            // Who may not see them is told so, and sees the rest.
            Err(DeployError::Refused { message, .. }) => (Vec::new(), Some(message)),
            Err(error) => return Err(error.into()),
        };
        Ok(PodDetail {
            containers: detail::containers(&found),
            conditions: detail::conditions(&found),
            pod,
            events,
            without_events,
        })
    }

    /// Deletes a pod that was found before, and nothing else that has come to be called like it.
    /// With its Job where `is_left` says that nobody will come for that, or the Job would make
    /// another.
    ///
    /// # Errors
    /// [`PodError`]; it may be there still.
    pub async fn delete(&self, pod: &Pod, is_left: bool) -> Result<(), PodError> {
        let reach = self.reach().await?;
        if let Some(job) = pod.job.as_ref().filter(|_| is_left) {
            let jobs = reach.jobs();
            let how = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: Some(job.uid.clone()),
                    resource_version: None,
                }),
                ..DeleteParams::background()
            };
            reach.gone("delete a Job", jobs.delete(&job.name, &how)).await?;
        }
        let pods = reach.pods();
        let how = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(pod.uid.clone()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        Ok(reach.gone("delete a pod", pods.delete(&pod.name, &how)).await?)
    }

    /// The way to the cluster, read anew where it could not be.
    async fn reach(&self) -> Result<Reach, PodError> {
        if !self.is_configured() {
            return Err(PodError::NotConfigured);
        }
        let mut known = self.reach.lock().await;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let reach = Reach::read(self.surroundings.whereabouts.clone()).await?;
        Ok(known.insert(reach).clone())
    }

    /// By what name the cluster knows our folder; `None` where we have never made anything there.
    async fn owner(&self) -> Result<Option<String>, PodError> {
        let path = self.surroundings.instances.join(OWNER_FILE);
        let reading = blocking(move || match std::fs::read_to_string(&path) {
            Ok(name) => Ok(Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DeployError::file("read", &path)(error)),
        });
        Ok(reading.await?)
    }

    /// A pod of ours as the cluster has it.
    async fn find(&self, name: &str) -> Result<(Reach, k8s_openapi::api::core::v1::Pod), PodError> {
        error::checked(name)?;
        let reach = self.reach().await?;
        let not_found = || PodError::NotFound {
            name: name.to_owned(),
        };
        let owner = self.owner().await?.ok_or_else(not_found)?;
        let pods = reach.pods();
        let found = reach.answer("look at a pod", pods.get_opt(name)).await?;
        let labels = |pod: &k8s_openapi::api::core::v1::Pod| pod.metadata.labels.clone().unwrap_or_default();
        let found = found.filter(|pod| labels(pod).get(OWNER) == Some(&owner));
        Ok((reach, found.ok_or_else(not_found)?))
    }

    async fn described(&self, pod: &k8s_openapi::api::core::v1::Pod) -> Result<Pod, DeployError> {
        let described = Described::of(pod, &self.surroundings.gpu_resource);
        let (instances, instance) = (
            self.surroundings.instances.clone(),
            described.instance().to_owned(),
        );
        let state = blocking(move || owner_state(&instances, &instance)).await?;
        Ok(described.whose_owner_lives(state == OwnerState::Alive))
    }
}
