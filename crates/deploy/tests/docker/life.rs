//! How containers are started and end, beyond what every deployer promises.

use std::time::Duration;

use autotuner_core::engine::{Limits, Mount};
use autotuner_core::gpu::{GpuDevice, GpuVendor};
use autotuner_deploy::docker::Policy;
use autotuner_deploy::ready::NotReady;
use autotuner_deploy::{DeployError, Deployer as _, DeploymentStatus, Exit, Placement, Unwatched};
use bollard::models::{ContainerCreateBody, ContainerInspectResponse};
use bollard::query_parameters::{CreateContainerOptionsBuilder, InspectContainerOptions};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::{PATIENCE, World, plan_of, remove, until, with_entrypoint};

async fn inspect(world: &World, id: &str) -> ContainerInspectResponse {
    let inspected = world
        .docker
        .inspect_container(id, None::<InspectContainerOptions>);
    inspected.await.unwrap()
}

#[tokio::test]
async fn what_is_cancelled_before_it_begins_asks_nobody() {
    let Some(world) = World::new().await else {
        return;
    };
    let cancel = CancellationToken::new();
    cancel.cancel();
    let plan = plan_of("127.0.0.1:1/x/y", &[]);
    let prepared = world.deployer.prepare(&plan, &Unwatched, &cancel).await;
    assert!(matches!(prepared, Err(DeployError::Cancelled)), "{prepared:?}");
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_any_more_leaves_no_container() {
    let Some(world) = World::new().await else {
        return;
    };
    let plan = world.plan(&[]);
    let cancel = CancellationToken::new();
    tokio::select! {
        biased;
        answer = world.deployer.ask(&plan, &["sleep"], PATIENCE, &cancel) => panic!("{answer:?}"),
        () = until("it is there", async || !world.leftovers().await.is_empty()) => {}
    }
    until("it is gone", async || world.leftovers().await.is_empty()).await;
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn two_launches_at_once_get_ports_and_names_of_their_own() {
    let Some(world) = World::new().await else {
        return;
    };
    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    let (one, other) = tokio::join!(world.launch(&plan, "same"), world.launch(&plan, "same"));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.base_url, other.base_url);
    world.wait(&plan, &one).await.unwrap();
    world.wait(&plan, &other).await.unwrap();
    let mut names = Vec::new();
    for deployment in [&one, &other] {
        let name = inspect(&world, &deployment.id).await.name.unwrap();
        assert_eq!(deployment.container_name.as_deref(), name.strip_prefix('/'));
        names.push(name);
        world.deployer.stop(deployment, PATIENCE).await.unwrap();
    }
    names.sort();
    assert!(names[0].starts_with("/autotuner-a-task-of-same-"), "{names:?}");
    assert!(names[0].ends_with("-exp4-a1"), "{names:?}");
    assert_eq!(names[1], format!("{}-2", names[0]));
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn a_container_is_told_and_given_what_the_plan_says() {
    let folder = tempfile::tempdir().unwrap();
    let hub = folder.path().join("hub");
    let hub_cache = hub.clone();
    let Some(world) = World::with(|config| config.hub_cache = Some(hub_cache)).await else {
        return;
    };
    let mut plan = world.plan(&["serve", "HOST", "PORT", "a b; c"]);
    plan.uses_hub = true;
    plan.mounts = vec![Mount {
        source: folder.path().to_owned(),
        target: "/model".to_owned(),
    }];
    plan.limits = Limits {
        cpus: Some(0.5),
        memory_bytes: Some(256 << 20),
    };
    let deployment = world.launch(&plan, "told").await.unwrap();
    assert_eq!(
        deployment.command,
        ["/engine", "serve", "0.0.0.0", "8000", "a b; c"]
    );
    let facts = deployment.image.clone().unwrap();
    assert_eq!(
        (facts.reference.as_str(), facts.digest),
        (world.image.as_str(), None)
    );
    assert!(facts.id.starts_with("sha256:"));
    let inspected = inspect(&world, &deployment.id).await;
    let host = inspected.host_config.unwrap();
    assert_eq!(
        (host.memory, host.memory_swap),
        (Some(256 << 20), Some(256 << 20))
    );
    assert_eq!(
        (host.nano_cpus, host.shm_size),
        (Some(500_000_000), Some(1 << 30))
    );
    assert_eq!((host.privileged, host.auto_remove), (Some(false), Some(false)));
    let mut mounts: Vec<_> = inspected
        .mounts
        .unwrap()
        .into_iter()
        .map(|mount| (mount.destination.unwrap(), mount.rw.unwrap()))
        .collect();
    mounts.sort();
    let expected = [
        ("/model".to_owned(), false),
        ("/root/.cache/huggingface".to_owned(), true),
    ];
    assert_eq!(mounts, expected);
    assert!(hub.is_dir());
    world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing_and_says_why() {
    let Some(world) = World::new().await else {
        return;
    };
    let check = async |plan, expected: &str| {
        let launched = world
            .deployer
            .launch(&plan, &Placement::default(), &world.label("bad"))
            .await;
        let text = launched.unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
        world.assert_nothing_left().await;
    };
    let good = world.plan(&["serve", "HOST", "PORT", "x"]);
    check(
        with_entrypoint(good.clone(), &["/nope"]),
        "program /nope not found in the image",
    )
    .await;
    check(
        with_entrypoint(good.clone(), &["/tmp"]),
        "program /tmp not found in the image",
    )
    .await;
    check(
        plan_of("nobody/nothing:1", &[]),
        "image nobody/nothing:1 is not here",
    )
    .await;
    let mut unmounted = good.clone();
    unmounted.mounts = vec![Mount {
        source: "/nowhere/model".into(),
        target: "/model".to_owned(),
    }];
    check(unmounted, "/nowhere/model").await;
    let mut mute = good.clone();
    mute.ready_paths.clear();
    check(mute, "whether it is ready").await;
    let mut tiny = good;
    tiny.limits.memory_bytes = Some(1 << 20);
    check(tiny, "memory limit").await;
}

#[tokio::test]
async fn gpus_that_cannot_be_handed_out_are_said_to_be_so() {
    let Some(world) = World::new().await else {
        return;
    };
    let info = world.docker.info().await.unwrap();
    let has_nvidia = info
        .runtimes
        .is_some_and(|runtimes| runtimes.contains_key("nvidia"));
    if has_nvidia || info.cdi_spec_dirs.is_some_and(|folders| !folders.is_empty()) {
        return;
    }
    let mut plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    plan.gpus = 1;
    let prepared = world
        .deployer
        .prepare(&plan, &Unwatched, &CancellationToken::new())
        .await;
    assert!(
        matches!(prepared, Err(DeployError::GpuRuntimeMissing { .. })),
        "{prepared:?}"
    );
    let gpu = GpuDevice {
        index: 0,
        uuid: "GPU-0".to_owned(),
        name: "a GPU".to_owned(),
        vendor: GpuVendor::Nvidia,
        memory_bytes: 1,
    };
    let placement = Placement {
        gpus: vec![gpu],
        ..Placement::default()
    };
    let launched = world
        .deployer
        .launch(&plan, &placement, &world.label("gpu"))
        .await;
    assert!(
        matches!(launched, Err(DeployError::GpuRuntimeMissing { .. })),
        "{launched:?}"
    );
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn an_engine_that_eats_too_much_is_said_to_have_run_out_of_memory() {
    let Some(world) = World::new().await else {
        return;
    };
    let mut plan = world.plan(&["eat-memory"]);
    plan.limits.memory_bytes = Some(48 << 20);
    let deployment = world.launch(&plan, "eats").await.unwrap();
    let ended = world.wait(&plan, &deployment).await;
    let Err(NotReady::Exited { exit, .. }) = ended else {
        panic!("{ended:?}");
    };
    let expected = Exit {
        code: None,
        signal: Some(9),
        out_of_memory: true,
    };
    assert_eq!(exit, expected);
    world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn a_launch_that_is_dropped_midway_leaves_nothing() {
    let Some(world) = World::new().await else {
        return;
    };
    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    let label = world.label("dropped");
    for milliseconds in [0, 5, 40, 120, 250, 400, 800] {
        let nothing = Placement::default();
        let launch = world.deployer.launch(&plan, &nothing, &label);
        if let Ok(launched) = timeout(Duration::from_millis(milliseconds), launch).await {
            world
                .deployer
                .stop(&launched.unwrap(), Duration::ZERO)
                .await
                .unwrap();
        }
    }
    world.deployer.close(PATIENCE).await;
    world.assert_nothing_left().await;
    let late = world.deployer.launch(&plan, &Placement::default(), &label).await;
    assert!(matches!(late, Err(DeployError::ShuttingDown)), "{late:?}");
}

#[tokio::test]
async fn secrets_reach_the_engine_and_nothing_else() {
    let secret = "hf_a-very-secret-token";
    let variable = ("HF_TOKEN".to_owned(), secret.to_owned());
    let Some(world) = World::with(|config| config.environment = vec![variable]).await else {
        return;
    };
    let asked = world.plan(&["environment", "HF_TOKEN"]);
    assert_eq!(
        world.run_to_end(&asked, "asks").await,
        format!("HF_TOKEN: {secret}\n")
    );
    let mut own = asked;
    own.env.insert("HF_TOKEN".to_owned(), "the plan's".to_owned());
    assert_eq!(world.run_to_end(&own, "own").await, "HF_TOKEN: the plan's\n");

    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    let deployment = world.launch(&plan, "serves").await.unwrap();
    let bad = world.launch(&with_entrypoint(plan, &[secret]), "bad").await;
    for text in [format!("{deployment:?}"), format!("{:?}", world.deployer)] {
        assert!(!text.contains(secret), "{text}");
    }
    // Even where the daemon repeats it: here it is the name of a program.
    let text = bad.unwrap_err().to_string();
    assert!(!text.contains(secret), "{text}");
    world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn without_gpus_an_engine_is_shut_off_from_all() {
    let Some(world) = World::new().await else {
        return;
    };
    let mut plan = world.plan(&["environment", "NVIDIA_VISIBLE_DEVICES"]);
    plan.env
        .insert("NVIDIA_VISIBLE_DEVICES".to_owned(), "all".to_owned());
    let said = world.run_to_end(&plan, "none").await;
    assert_eq!(said, "NVIDIA_VISIBLE_DEVICES: void\n");
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_never_made() {
    let policy = Policy::allowing(vec!["/nowhere".into()], vec!["autotuner-deploy-test".to_owned()]);
    let Some(world) = World::with(|config| config.policy = policy).await else {
        return;
    };
    let allowed = world.plan(&["exit", "0"]);
    world.run_to_end(&allowed, "allowed").await;
    let mut mounts = allowed;
    mounts.mounts = vec![Mount {
        source: "/etc".into(),
        target: "/model".to_owned(),
    }];
    for plan in [mounts, plan_of("another:1", &[])] {
        let prepared = world.launch(&plan, "no").await;
        assert!(
            matches!(prepared, Err(DeployError::NotAllowed { .. })),
            "{prepared:?}"
        );
        let nothing = Placement::default();
        let launched = world.deployer.launch(&plan, &nothing, &world.label("no")).await;
        assert!(
            matches!(launched, Err(DeployError::NotAllowed { .. })),
            "{launched:?}"
        );
    }
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn a_name_that_a_stranger_has_is_left_to_it() {
    let Some(world) = World::new().await else {
        return;
    };
    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    let first = world.launch(&plan, "named").await.unwrap();
    let name = inspect(&world, &first.id).await.name.unwrap();
    world.deployer.stop(&first, Duration::ZERO).await.unwrap();

    let options = CreateContainerOptionsBuilder::new()
        .name(name.trim_start_matches('/'))
        .build();
    let body = ContainerCreateBody {
        image: Some(world.image.clone()),
        ..ContainerCreateBody::default()
    };
    let stranger = world.docker.create_container(Some(options), body).await.unwrap();
    let second = world.launch(&plan, "named").await.unwrap();
    let other = inspect(&world, &second.id).await.name.unwrap();
    let still_there = inspect(&world, &stranger.id).await.name.unwrap();
    world.deployer.stop(&second, Duration::ZERO).await.unwrap();
    remove(&world.docker, &stranger.id).await;
    assert_eq!((other, still_there), (format!("{name}-2"), name));
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn an_engine_that_somebody_else_restarts_counts_as_disturbed() {
    let Some(world) = World::new().await else {
        return;
    };
    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    let deployment = world.launch(&plan, "restarted").await.unwrap();
    world.wait(&plan, &deployment).await.unwrap();
    world.deployer.undisturbed(&deployment).await.unwrap();
    world.docker.pause_container(&deployment.id).await.unwrap();
    let paused = world.deployer.status(&deployment).await;
    assert!(
        matches!(paused, Err(DeployError::Interrupted { .. })),
        "{paused:?}"
    );
    world.docker.unpause_container(&deployment.id).await.unwrap();
    let later = world.deployer.undisturbed(&deployment).await;
    assert!(matches!(later, Err(DeployError::Interrupted { .. })), "{later:?}");
    assert!(world.deployer.status(&deployment).await.is_ok());
    world
        .docker
        .restart_container(&deployment.id, None)
        .await
        .unwrap();
    let restarted = world.deployer.status(&deployment).await;
    assert!(
        matches!(restarted, Err(DeployError::Interrupted { .. })),
        "{restarted:?}"
    );
    world.deployer.stop(&deployment, PATIENCE).await.unwrap();
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn an_engine_that_somebody_else_ends_or_removes_counts_as_disturbed() {
    let Some(world) = World::new().await else {
        return;
    };
    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    for is_removed in [false, true] {
        let deployment = world.launch(&plan, "ended").await.unwrap();
        world.wait(&plan, &deployment).await.unwrap();
        if is_removed {
            remove(&world.docker, &deployment.id).await;
        } else {
            world.docker.kill_container(&deployment.id, None).await.unwrap();
        }
        until("it counts as disturbed", async || {
            let status = world.deployer.status(&deployment).await;
            matches!(status, Err(DeployError::Interrupted { .. }))
        })
        .await;
        world.deployer.stop(&deployment, PATIENCE).await.unwrap();
        let status = world.deployer.status(&deployment).await.unwrap();
        assert_eq!(status, DeploymentStatus::Gone);
        world.assert_nothing_left().await;
    }
}

#[tokio::test]
async fn an_image_can_be_asked_without_a_trace() {
    let Some(world) = World::new().await else {
        return;
    };
    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    let none = CancellationToken::new();
    let answer = world
        .deployer
        .ask(&plan, &["environment", "NVIDIA_VISIBLE_DEVICES"], PATIENCE, &none)
        .await;
    assert_eq!(answer.as_deref(), Some("NVIDIA_VISIBLE_DEVICES: void\n"));
    world.assert_nothing_left().await;
}
