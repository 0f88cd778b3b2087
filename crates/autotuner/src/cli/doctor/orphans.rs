//! What dead runs of ours left behind: looked for, and cleared when asked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotuner_deploy::{Deployer as _, OwnerState, SweepReport, owner_state, sweep};
use serde_json::json;

use super::super::targets::reach_docker;
use super::super::{NOTHING, Refusal, print, runtime, say};
use super::{Check, State, cluster};
use crate::config::Config;
use crate::report::words::counted;
use crate::shutdown::Shutdown;
use crate::targets::swept_in_words;
use crate::worker::chain;

pub(super) fn instances(config: &Config) -> Result<Check, Refusal> {
    let directory: PathBuf = config.instances_dir();
    Ok(match survey(&directory) {
        Ok((living, dead)) => {
            let mut left = Vec::new();
            if !dead.is_empty() {
                left.push(format!("records of runs that were killed: {}", dead.join(", ")));
            }
            // Those of a run on record go with it.
            let containers = if dead.is_empty() { orphans(config)? } else { 0 };
            if containers > 0 {
                let containers = counted(containers as u128, "container");
                left.push(format!("{containers} of runs that are on no record"));
            }
            let jobs = cluster::left_behind(config)?;
            if jobs > 0 {
                left.push(format!("{jobs} left in the cluster by runs that were killed"));
            }
            match left.is_empty() {
                true => {
                    let found = format!("nothing; {living} of ours running");
                    Check::new("left behind", State::Good, found)
                }
                false => Check::new("left behind", State::Bad, left.join("; "))
                    .with_next_step("autotuner doctor --sweep"),
            }
        }
        Err(error) => Check::new("left behind", State::Bad, format!("{error:#}")),
    })
}

/// Containers of ours whose run is dead, where there is a daemon to ask.
fn orphans(config: &Config) -> Result<usize, Refusal> {
    let listed = runtime()?.block_on(async {
        let docker = reach_docker(config, "doctor").await.ok()?;
        docker.list_ours().await.ok()
    });
    let orphans = listed.unwrap_or_default();
    Ok(orphans.iter().filter(|owned| !owned.owner_alive).count())
}

/// How many instances live, and the names of those that are dead.
fn survey(instances: &Path) -> anyhow::Result<(usize, Vec<String>)> {
    let mut living = 0;
    let mut dead = Vec::new();
    if !instances.exists() {
        return Ok((0, dead));
    }
    for entry in std::fs::read_dir(instances)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        match owner_state(instances, &name)? {
            OwnerState::Alive => living += 1,
            OwnerState::Dead => dead.push(name),
        }
    }
    Ok((living, dead))
}

pub(super) async fn run_sweep(config: &Config, is_json: bool) -> Result<ExitCode, Refusal> {
    let shutdown = Shutdown::listen(say).map_err(|error| Refusal::Error(error.into()))?;
    let mut report = sweep(&config.instances_dir(), config.stop_grace, &shutdown.soft)
        .await
        .map_err(|error| Refusal::Error(error.into()))?;
    tokio::select! {
        biased;
        () = shutdown.soft.cancelled() => {}
        () = async {
            sweep_by_label(config, &shutdown, &mut report).await;
            cluster::sweep(config, &shutdown, &mut report).await;
        } => {}
    }
    tell_sweep(&report, is_json);
    Ok(if report.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOTHING)
    })
}

/// Adds the containers of dead runs that are on no record any more. Without a daemon there is
/// none to be found.
async fn sweep_by_label(config: &Config, shutdown: &Shutdown, report: &mut SweepReport) {
    let Ok(docker) = reach_docker(config, "sweep").await else {
        return;
    };
    match docker.sweep(config.stop_grace, &shutdown.soft).await {
        Ok(found) => report.merge(found),
        Err(error) => report.problems.push(chain(&error)),
    }
}

fn tell_sweep(report: &SweepReport, is_json: bool) {
    let SweepReport {
        stopped,
        already_gone,
        kept_alive_owner,
        elsewhere,
        problems,
    } = report;
    if is_json {
        let stopped: Vec<_> = stopped
            .iter()
            .map(|swept| {
                json!({
                    "instance": swept.instance,
                    "task": swept.task,
                    "experiment": swept.experiment,
                    "process_ids": swept.process_ids,
                    "container": swept.container,
                })
            })
            .collect();
        print(&format!(
            "{:#}",
            json!({
                "stopped": stopped,
                "already_gone": already_gone,
                "kept_alive_owner": kept_alive_owner,
                "elsewhere": elsewhere,
                "problems": problems,
            })
        ));
        return;
    }
    for swept in stopped {
        print(&format!("stopped the engine of {}", swept_in_words(swept)));
    }
    print(&format!(
        "{} stopped, {already_gone} had ended already, {} running instances left alone",
        stopped.len(),
        kept_alive_owner.len()
    ));
    for name in elsewhere {
        print(&format!("left alone, it ran on another machine: {name}"));
    }
    for problem in problems {
        say(&format!("warning: {problem}"));
    }
}
