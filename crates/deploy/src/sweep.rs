//! Clears away what dead instances of ours left behind.
//!
//! "Left behind" means exactly this: on record under an instance whose lock nobody holds,
//! and alive under the very identity on record or with the instance's mark in its
//! environment. Living instances are not touched, whoever runs them. The sweep holds a dead
//! instance's lock while it works on it, so two sweeps share the work and never collide.
//! Containers are cleared in the same go, where a dead instance has some on record.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::docker::record::{self as docker_record, ContainerRecords};
use crate::docker::sweep::clear_instance;
use crate::error::whole_story;
use crate::instance::{self, OWNER_FILE, Owner, Place};
use crate::kin::{self, Kin};
use crate::ledger::{self, Records};
use crate::{DeployError, blocking};

/// What a sweep found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Engines that were alive and are gone now.
    pub stopped: Vec<Swept>,
    /// How many engines on record had ended already.
    pub already_gone: usize,
    /// Names of instances that live, or that another sweep is working on.
    pub kept_alive_owner: Vec<String>,
    /// Names of instances that ran on another machine, as a shared folder may show: only
    /// there can their engines be seen.
    pub elsewhere: Vec<String>,
    /// What went wrong, one sentence each; the instances concerned stay on record.
    pub problems: Vec<String>,
}

/// One engine that a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// Name of the dead instance.
    pub instance: String,
    /// Task name it was started for; empty when only its mark was left to know it by.
    pub task: String,
    /// Experiment it was started for; 0 when only its mark was left to know it by.
    pub experiment: u32,
    /// Its processes when it was found; empty for a container's.
    pub process_ids: Vec<i32>,
    /// Its container's id, where it was one; its Job's name, where it was one in a cluster.
    pub container: Option<String>,
}

/// A dead instance that is ours to clear.
#[derive(Debug)]
struct Dead {
    name: String,
    directory: PathBuf,
    owner: Option<Owner>,
    records: Records,
    containers: ContainerRecords,
    /// Held until it is cleared, so that no other sweep takes it on.
    _lock: File,
}

/// What a record still means here and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Its process ids are ours to look at.
    Here,
    /// Its processes ended with the kernel or the namespace they ran in.
    Ended,
    /// It is another machine's.
    Elsewhere,
}

/// Ends what dead instances left behind and forgets these instances. All engines are ended
/// at the same time: asked, given `grace`, then killed. A cancelled sweep leaves the rest on
/// record for the next.
///
/// # Errors
/// When the folder of instances cannot be read. What goes wrong with one instance is in the
/// report and keeps no other from being swept.
pub async fn sweep(
    instances: &Path,
    grace: Duration,
    cancel: &CancellationToken,
) -> Result<SweepReport, DeployError> {
    let mut report = SweepReport::default();
    if !instances.is_dir() {
        return Ok(report);
    }
    let here = Place::here().map_err(DeployError::ListProcesses)?;
    let folder = instances.to_owned();
    let (dead, first) = blocking(move || take_over_the_dead(&folder)).await?;
    report.merge(first);
    let mut work = JoinSet::new();
    for instance in dead {
        work.spawn(clear(instance, here.clone(), grace));
    }
    loop {
        let done = tokio::select! {
            done = work.join_next() => done,
            () = cancel.cancelled() => {
                report.problems.push("the sweep was cancelled before it was done".to_owned());
                break;
            }
        };
        match done {
            None => break,
            Some(Ok(part)) => report.merge(part),
            Some(Err(error)) => report
                .problems
                .push(format!("a part of the sweep broke off: {error}")),
        }
    }
    Ok(report)
}

impl SweepReport {
    /// Takes in what another sweep found and did.
    pub fn merge(&mut self, other: Self) {
        let Self {
            stopped,
            already_gone,
            kept_alive_owner,
            elsewhere,
            problems,
        } = other;
        self.stopped.extend(stopped);
        self.already_gone += already_gone;
        self.kept_alive_owner.extend(kept_alive_owner);
        self.elsewhere.extend(elsewhere);
        self.problems.extend(problems);
    }
}

/// Locks every instance whose owner is dead. Behind the gate, so that an instance that is
/// just being claimed is not taken for a dead one.
fn take_over_the_dead(instances: &Path) -> Result<(Vec<Dead>, SweepReport), DeployError> {
    let _gate = instance::close_gate(instances)?;
    let mut dead = Vec::new();
    let mut report = SweepReport::default();
    for directory in ledger::instance_folders(instances)? {
        let name = directory
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        match take_over(&name, directory) {
            Ok(Some(instance)) => dead.push(instance),
            Ok(None) => report.kept_alive_owner.push(name),
            Err(error) => report.problems.push(sentence(&name, &error)),
        }
    }
    Ok((dead, report))
}

fn take_over(name: &str, directory: PathBuf) -> Result<Option<Dead>, DeployError> {
    let Some(mut lock) = instance::try_lock_owner(&directory.join(OWNER_FILE))? else {
        return Ok(None);
    };
    Ok(Some(Dead {
        name: name.to_owned(),
        owner: instance::read_owner(&mut lock),
        records: ledger::read_records(&directory)?,
        containers: docker_record::read_records(&directory)?,
        directory,
        _lock: lock,
    }))
}

/// Ends everything of one dead instance and forgets it.
async fn clear(dead: Dead, here: Place, grace: Duration) -> SweepReport {
    let mut report = SweepReport::default();
    let places = dead.records.records.iter().map(|record| &record.place);
    let containers = dead.containers.records.iter().map(|record| &record.place);
    let mut reaches = places
        .chain(containers)
        .chain(dead.owner.as_ref().map(|owner| &owner.place));
    if reaches.any(|place| reach(place, &here) == Reach::Elsewhere) {
        report.elsewhere.push(dead.name.clone());
        return report;
    }
    // With a lost record the instance's own mark still finds what it stands for.
    for path in dead.records.unreadable.iter().chain(&dead.containers.unreadable) {
        tracing::warn!(path = %path.display(), "a deployment's record cannot be read");
    }
    let dead = Arc::new(dead);
    let mut cleared = end_all(&dead, &here, grace, &mut report).await;
    if cleared.is_ok() {
        cleared = end_containers(&dead, grace, &mut report).await;
    }
    match cleared {
        Ok(()) if report.problems.is_empty() => instance::remove_instance(&dead.directory),
        // It stays on record for the next sweep.
        Ok(()) => {}
        Err(error) => report.problems.push(sentence(&dead.name, &error)),
    }
    report
}

async fn end_all(
    dead: &Arc<Dead>,
    here: &Place,
    grace: Duration,
    report: &mut SweepReport,
) -> Result<(), DeployError> {
    let (looked_at, place) = (Arc::clone(dead), here.clone());
    let (all, stopped, already_gone) = blocking(move || find(&looked_at, &place)).await?;
    kin::end(&all, grace).await?;
    report.already_gone += already_gone;
    report.stopped.extend(stopped);
    Ok(())
}

async fn end_containers(dead: &Dead, grace: Duration, report: &mut SweepReport) -> Result<(), DeployError> {
    if dead.containers.is_empty() {
        return Ok(());
    }
    let instances = dead.directory.parent().unwrap_or(Path::new("."));
    report.merge(clear_instance(instances, &dead.name, &dead.containers, grace).await?);
    Ok(())
}

/// Who is to be ended, which engines these are, and how many have ended already.
fn find(dead: &Dead, here: &Place) -> Result<(Kin, Vec<Swept>, usize), DeployError> {
    let on_record = &dead.records.records;
    let mut all = Kin {
        leaders: Vec::new(),
        mark: common_mark(dead),
    };
    let mut stopped = Vec::new();
    for record in on_record
        .iter()
        .filter(|record| reach(&record.place, here) == Reach::Here)
    {
        all.leaders.extend(record.started);
        let one = Kin {
            leaders: record.started.into_iter().collect(),
            mark: record.mark.clone(),
        };
        let process_ids = living_ids(&one)?;
        if !process_ids.is_empty() {
            stopped.push(Swept {
                instance: dead.name.clone(),
                task: record.task.clone(),
                experiment: record.experiment,
                process_ids,
                container: None,
            });
        }
    }
    let already_gone = on_record.len() - stopped.len();
    let is_accounted_for = |pid: &i32| stopped.iter().any(|swept| swept.process_ids.contains(pid));
    let mut process_ids = living_ids(&all)?;
    process_ids.retain(|pid| !is_accounted_for(pid));
    if !process_ids.is_empty() {
        stopped.push(Swept {
            instance: dead.name.clone(),
            task: String::new(),
            experiment: 0,
            process_ids,
            container: None,
        });
    }
    Ok((all, stopped, already_gone))
}

/// What the marks of all its deployments begin with. It is the owner's own mark; should the
/// owner's file be lost, any record tells it; should these be lost, too, the name is left. A
/// mark needs no place to be true: no process takes its environment to another kernel.
fn common_mark(dead: &Dead) -> String {
    let owner = dead.owner.as_ref().map(|owner| owner.mark.clone());
    let any_record = || dead.records.records.first();
    let of_a_record = || any_record().map(|record| owner_part(&record.mark).to_owned());
    owner.or_else(of_a_record).unwrap_or_else(|| dead.name.clone())
}

fn living_ids(kin: &Kin) -> Result<Vec<i32>, DeployError> {
    let members = kin.living(&mut HashSet::new())?.members;
    Ok(members.iter().map(|member| member.pid).collect())
}

/// A deployment's mark without its number.
fn owner_part(mark: &str) -> &str {
    mark.rsplit_once('.').map_or(mark, |(owner, _number)| owner)
}

/// Whether process ids from there mean anything here. Another run of the kernel, or another
/// namespace under the same one, has taken its processes along when it ended. Another kernel
/// on a machine of another name may well be running still.
fn reach(there: &Place, here: &Place) -> Reach {
    if there.shares_process_ids(here) {
        Reach::Here
    } else if there.boot_id == here.boot_id || there.hostname == here.hostname {
        Reach::Ended
    } else {
        Reach::Elsewhere
    }
}

fn sentence(name: &str, error: &DeployError) -> String {
    format!("instance {name}: {}", whole_story(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_ids_mean_something_only_where_they_were_given() {
        let place = |boot_id: &str, hostname: &str, pid_namespace: &str| Place {
            boot_id: boot_id.into(),
            hostname: hostname.into(),
            pid_namespace: pid_namespace.into(),
        };
        let here = place("boot", "host", "pid:[1]");
        let check = |there: Place, expected: Reach| assert_eq!(reach(&there, &here), expected, "{there:?}");
        check(here.clone(), Reach::Here);
        check(place("boot", "renamed", "pid:[1]"), Reach::Here);
        check(place("boot", "container", "pid:[2]"), Reach::Ended);
        check(place("earlier", "host", "pid:[1]"), Reach::Ended);
        check(place("earlier", "other", "pid:[1]"), Reach::Elsewhere);
    }
}
