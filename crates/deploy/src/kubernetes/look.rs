//! Looks at one Job's pod, and for the reason where it has none.

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;

use super::Cluster;
use super::fate::told;
use crate::error::whole_story;

/// A pod as it was at the last look.
pub(super) enum Seen {
    /// It is there.
    There(Box<Pod>),
    /// The Job has no pod yet, and what is known of the reason.
    None(Option<String>),
    /// The Job waits in a queue, which takes as long as it takes.
    Queued,
    /// The cluster has not answered.
    Unheard(String),
}

/// A Job to be looked at.
pub(super) struct Looked {
    pub(super) cluster: Cluster,
    pub(super) job: String,
    pub(super) uid: String,
}

impl Looked {
    /// The Job's first pod.
    pub(super) async fn look(&self) -> Seen {
        let of_job = ListParams::default().labels(&format!("controller-uid={}", self.uid));
        let pods = self.cluster.reach.pods();
        match self.cluster.reach.answer("list pods", pods.list(&of_job)).await {
            Err(error) => Seen::Unheard(whole_story(&error)),
            Ok(list) => {
                let made = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
                match list.items.into_iter().min_by_key(made) {
                    Some(pod) => Seen::There(Box::new(pod)),
                    None => self.without_pod().await,
                }
            }
        }
    }

    /// That pod again.
    pub(super) async fn look_at(&self, pod: &str) -> Seen {
        let pods = self.cluster.reach.pods();
        match self
            .cluster
            .reach
            .answer("look at a pod", pods.get_opt(pod))
            .await
        {
            Err(error) => Seen::Unheard(whole_story(&error)),
            Ok(Some(pod)) => Seen::There(Box::new(pod)),
            Ok(None) => Seen::None(None),
        }
    }

    /// What keeps a Job from having a pod: a queue, or a quota, of which only events tell.
    async fn without_pod(&self) -> Seen {
        let jobs = self.cluster.reach.jobs();
        let job = self
            .cluster
            .reach
            .answer("look at a Job", jobs.get_opt(&self.job))
            .await;
        match job {
            Ok(Some(job)) if job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true)) => Seen::Queued,
            Ok(Some(_)) => Seen::None(self.complaint().await),
            Ok(None) => Seen::None(Some("its Job was deleted".into())),
            Err(error) => Seen::Unheard(whole_story(&error)),
        }
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
