//! Waits for a service, and watches its pods.
//!
//! The one idea: there are two accounts of a service, what its operator says and what its pods are
//! like, and either may be the first to tell that it fails. A container that has ended is the
//! engine's failure, though the operator starts it again; what the cluster did is the cluster's; a
//! pod that does not run what was asked for is nobody's result.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep};

use super::super::attend::{CLUSTER_PATIENCE, HELP_PATIENCE, LOOK, PREPARING, Placed, placed_in};
use super::super::fate::{Ending, PodState, disruption, find, read_container};
use super::ServiceRun;
use super::conditions::{self, ServiceState};
use crate::Exit;
use crate::error::whole_story;

/// A service that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// Where.
    pub url: String,
    /// Where its engine runs.
    pub placed: Placed,
}

/// How long a service may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From its start until its engine is ready, and until it has a pod at all.
    pub start: Duration,
}

/// Why a service is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The cluster or the operator has lost it, or never had it running.
    Lost(String),
    /// Its engine has ended.
    Exited(Exit),
    /// Its engine runs, and was not ready in time.
    NotReady(String),
    /// It does not run what was asked for.
    Ignored(String),
}

/// How far a service has come.
#[derive(Debug)]
struct Progress {
    begun: Instant,
    /// The pod that the rest is about, and since when it is there.
    pod: Option<(String, Instant)>,
    heard_at: Instant,
    placed_since: Option<Instant>,
    running_since: Option<Instant>,
    stuck_since: Option<Instant>,
    waiting: String,
}

impl Progress {
    /// What was known of one pod is not known of another.
    fn turn_to(&mut self, pod: &str) {
        if self.pod.as_ref().is_none_or(|(name, _)| name != pod) {
            self.pod = Some((pod.to_owned(), Instant::now()));
            self.placed_since = None;
            self.running_since = None;
            self.stuck_since = None;
        }
    }
}

impl ServiceRun {
    /// Waits until the service is ready and its pod is seen to run what was asked for. What it waits
    /// for is told on the way.
    ///
    /// # Errors
    /// Why that will not be, or was not in time.
    pub async fn until_ready(
        &self,
        patience: Patience,
        told: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Serving, Trouble> {
        let now = Instant::now();
        let mut progress = Progress {
            begun: now,
            pod: None,
            heard_at: now,
            placed_since: None,
            running_since: None,
            stuck_since: None,
            waiting: String::new(),
        };
        loop {
            let seen = match self.look(&mut progress, patience).await {
                Ok(seen) => seen,
                Err(trouble) => return Err(self.with_last_words(trouble).await),
            };
            match seen {
                Ok(serving) => return Ok(serving),
                Err(waiting) => {
                    if progress.waiting != waiting {
                        told(&waiting);
                        progress.waiting = waiting;
                    }
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Ends when the service does, or when its pod is not what it was.
    pub async fn until_broken(&self, serving: &Serving) -> Trouble {
        let mut heard_at = Instant::now();
        loop {
            sleep(LOOK).await;
            match self.broken(serving).await {
                Ok(None) => heard_at = Instant::now(),
                Ok(Some(trouble)) => return self.with_last_words(trouble).await,
                Err(why) if heard_at.elapsed() > CLUSTER_PATIENCE => return Trouble::Lost(why),
                Err(_) => {}
            }
        }
    }

    /// What has been wrong with a service whose load is over, watched for this long: what a cluster
    /// tells of an engine's end may be late. That nothing is wrong is the cluster's own word, which is
    /// waited for.
    pub async fn since(&self, serving: &Serving, watched_for: Duration) -> Option<Trouble> {
        let begun = Instant::now();
        loop {
            match self.broken(serving).await {
                Ok(Some(trouble)) => return Some(self.with_last_words(trouble).await),
                Ok(None) if begun.elapsed() >= watched_for => return None,
                Err(why) if begun.elapsed() > CLUSTER_PATIENCE => return Some(Trouble::Lost(why)),
                Ok(None) | Err(_) => {}
            }
            sleep(LOOK).await;
        }
    }

    /// What is wrong with a service that was ready, if something is; or why that cannot be told.
    ///
    /// # Errors
    /// The cluster does not answer.
    async fn broken(&self, serving: &Serving) -> Result<Option<Trouble>, String> {
        let pods = self.cluster.pods_of(self.kind, &self.name);
        let pods = pods.await.map_err(|error| whole_story(&error))?;
        let name = serving.placed.pod.as_str();
        let ours = pods.iter().find(|pod| name_of(pod) == name);
        let Some(pod) = ours else {
            return Ok(Some(Trouble::Lost("its pod was taken away".into())));
        };
        // What a second one answers is not what this one would.
        if let Some(other) = pods.iter().find(|pod| name_of(pod) != name) {
            return Ok(Some(Trouble::Lost(format!(
                "another pod of it is there: {}",
                name_of(other)
            ))));
        }
        if let Some(trouble) = exited(pod, self.kind.container()) {
            return Ok(Some(trouble));
        }
        Ok(match read_container(pod, self.kind.container(), false) {
            PodState::Ended(ending) => Some(ended(ending)),
            _ => None,
        })
    }

    /// The same trouble, once what an engine that has ended printed last is written down.
    async fn with_last_words(&self, trouble: Trouble) -> Trouble {
        if matches!(trouble, Trouble::Exited(_)) {
            self.log.caught_up().await;
        }
        trouble
    }

    /// One look at all of it: it is ready, or what it waits for.
    async fn look(
        &self,
        progress: &mut Progress,
        patience: Patience,
    ) -> Result<Result<Serving, String>, Trouble> {
        let looking = async {
            let service = self.cluster.service(self.kind, &self.name).await?;
            let pods = self.cluster.pods_of(self.kind, &self.name).await?;
            Ok((service, pods))
        };
        let looked: Result<_, crate::DeployError> = looking.await;
        let (service, pods) = match looked {
            Ok(seen) => seen,
            Err(error) => {
                let why = whole_story(&error);
                return match progress.heard_at.elapsed() > CLUSTER_PATIENCE {
                    true => Err(Trouble::Lost(why)),
                    false => Ok(Err(why)),
                };
            }
        };
        progress.heard_at = Instant::now();
        let Some(service) = service else {
            return Err(Trouble::Lost("its InferenceService was deleted".into()));
        };
        let state = conditions::read(&service);
        let says = match &state {
            ServiceState::Waiting(says) | ServiceState::Invalid(says) => says.clone(),
            ServiceState::Ready(_) => "it is ready".to_owned(),
        };
        if matches!(state, ServiceState::Invalid(_)) {
            self.stuck(progress, &says)?;
        }
        let Some(pod) = pods.last() else {
            if progress.begun.elapsed() > patience.start {
                let seconds = patience.start.as_secs_f64();
                return Err(Trouble::Lost(format!(
                    "{} made no pod of it within {seconds} s: {says}",
                    self.kind.name()
                )));
            }
            return Ok(Err(says));
        };
        self.log
            .follow(self.cluster.reach.pods(), &name_of(pod), self.kind.container());
        if let Some(missing) = self.asked.missing_in(pod) {
            return Err(Trouble::Ignored(format!(
                "{} does not run what was asked for: {missing} (pod {})",
                self.kind.name(),
                name_of(pod)
            )));
        }
        if let Some(trouble) = exited(pod, self.kind.container()) {
            return Err(trouble);
        }
        progress.turn_to(&name_of(pod));
        let says = self.progress_of(pod, progress, patience, says)?;
        match state {
            // Of two pods, one is on its way out.
            ServiceState::Ready(url) if pods.len() == 1 && progress.running_since.is_some() => {
                Ok(Ok(Serving {
                    url,
                    placed: placed_in(pod, self.kind.container()),
                }))
            }
            _ => Ok(Err(says)),
        }
    }

    /// What a pod waits for, as long as it may.
    fn progress_of(
        &self,
        pod: &Pod,
        progress: &mut Progress,
        patience: Patience,
        says: String,
    ) -> Result<String, Trouble> {
        let now = Instant::now();
        let state = read_container(pod, self.kind.container(), false);
        match state {
            PodState::Unplaced(why) => {
                let limit = self.cluster.schedule_timeout;
                let since = progress.pod.as_ref().map_or(progress.begun, |(_, since)| *since);
                match since.elapsed() > limit {
                    true => Err(Trouble::Lost(format!(
                        "no node has taken its pod within {} s: {why}",
                        limit.as_secs_f64()
                    ))),
                    false => Ok(why),
                }
            }
            PodState::Preparing(what) => {
                progress.stuck_since = None;
                prepared_in_time(progress, now, &what).map(|()| what)
            }
            PodState::Stuck(what) => {
                self.stuck(progress, &what)?;
                prepared_in_time(progress, now, &what).map(|()| what)
            }
            PodState::Running => {
                progress.stuck_since = None;
                let since = *progress.running_since.get_or_insert(now);
                match since + patience.start < now {
                    true => Err(Trouble::NotReady(format!(
                        "the engine was not ready after {} s: {says}",
                        patience.start.as_secs_f64()
                    ))),
                    false => Ok(says),
                }
            }
            PodState::Ended(ending) => Err(ended(ending)),
        }
    }

    /// Gives up what does not come right by itself.
    fn stuck(&self, progress: &mut Progress, why: &str) -> Result<(), Trouble> {
        let now = Instant::now();
        match *progress.stuck_since.get_or_insert(now) + HELP_PATIENCE < now {
            true => Err(Trouble::Lost(why.to_owned())),
            false => Ok(()),
        }
    }
}

fn prepared_in_time(progress: &mut Progress, now: Instant, what: &str) -> Result<(), Trouble> {
    match *progress.placed_since.get_or_insert(now) + PREPARING < now {
        true => Err(Trouble::Lost(format!(
            "its container did not start within {} s: {what}",
            PREPARING.as_secs()
        ))),
        false => Ok(()),
    }
}

fn ended(ending: Ending) -> Trouble {
    match ending {
        Ending::Lost(why) => Trouble::Lost(why),
        Ending::OutOfMemory(_) => Trouble::Exited(Exit {
            code: None,
            signal: None,
            out_of_memory: true,
        }),
        Ending::Done => Trouble::Lost("its pod ended by itself".into()),
    }
}

/// How the engine's container has ended, at some time: whoever starts it again, what it serves now
/// is another engine. What the cluster has stopped has not ended by itself.
fn exited(pod: &Pod, container: &str) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    let is_stopped =
        pod.metadata.deletion_timestamp.is_some() || status.reason.is_some() || disruption(status).is_some();
    let engine = find(status.container_statuses.as_deref(), container)?;
    let mut states = [&engine.state, &engine.last_state].into_iter().flatten();
    let end = states.find_map(|state| state.terminated.as_ref())?;
    if is_stopped {
        return None;
    }
    Some(Trouble::Exited(Exit {
        code: Some(end.exit_code),
        signal: end.signal,
        out_of_memory: end.reason.as_deref() == Some("OOMKilled"),
    }))
}

fn name_of(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}

#[cfg(test)]
#[path = "tests/attend.rs"]
mod tests;
