//! Takes a Job away with all that belongs to it, and sees it gone.
//!
//! A cluster that is asked for much at once answers late; what has not been answered is asked again
//! for as long as a removal may take. What is known of the pods anyway is read from there, and only
//! that there are none is the cluster's own word.

use std::collections::HashSet;
use std::time::Duration;

use kube::api::{DeleteParams, ListParams};
use tokio::time::{Instant, sleep};

use super::Cluster;
use super::watched::Ticket;
use crate::DeployError;

/// Pause before the second look whether a pod is gone. Each further one is half as long again.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How much longer than its grace a pod may take to be gone, before it is forced and after.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a removal goes by what is known of pods: to a watch that the network has lost nobody
/// says so, and it still shows what is long gone.
const TRUST: Duration = Duration::from_secs(4);

/// One Job that is being removed.
struct Removal<'a> {
    cluster: &'a Cluster,
    name: &'a str,
    grace: Duration,
    ticket: Ticket,
    begun: Instant,
    /// Whether Job and secret are deleted.
    is_forgotten: bool,
    /// Which pods were told to go, and whether with force.
    told: HashSet<(String, bool)>,
}

impl Cluster {
    /// Removes a Job with all that belongs to it, and waits until its pod is gone. One that is not
    /// there is no error.
    ///
    /// # Errors
    /// It is still there, or the cluster does not answer.
    pub async fn remove(&self, name: &str, grace: Duration) -> Result<(), DeployError> {
        // Whatever comes of it, no experiment needs it: the sweep may try again.
        self.live().remove(name);
        let mut removal = Removal {
            cluster: self,
            name,
            grace,
            ticket: Ticket::take(self),
            begun: Instant::now(),
            is_forgotten: false,
            told: HashSet::new(),
        };
        let polite_until = Instant::now() + grace + PATIENCE;
        let until = polite_until + PATIENCE;
        let mut pause = PAUSE;
        loop {
            let now = Instant::now();
            match removal.step(now > polite_until || grace.is_zero()).await {
                Ok(true) => return Ok(()),
                Ok(false) if now > until => {
                    return Err(DeployError::StillRunning { id: name.to_owned() });
                }
                Ok(false) => {}
                Err(DeployError::TargetGone { .. }) if now < until => {}
                Err(error) => return Err(error),
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Deletes a Job and its secret without waiting.
    pub(super) async fn forget(&self, name: &str, grace: Duration) -> Result<(), DeployError> {
        let how = match grace.is_zero() {
            true => DeleteParams::background().grace_period(0),
            false => DeleteParams::background(),
        };
        self.reach
            .gone("delete a Job", self.reach.jobs().delete(name, &how))
            .await?;
        let now = DeleteParams::default();
        self.reach
            .gone("delete a secret", self.reach.secrets().delete(name, &now))
            .await
    }
}

impl Removal<'_> {
    /// Does what is still to be done; whether it is gone.
    async fn step(&mut self, is_forced: bool) -> Result<bool, DeployError> {
        if !self.is_forgotten {
            // The Job first, or its controller would make another pod.
            self.cluster.forget(self.name, self.grace).await?;
            self.is_forgotten = true;
        }
        let left = self.left().await?;
        let pods = self.cluster.reach.pods();
        let seconds = match is_forced {
            true => 0,
            false => u32::try_from(self.grace.as_secs()).unwrap_or(u32::MAX),
        };
        for pod in &left {
            if !self.told.contains(&(pod.clone(), is_forced)) {
                let how = DeleteParams::default().grace_period(seconds);
                let reach = &self.cluster.reach;
                reach.gone("delete a pod", pods.delete(pod, &how)).await?;
                self.told.insert((pod.clone(), is_forced));
            }
        }
        Ok(left.is_empty())
    }

    /// The names of its pods that are still there.
    async fn left(&self) -> Result<Vec<String>, DeployError> {
        let known = self.ticket.names(self.name);
        if !known.is_empty() && self.begun.elapsed() < TRUST {
            return Ok(known);
        }
        let pods = self.cluster.reach.pods();
        let of_job = ListParams::default().labels(&format!("job-name={}", self.name));
        let listed = self.cluster.reach.answer("list pods", pods.list(&of_job));
        let listed = listed.await?.items.into_iter();
        Ok(listed.filter_map(|pod| pod.metadata.name).collect())
    }
}
