//! What a dead owner leaves behind is cleared, and nothing else is.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use autotuner_deploy::{Deployer as _, sweep};
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptionsBuilder, InspectContainerOptions};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::support::{INSTANCE, World, containers_of, host, records, remove, unique_name, until};

const ENGINE: &str = env!("CARGO_BIN_EXE_deploy-test-engine");
const GRACE: Duration = Duration::from_millis(500);

/// Starts a process that deploys a container of this behaviour, and its instance's name.
async fn owner(world: &World, instances: &Path, log_file: &Path, behaviour: &str) -> (Child, String) {
    let mut child = Command::new(ENGINE)
        .args(["own-container"])
        .args([instances, log_file])
        .args([host().unwrap_or_default().as_str(), &world.image, behaviour])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("deployed"));
    let name = format!("owner-{}", child.id().unwrap());
    (child, name)
}

async fn is_there(world: &World, id: &str) -> bool {
    let inspected = world
        .docker
        .inspect_container(id, None::<InspectContainerOptions>);
    inspected.await.is_ok()
}

#[tokio::test]
async fn a_killed_owners_container_goes_and_its_log_stays() {
    let Some(world) = World::new().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (instances, log_file) = (folder.path().join("instances"), folder.path().join("engine.log"));
    let (mut child, name) = owner(&world, &instances, &log_file, "count").await;
    until("something is logged", async || {
        std::fs::read_to_string(&log_file).is_ok_and(|text| text.lines().count() > 20)
    })
    .await;

    let none = CancellationToken::new();
    let report = sweep(&instances, GRACE, &none).await.unwrap();
    assert_eq!(report.kept_alive_owner, [name.as_str()]);
    assert_eq!(containers_of(&world.docker, &name).await.len(), 1);

    child.kill().await.unwrap();
    let before = std::fs::read_to_string(&log_file).unwrap().lines().count();
    let id = containers_of(&world.docker, &name).await[0].id.clone().unwrap();
    until("the engine goes on without its owner", async || {
        world.docker.inspect_container(&id, None).await.is_ok()
    })
    .await;
    let report = sweep(&instances, GRACE, &none).await.unwrap();
    assert_eq!(report.problems, [""; 0]);
    let [swept] = &report.stopped[..] else {
        panic!("{report:?}");
    };
    assert_eq!(
        (swept.instance.as_str(), swept.task.as_str(), swept.experiment),
        (name.as_str(), "owned task", 7)
    );
    assert_eq!(swept.container.as_deref(), Some(id.as_str()));
    assert_eq!(containers_of(&world.docker, &name).await.len(), 0);
    assert!(!instances.join(&name).exists());
    let text = std::fs::read_to_string(&log_file).unwrap();
    let expected: Vec<String> = (0..text.lines().count()).map(|n| format!("line {n}")).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    assert!(
        expected.len() > before,
        "{} lines, {before} before",
        expected.len()
    );
}

#[tokio::test]
async fn a_container_that_has_ended_or_is_gone_is_cleared_from_the_record() {
    let Some(world) = World::new().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (instances, log_file) = (folder.path().join("instances"), folder.path().join("engine.log"));
    for is_removed in [false, true] {
        let (mut child, name) = owner(&world, &instances, &log_file, "count").await;
        child.kill().await.unwrap();
        let id = containers_of(&world.docker, &name).await[0].id.clone().unwrap();
        world.docker.kill_container(&id, None).await.unwrap();
        if is_removed {
            remove(&world.docker, &id).await;
        }
        let report = sweep(&instances, GRACE, &CancellationToken::new()).await.unwrap();
        assert_eq!((report.stopped.len(), report.already_gone), (0, 1), "{report:?}");
        assert!(!is_there(&world, &id).await);
        assert!(!instances.join(&name).exists());
    }
}

#[tokio::test]
async fn a_daemon_that_does_not_answer_keeps_the_record_for_the_next_sweep() {
    let Some(world) = World::new().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (instances, log_file) = (folder.path().join("instances"), folder.path().join("engine.log"));
    let (mut child, name) = owner(&world, &instances, &log_file, "count").await;
    child.kill().await.unwrap();
    let directory = instances.join(&name);
    let record = directory.join(&records(&directory)[0]);
    let text = std::fs::read_to_string(&record).unwrap();
    let mut told: serde_json::Value = serde_json::from_str(&text).unwrap();
    told["daemon"] = "unix:///nowhere/docker.sock".into();
    std::fs::write(&record, told.to_string()).unwrap();
    let none = CancellationToken::new();
    let report = sweep(&instances, GRACE, &none).await.unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert!(report.problems[0].contains("/nowhere/docker.sock"), "{report:?}");
    assert!(record.exists());
    assert_eq!(containers_of(&world.docker, &name).await.len(), 1);

    std::fs::write(&record, text).unwrap();
    let report = sweep(&instances, GRACE, &none).await.unwrap();
    assert_eq!(
        (report.problems.len(), report.stopped.len()),
        (0, 1),
        "{report:?}"
    );
    assert_eq!(containers_of(&world.docker, &name).await.len(), 0);
}

#[tokio::test]
async fn only_what_a_dead_instance_of_this_folder_and_machine_made_is_touched() {
    let Some(world) = World::new().await else {
        return;
    };
    let instances = world.instances().canonicalize().unwrap();
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let machine = machine.trim();
    let dead = unique_name();
    let labels = |instance: &str, instances: &Path, host: &str| -> HashMap<String, String> {
        [
            (INSTANCE, instance.to_owned()),
            (
                "inference-autotuner.instances-dir",
                instances.display().to_string(),
            ),
            ("inference-autotuner.host", host.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    };
    let elsewhere = Path::new("/elsewhere");
    let all = [
        (HashMap::new(), true),
        (labels(&dead, &instances, machine), false),
        (labels(&dead, &instances, "another-machine"), true),
        (labels(&dead, elsewhere, machine), true),
        (labels(world.instance.name(), &instances, machine), true),
        (HashMap::from([(INSTANCE.to_owned(), dead.clone())]), true),
    ];
    let mut made = Vec::new();
    for (labels, stays) in all {
        let body = ContainerCreateBody {
            image: Some(world.image.clone()),
            cmd: Some(vec!["sleep".to_owned()]),
            labels: Some(labels),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&unique_name()).build();
        let id = world.docker.create_container(Some(options), body).await;
        made.push((id.unwrap().id, stays));
    }
    let none = CancellationToken::new();
    let listed = world.deployer.list_ours().await.unwrap();
    let by_label = world.deployer.sweep(GRACE, &none).await;
    let on_record = sweep(&instances, GRACE, &none).await.unwrap();
    let mut found = Vec::new();
    for (id, _) in &made {
        found.push(is_there(&world, id).await);
        remove(&world.docker, id).await;
    }
    let expected: Vec<bool> = made.iter().map(|(_, stays)| *stays).collect();
    assert_eq!(found, expected);
    let by_label = by_label.unwrap();
    assert_eq!((by_label.stopped.len(), by_label.already_gone), (0, 1));
    assert_eq!(on_record.stopped.len(), 0);
    let mut listed: Vec<_> = listed
        .into_iter()
        .map(|owned| (owned.owner_alive, owned.alive))
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, [(false, false), (true, false)]);
}
