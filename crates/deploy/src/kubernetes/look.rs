//! Looks at one Job's pod, and for the reason where it has none.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use tokio::time::Instant;

use super::Cluster;
use super::fate::told;
use super::watched::{Posted, Ticket};
use crate::error::whole_story;

/// How long a Job may have no pod without a reason.
const USUAL: Duration = Duration::from_secs(2);

/// Pause between two questions why a Job has no pod.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(5);

/// A pod as it was at the last look.
pub(super) enum Seen {
    /// It is there.
    There(Arc<Pod>),
    /// The Job has no pod yet, and what is known of the reason.
    None(Option<String>),
    /// The Job waits in a queue, which takes as long as it takes.
    Queued,
    /// The cluster has not answered.
    Unheard(String),
}

/// A Job to be looked at.
pub(super) struct Looked {
    cluster: Cluster,
    job: String,
    uid: String,
    ticket: Ticket,
    /// When it was first looked for in vain, since when it is.
    missing_since: Option<Instant>,
    /// When it was asked why there is no pod, and what the answer was.
    asked: Option<(Instant, NoPod)>,
}

/// Why a Job has no pod.
#[derive(Clone)]
enum NoPod {
    Queued,
    Because(Option<String>),
}

impl From<NoPod> for Seen {
    fn from(why: NoPod) -> Self {
        match why {
            NoPod::Queued => Self::Queued,
            NoPod::Because(why) => Self::None(why),
        }
    }
}

impl Looked {
    pub(super) fn new(cluster: Cluster, job: &str, uid: String) -> Self {
        let ticket = Ticket::take(&cluster);
        Self {
            cluster,
            job: job.to_owned(),
            uid,
            ticket,
            missing_since: None,
            asked: None,
        }
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The Job's first pod.
    pub(super) async fn look(&mut self) -> Seen {
        match self.ticket.look(&self.job) {
            Posted::First(pod) => {
                self.missing_since = None;
                Seen::There(pod)
            }
            Posted::Unheard(why) => Seen::Unheard(why),
            Posted::None => self.without_pod().await,
        }
    }

    /// That pod again.
    pub(super) async fn look_at(&self, pod: &str) -> Seen {
        match self.ticket.pod(&self.job, pod) {
            Posted::First(pod) => Seen::There(pod),
            Posted::Unheard(why) => Seen::Unheard(why),
            Posted::None => {
                let pods = self.cluster.reach.pods();
                match self
                    .cluster
                    .reach
                    .answer("look at a pod", pods.get_opt(pod))
                    .await
                {
                    Err(error) => Seen::Unheard(whole_story(&error)),
                    Ok(Some(pod)) => Seen::There(Arc::new(pod)),
                    Ok(None) => Seen::None(None),
                }
            }
        }
    }

    /// What keeps a Job from having a pod: a queue, or a quota, of which only events tell. A Job
    /// that has just been made has none yet, and needs no reason.
    async fn without_pod(&mut self) -> Seen {
        let now = Instant::now();
        if *self.missing_since.get_or_insert(now) + USUAL > now {
            return Seen::None(None);
        }
        if let Some((at, why)) = &self.asked
            && *at + BETWEEN_QUESTIONS > now
        {
            return why.clone().into();
        }
        let jobs = self.cluster.reach.jobs();
        let job = self
            .cluster
            .reach
            .answer("look at a Job", jobs.get_opt(&self.job))
            .await;
        let why = match job {
            Ok(Some(job)) if job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true)) => {
                NoPod::Queued
            }
            Ok(Some(_)) => NoPod::Because(self.complaint().await),
            Ok(None) => NoPod::Because(Some("its Job was deleted".into())),
            Err(error) => return Seen::Unheard(whole_story(&error)),
        };
        self.asked = Some((now, why.clone()));
        why.into()
    }

    /// The last thing that the cluster has complained of about the Job. Who may not see events has
    /// to do without.
    async fn complaint(&self) -> Option<String> {
        let of_job = ListParams::default().fields(&format!("involvedObject.uid={}", self.uid));
        let events = self.cluster.reach.events();
        let listed = self
            .cluster
            .reach
            .answer("list events", events.list(&of_job))
            .await;
        let warnings = listed.ok()?.items.into_iter();
        let event = warnings
            .filter(|event| event.type_.as_deref() == Some("Warning"))
            .max_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0))?;
        told(event.reason.as_deref(), event.message.as_deref())
    }
}
