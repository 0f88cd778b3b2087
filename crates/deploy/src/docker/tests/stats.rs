//! What real containers use, against what the kernel says of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard::query_parameters::InspectContainerOptions;
use tokio::time::Instant;

use super::proxy::{Gate, Proxy};
use super::*;
use crate::containers::{ContainerError, ContainerId, Containers, Surroundings, Usage, UsageWatch};

fn containers(host: Option<String>) -> Containers {
    Containers::new(Surroundings {
        host,
        instances: PathBuf::from("/nonexistent/instances"),
        secrets: Vec::new(),
    })
}

impl World {
    /// A container that runs the script in this network.
    async fn run_in(&self, script: &str, network: &str) -> ContainerId {
        let body = ContainerCreateBody {
            image: Some(self.image.clone()),
            entrypoint: Some(["/bin/sh", "-c", script].map(str::to_owned).to_vec()),
            env: Some(vec!["PATH=/usr/bin:/bin".to_owned()]),
            labels: Some(HashMap::from([(LABEL.to_owned(), self.image.clone())])),
            host_config: Some(HostConfig {
                network_mode: Some(network.to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let created = self
            .docker
            .create_container(None::<CreateContainerOptions>, body)
            .await;
        let id = created.unwrap().id;
        self.start(&id).await;
        ContainerId::read(&id).unwrap()
    }

    /// The process id of its first process.
    async fn pid(&self, id: &ContainerId) -> i64 {
        let found = self
            .docker
            .inspect_container(id.as_str(), None::<InspectContainerOptions>)
            .await;
        found.unwrap().state.unwrap().pid.unwrap()
    }
}

async fn next(watch: &mut UsageWatch) -> Arc<Usage> {
    timeout(PATIENCE, watch.next()).await.unwrap().unwrap().unwrap()
}

/// Seconds that a process has computed; the kernel counts in hundredths.
fn computed(pid: i64) -> f64 {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = line.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

#[tokio::test]
async fn a_burner_burns_what_the_kernel_says() {
    let Some(world) = World::new().await else { return };
    let id = world.run_in("while :; do :; done", "none").await;
    let pid = world.pid(&id).await;
    let containers = containers(None);
    let mut watch = containers.watch_usage(&id).unwrap();
    next(&mut watch).await;
    let (began, before) = (Instant::now(), computed(pid));
    let mut percents = Vec::new();
    while percents.len() < 5 {
        percents.push(next(&mut watch).await.cpu_percent.unwrap());
    }
    let truth = (computed(pid) - before) / began.elapsed().as_secs_f64() * 100.0;
    let mean = percents.iter().sum::<f64>() / percents.len() as f64;
    let ratio = mean / truth;
    assert!(
        (0.5..2.0).contains(&ratio),
        "{percents:?}, and the kernel says {truth}"
    );
    assert!(truth > 1.0, "it burns: {truth}");

    world.docker.pause_container(id.as_str()).await.unwrap();
    let paused = async {
        loop {
            let usage = next(&mut watch).await;
            if usage.cpu_percent == Some(0.0) {
                return usage;
            }
        }
    };
    let paused = timeout(PATIENCE, paused).await.unwrap();
    assert!(paused.is_running && paused.memory_used.unwrap() > 0);
    assert_eq!((paused.network.as_deref(), paused.received), (Some("none"), None));
    world.docker.unpause_container(id.as_str()).await.unwrap();
    world.remove(id.as_str()).await;
    let gone = async { while watch.next().await.is_some() {} };
    timeout(PATIENCE, gone).await.unwrap();
    assert!(matches!(
        containers.usage(&id).await,
        Err(ContainerError::NotFound { .. })
    ));
}

#[tokio::test]
async fn what_the_kernel_keeps_of_files_is_not_counted() {
    let Some(world) = World::new().await else { return };
    // A hundred mebibytes in whole pages, each touched once: what is touched again is in use.
    let script = "head -c 104857600 /dev/zero > /f; echo done; sleep 1000";
    let id = world.run_in(script, "host").await;
    let group = std::fs::read_to_string(format!("/proc/{}/cgroup", world.pid(&id).await)).unwrap();
    let memory = memory_folder(&group);
    let containers = containers(None);
    let kept = async || {
        let usage = containers.usage(&id).await.unwrap();
        let all = memory.as_deref().and_then(counted);
        (usage, all)
    };
    let log = async || {
        let logs = bollard::query_parameters::LogsOptionsBuilder::default()
            .stdout(true)
            .build();
        let lines: Vec<_> = world
            .docker
            .logs(id.as_str(), Some(logs))
            .try_collect()
            .await
            .unwrap();
        !lines.is_empty()
    };
    until("it has written", async || log().await).await;
    // A figure from after it.
    let mut watch = containers.watch_usage(&id).unwrap();
    next(&mut watch).await;
    next(&mut watch).await;
    let (usage, all) = kept().await;
    let used = usage.memory_used.unwrap();
    match all {
        Some(all) if all > 90_000_000 => assert!(used < all / 2, "{used} of {all}"),
        other => eprintln!("NOT TESTED: the kernel counts {other:?} for it"),
    }
    assert_eq!(usage.network.as_deref(), Some("host"));
    assert_eq!((usage.received, usage.sent), (None, None));
    assert_eq!(usage.is_memory_limited, Some(false));
    world.remove(id.as_str()).await;
}

/// Where the kernel tells of a control group's memory.
fn memory_folder(groups: &str) -> Option<PathBuf> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let root = match controllers {
            "" => "/sys/fs/cgroup".to_owned(),
            "memory" => "/sys/fs/cgroup/memory".to_owned(),
            _ => return None,
        };
        Some(PathBuf::from(root + path)).filter(|folder| folder.exists())
    })
}

/// Everything that is counted for a control group, page cache too.
fn counted(folder: &Path) -> Option<u64> {
    let names = ["memory.usage_in_bytes", "memory.current"];
    let text = names
        .iter()
        .find_map(|name| std::fs::read_to_string(folder.join(name)).ok());
    text?.trim().parse().ok()
}

#[tokio::test]
async fn one_that_has_ended_uses_nothing_and_one_that_is_restarted_something_again() {
    let Some(world) = World::new().await else { return };
    let id = world.run_in("echo once; sleep 1000", "bridge").await;
    let containers = containers(None);
    let running = containers.usage(&id).await.unwrap();
    assert!(running.is_running && running.received.is_some() && running.pids.unwrap() > 0);
    let kill = bollard::query_parameters::KillContainerOptionsBuilder::default().build();
    world
        .docker
        .kill_container(id.as_str(), Some(kill))
        .await
        .unwrap();
    let is_running = async |wanted: bool| containers.usage(&id).await.unwrap().is_running == wanted;
    until("it is seen to have ended", async || is_running(false).await).await;
    let ended = containers.usage(&id).await.unwrap();
    assert_eq!(
        (ended.cpu_percent, ended.memory_used, ended.received),
        (Some(0.0), Some(0), Some(0))
    );
    world.start(id.as_str()).await;
    until("it is seen to run", async || is_running(true).await).await;
    assert!(containers.usage_history(&id).unwrap().len() >= 3);
    world.remove(id.as_str()).await;

    let created = world.create("true").await;
    let created = ContainerId::read(&created).unwrap();
    let never_started = containers.usage(&created).await.unwrap();
    assert!(!never_started.is_running && never_started.cpu_percent == Some(0.0));
}

#[tokio::test]
async fn twenty_viewers_of_a_real_container_are_one_connection_and_survive_its_loss() {
    let Some(world) = World::new().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("proxy.sock");
    let proxy = Proxy::unix(&socket, PathBuf::from("/var/run/docker.sock"));
    let containers = containers(Some(format!("unix://{}", socket.display())));
    let id = world.run_in("sleep 1000", "bridge").await;
    let mut watches: Vec<_> = (0..20).map(|_| containers.watch_usage(&id).unwrap()).collect();
    for watch in &mut watches {
        assert!(next(watch).await.is_running);
    }
    // One that is busy, and those of the questions before it that wait for another.
    let open = proxy.connections();
    assert!((1..=3).contains(&open), "{open} connections for twenty viewers");

    proxy.set(Gate::Broken);
    for watch in &mut watches {
        let end = async {
            loop {
                match watch.next().await {
                    Some(Ok(_)) => {}
                    other => return other,
                }
            }
        };
        let end = timeout(PATIENCE, end).await.unwrap();
        assert!(
            matches!(end, Some(Err(ContainerError::Unreachable { .. }))),
            "{end:?}"
        );
    }
    proxy.set(Gate::Open);
    assert!(containers.usage(&id).await.unwrap().is_running);
    world.remove(id.as_str()).await;
}
