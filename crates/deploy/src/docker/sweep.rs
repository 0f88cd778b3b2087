//! Clears away the containers of dead instances.
//!
//! The rule is the one of all sweeps: an instance is dead when nobody holds its lock. Its
//! containers are found by their labels, at the daemon that is on record. A daemon that does
//! not answer keeps the record where it is, for the next sweep.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::connect::Daemon;
use super::container::Found;
use super::end::{Output, end};
use super::names;
use super::record::ContainerRecords;
use super::shared::Shared;
use crate::error::whole_story;
use crate::instance::{OwnerState, owner_state};
use crate::{DeployError, SweepReport, Swept, blocking};

/// How long after its owner's death a container may still appear that it had asked for.
const LATE_CREATION: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(200);

/// Ends all containers of one dead instance, wherever its records say they are. Problems in the
/// report mean that it is not cleared.
pub(crate) async fn clear_instance(
    instances: &Path,
    instance: &str,
    records: &ContainerRecords,
    grace: Duration,
) -> Result<SweepReport, DeployError> {
    let folder = instances.to_owned();
    let folder = blocking(move || Ok(names::whole_path(&folder))).await?;
    let on_record: BTreeSet<&str> = records
        .records
        .iter()
        .filter_map(|record| record.container.as_deref())
        .collect();
    let is_its = |found: &Found| {
        let owner = &found.labels.owner;
        owner.instance == instance && (owner.instances == folder || on_record.contains(found.id.as_str()))
    };
    let may_be_late = records.records.iter().any(|record| record.container.is_none());
    let mut report = SweepReport::default();
    let mut found_in_all = 0;
    for address in daemons(records) {
        let daemon = Daemon::connect(address).await?;
        let mut found = find(&daemon, instance, may_be_late).await?;
        found.retain(is_its);
        found_in_all += found.len();
        report.merge(end_all(&daemon, found, grace, &CancellationToken::new()).await?);
    }
    report.already_gone += records.records.len().saturating_sub(found_in_all);
    Ok(report)
}

/// The addresses on record. Where what they say is lost, the usual one is the best guess.
fn daemons(records: &ContainerRecords) -> BTreeSet<Option<&str>> {
    let known = records.records.iter().map(|record| Some(record.daemon.as_str()));
    let guess = (!records.unreadable.is_empty()).then_some(None);
    known.chain(guess).collect()
}

/// See [`super::DockerDeployer::sweep`].
pub(crate) async fn sweep_daemon(
    shared: &Arc<Shared>,
    grace: Duration,
    cancel: &CancellationToken,
) -> Result<SweepReport, DeployError> {
    let listed = shared.daemon.list(&[(names::INSTANCE, "")]).await;
    let mut listed = listed.map_err(|failed| failed.telling("list containers", ""))?;
    listed.retain(|found| found.labels.owner.is_beside(&shared.owner));
    let instances = shared.config.instance.instances().to_owned();
    let dead = blocking(move || {
        let mut states = HashMap::new();
        for found in &listed {
            let name = &found.labels.owner.instance;
            if !states.contains_key(name) {
                states.insert(name.clone(), owner_state(&instances, name)?);
            }
        }
        listed.retain(|found| states.get(&found.labels.owner.instance) == Some(&OwnerState::Dead));
        Ok(listed)
    });
    end_all(&shared.daemon, dead.await?, grace, cancel).await
}

/// The containers of an instance. One that its owner asked for with its last breath may take a
/// moment to appear.
async fn find(daemon: &Daemon, instance: &str, may_be_late: bool) -> Result<Vec<Found>, DeployError> {
    let until = Instant::now() + LATE_CREATION;
    loop {
        let found = daemon.list(&[(names::INSTANCE, instance)]).await;
        let found = found.map_err(|failed| failed.telling("list containers", ""))?;
        if !found.is_empty() || !may_be_late || Instant::now() >= until {
            return Ok(found);
        }
        sleep(PAUSE).await;
    }
}

/// Ends them all at the same time. One that cannot be ended keeps no other from it.
async fn end_all(
    daemon: &Daemon,
    found: Vec<Found>,
    grace: Duration,
    cancel: &CancellationToken,
) -> Result<SweepReport, DeployError> {
    let mut work = JoinSet::new();
    for container in found {
        let daemon = daemon.clone();
        work.spawn(async move {
            let ended = end_one(&daemon, &container, grace).await;
            (container, ended)
        });
    }
    let mut report = SweepReport::default();
    loop {
        let done = tokio::select! {
            done = work.join_next() => done,
            () = cancel.cancelled() => return Err(DeployError::Cancelled),
        };
        match done {
            None => break,
            Some(Ok((container, Ok(())))) if container.is_running => {
                report.stopped.push(swept(container));
            }
            Some(Ok((_, Ok(())))) => report.already_gone += 1,
            Some(Ok((_, Err(error)))) => report.problems.push(whole_story(&error)),
            Some(Err(error)) => report
                .problems
                .push(format!("a part of the sweep broke off: {error}")),
        }
    }
    Ok(report)
}

async fn end_one(daemon: &Daemon, container: &Found, grace: Duration) -> Result<(), DeployError> {
    let log_file = &container.labels.log_file;
    let output = match log_file.as_os_str().is_empty() {
        true => Output::Unwanted,
        false => Output::File(log_file),
    };
    end(daemon, &container.id, grace, &output).await
}

fn swept(container: Found) -> Swept {
    Swept {
        instance: container.labels.owner.instance,
        task: container.labels.task,
        experiment: container.labels.experiment,
        process_ids: Vec::new(),
        container: Some(container.id),
    }
}
