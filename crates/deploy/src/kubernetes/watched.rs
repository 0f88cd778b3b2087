//! All pods of this process's Jobs, watched once for all who wait for one.
//!
//! The one idea: what it costs the cluster must not grow with the number of experiments. One list,
//! then one stream of changes, is kept up for as long as anybody holds a [`Ticket`]; who looks at a
//! pod reads here and asks nobody. What is read is what the API server has said last: a pod that is
//! missing here may only be late, so whoever draws a conclusion from that asks the server itself.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, WatchEvent, WatchParams};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::Cluster;
use super::names::{OWNER, value};
use super::reach::ANSWER;
use crate::docker::names::INSTANCE;
use crate::error::whole_story;

/// How long one stream of changes is kept open, in seconds. One that the network has lost without
/// a word is noticed soon after.
const STREAM_SECONDS: u32 = 30;

/// Pause before the pods are listed anew.
const AGAIN: Duration = Duration::from_millis(500);

/// The label of a pod with the name of its Job, which no other has.
const OF_JOB: &str = "job-name";

/// What is known of the pods.
#[derive(Default)]
struct Known {
    /// By the name of their Job and their own.
    pods: HashMap<String, BTreeMap<String, Arc<Pod>>>,
    /// Why nothing has been heard lately.
    unheard: Option<String>,
    /// Who looks.
    tickets: usize,
    /// The one who listens.
    listening: Option<JoinHandle<()>>,
}

/// What the board says of a Job's pods.
pub(super) enum Posted {
    /// The one that was made first.
    First(Arc<Pod>),
    /// None is known.
    None,
    /// The cluster has not answered, and what is known may be over.
    Unheard(String),
}

/// What is known of all pods of a process.
#[derive(Default)]
pub(super) struct Watched {
    known: Mutex<Known>,
}

/// Keeps the pods watched while it is held.
pub(super) struct Ticket {
    watched: Arc<Watched>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut known = self.watched.known();
        known.tickets -= 1;
        if known.tickets == 0 {
            if let Some(listening) = known.listening.take() {
                listening.abort();
            }
            // Nobody hears what becomes of them.
            *known = Known::default();
        }
    }
}

impl Ticket {
    /// Begins to watch, where nobody does yet.
    pub(super) fn take(cluster: &Cluster) -> Self {
        let watched = Arc::clone(&cluster.watched);
        let mut known = watched.known();
        known.tickets += 1;
        if known.listening.is_none() {
            known.listening = Some(tokio::spawn(listen(cluster.clone())));
        }
        drop(known);
        Self { watched }
    }

    /// What is known of a Job's pods.
    pub(super) fn look(&self, job: &str) -> Posted {
        let known = self.watched.known();
        if let Some(why) = known.unheard() {
            return Posted::Unheard(why);
        }
        let pods = known.pods.get(job).into_iter().flat_map(BTreeMap::values);
        let made = |pod: &&Arc<Pod>| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        match pods.min_by_key(made) {
            Some(pod) => Posted::First(Arc::clone(pod)),
            None => Posted::None,
        }
    }

    /// The names of a Job's pods; none where nothing is known.
    pub(super) fn names(&self, job: &str) -> Vec<String> {
        let known = self.watched.known();
        match known.unheard() {
            Some(_) => Vec::new(),
            None => known
                .pods
                .get(job)
                .map(|pods| pods.keys().cloned().collect())
                .unwrap_or_default(),
        }
    }

    /// A pod of a Job by its name.
    pub(super) fn pod(&self, job: &str, name: &str) -> Posted {
        let known = self.watched.known();
        if let Some(why) = known.unheard() {
            return Posted::Unheard(why);
        }
        match known.pods.get(job).and_then(|pods| pods.get(name)) {
            Some(pod) => Posted::First(Arc::clone(pod)),
            None => Posted::None,
        }
    }
}

impl Watched {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unheard(&self, why: String) {
        self.known().unheard = Some(why);
    }

    fn listed(&self, pods: Vec<Pod>) {
        let mut known = self.known();
        known.pods.clear();
        for pod in pods {
            known.post(pod);
        }
        known.unheard = None;
    }
}

impl Known {
    /// Why what is known may be over.
    fn unheard(&self) -> Option<String> {
        let is_heard = self.listening.as_ref().is_some_and(|task| !task.is_finished());
        match (&self.unheard, is_heard) {
            (Some(why), _) => Some(why.clone()),
            (None, true) => None,
            (None, false) => Some("nobody listens to the cluster".into()),
        }
    }

    fn post(&mut self, pod: Pod) {
        if let Some((job, name)) = place_of(&pod) {
            self.pods.entry(job).or_default().insert(name, Arc::new(pod));
        }
    }

    fn take_down(&mut self, pod: &Pod) {
        if let Some((job, name)) = place_of(pod)
            && let Some(pods) = self.pods.get_mut(&job)
        {
            pods.remove(&name);
            if pods.is_empty() {
                self.pods.remove(&job);
            }
        }
    }
}

/// The name of its Job, and its own.
fn place_of(pod: &Pod) -> Option<(String, String)> {
    let job = pod.metadata.labels.as_ref()?.get(OF_JOB)?;
    Some((job.clone(), pod.metadata.name.clone()?))
}

/// Keeps what is known up to date, for ever.
async fn listen(cluster: Cluster) {
    let instance = value(cluster.instance.name());
    let selector = format!("{OWNER}={},{INSTANCE}={instance}", cluster.owner);
    loop {
        let why = match list(&cluster, &selector).await {
            Ok(version) => follow(&cluster, &selector, version).await,
            Err(why) => why,
        };
        if let Some(why) = why {
            cluster.watched.unheard(why);
        }
        sleep(AGAIN).await;
    }
}

/// Lists all pods; the version of the list.
async fn list(cluster: &Cluster, selector: &str) -> Result<String, Option<String>> {
    let pods = cluster.reach.pods();
    let ours = ListParams::default().labels(selector);
    let listed = cluster.reach.answer("list pods", pods.list(&ours)).await;
    let listed = listed.map_err(|error| Some(whole_story(&error)))?;
    cluster.watched.listed(listed.items);
    Ok(listed.metadata.resource_version.unwrap_or_default())
}

/// Follows what changes, from a version on, until a new list is needed; why nothing can be heard,
/// if that is the reason.
async fn follow(cluster: &Cluster, selector: &str, mut version: String) -> Option<String> {
    let pods = cluster.reach.pods();
    let ours = WatchParams::default().labels(selector).timeout(STREAM_SECONDS);
    // The server ends a stream in time, or it is gone.
    let patience = Duration::from_secs(STREAM_SECONDS.into()) + ANSWER;
    loop {
        let stream = match cluster
            .reach
            .answer("watch pods", pods.watch(&ours, &version))
            .await
        {
            Ok(stream) => stream,
            Err(error) => return Some(whole_story(&error)),
        };
        let begun = Instant::now();
        let mut stream = pin!(stream);
        loop {
            let event = match timeout(patience, stream.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => return Some(whole_story(&error)),
                // It has run its time.
                Ok(None) => break,
                Err(_) => return Some(format!("no sign of life within {} s", patience.as_secs())),
            };
            let mut known = cluster.watched.known();
            match event {
                WatchEvent::Added(pod) | WatchEvent::Modified(pod) => {
                    version = pod.metadata.resource_version.clone().unwrap_or(version);
                    known.post(pod);
                }
                WatchEvent::Deleted(pod) => {
                    version = pod.metadata.resource_version.clone().unwrap_or(version);
                    known.take_down(&pod);
                }
                WatchEvent::Bookmark(mark) => version = mark.metadata.resource_version,
                // The version is too old, or whatever else: a new list mends it.
                WatchEvent::Error(_) => return None,
            }
        }
        // One that ends at once is not asked for without a pause.
        if begun.elapsed() < AGAIN {
            sleep(AGAIN).await;
        }
    }
}
