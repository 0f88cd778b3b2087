//! The way to a cluster: which server, in which namespace, with whose account.
//!
//! Everything that is asked of a cluster is asked through here, within a deadline. It knows nothing
//! of Jobs and of whose they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod, Secret};
use kube::api::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::error::{cluster_at, refused};
use crate::DeployError;
use crate::error::whole_story;

/// Longest wait for a connection and for one answer of the API.
pub(super) const ANSWER: Duration = Duration::from_secs(20);

/// Where a pod finds the namespace that it is in.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Where a pod finds what shows that it may ask.
const OWN_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The namespace where nobody names one.
const USUAL_NAMESPACE: &str = "default";

/// Which cluster.
#[derive(Debug, Clone, Default)]
pub struct Whereabouts {
    /// The kubeconfig; the account of our own pod when `None`.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; its current one when `None`.
    pub context: Option<String>,
    /// The namespace; the context's when `None`.
    pub namespace: Option<String>,
}

impl Whereabouts {
    /// Whether anything says where a cluster is.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.kubeconfig.is_some() || is_in_pod()
    }
}

/// Whether this process is in a pod that has an account in its cluster.
pub fn is_in_pod() -> bool {
    Path::new(OWN_TOKEN).exists()
}

/// A cluster's API, and the namespace that we are in.
#[derive(Clone)]
pub struct Reach {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) server: String,
}

impl Reach {
    /// Reads how to reach the cluster. It is not asked yet.
    ///
    /// # Errors
    /// [`DeployError::TargetGone`] where nothing says how, or what says so cannot be used.
    pub async fn read(whereabouts: Whereabouts) -> Result<Self, DeployError> {
        let Whereabouts {
            kubeconfig,
            context,
            namespace,
        } = whereabouts;
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
        let mut config = match &kubeconfig {
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
        config.connect_timeout = Some(ANSWER);
        // A log is silent for as long as an engine is.
        config.read_timeout = None;
        let own = kubeconfig
            .is_none()
            .then(|| fs::read_to_string(OWN_NAMESPACE).ok());
        let own = own.flatten().map(|text| text.trim().to_owned());
        let usual = Some(config.default_namespace.clone()).filter(|name| !name.is_empty());
        let namespace = namespace.or(own).or(usual);
        let server = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| unusable(kubeconfig.as_deref(), &error))?;
        Ok(Self {
            client,
            namespace: namespace.unwrap_or_else(|| USUAL_NAMESPACE.to_owned()),
            server,
        })
    }

    /// The namespace that Jobs are made in.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where the cluster's API is.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
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

    /// One answer, within a deadline.
    pub(super) async fn answer<T>(
        &self,
        action: &'static str,
        asking: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, DeployError> {
        match tokio::time::timeout(ANSWER, asking).await {
            Ok(answer) => answer.map_err(|error| refused(action, &self.server, error)),
            Err(_) => Err(DeployError::TargetGone {
                target: cluster_at(&self.server),
                message: format!("no answer within {} s", ANSWER.as_secs()),
            }),
        }
    }

    /// The same for a deletion, of which "not there" is the best answer.
    pub(super) async fn gone<T>(
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

    pub(super) fn jobs(&self) -> Api<Job> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(super) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(super) fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(super) fn events(&self) -> Api<Event> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}
