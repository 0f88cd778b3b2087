//! What only the local target promises.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use autotuner_core::engine::{LaunchPlan, Program};
use autotuner_deploy::ready::{NotReady, ReadyCheck, wait_until_ready};
use autotuner_deploy::{
    DeployError, Deployer as _, Deployment, DeploymentStatus, Listener, Placement, Unwatched,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::{PATIENCE, World, is_alive, pid_of, plan, plan_of, processes_with, until};

async fn prepare(world: &World, plan: &LaunchPlan) -> Result<(), DeployError> {
    let cancel = CancellationToken::new();
    world.deployer.prepare(plan, &Unwatched, &cancel).await
}

async fn launch(world: &World, plan: &LaunchPlan) -> Deployment {
    world
        .deployer
        .launch(plan, &Placement::default(), &world.label())
        .await
        .unwrap()
}

async fn exits(world: &World, deployment: &Deployment) {
    let has_exited = async || {
        let status = world.deployer.status(deployment).await.unwrap();
        matches!(status, DeploymentStatus::Exited(_))
    };
    until("the exit", has_exited).await;
}

#[tokio::test]
async fn a_dropped_deployer_leaves_nothing() {
    for world in [World::guarded(), World::direct()] {
        let parent = launch(&world, &plan(&["parent", "HOST", "PORT", "a"])).await;
        let stubborn = launch(&world, &plan(&["stubborn", "HOST", "PORT", "b"])).await;
        let World {
            deployer,
            instance,
            folder,
        } = world;
        let mark = format!("AUTOTUNER_INSTANCE={instance}");
        assert!(processes_with(&mark).len() >= 2);
        drop(deployer);
        assert!(!is_alive(pid_of(&parent)) && !is_alive(pid_of(&stubborn)));
        assert!(
            processes_with(&mark).is_empty(),
            "children that left the group are gone, too"
        );
        assert!(!folder.path().join("instances").join(instance).exists());
    }
}

#[tokio::test]
async fn a_launch_that_is_given_up_leaves_nothing() {
    let world = World::guarded();
    let plan = plan(&["stubborn", "HOST", "PORT", "a"]);
    for delay in 0..20 {
        let launch = async {
            let deployment = launch(&world, &plan).await;
            world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
        };
        // Whether it gets to its end or not, and wherever it is cut.
        let _ = timeout(Duration::from_millis(delay), launch).await;
    }
    let World {
        deployer,
        instance,
        folder,
    } = world;
    drop(deployer);
    assert!(processes_with(&format!("AUTOTUNER_INSTANCE={instance}")).is_empty());
    assert!(!folder.path().join("instances").join(instance).exists());
}

#[tokio::test]
async fn a_signal_is_told_from_an_exit() {
    let world = World::guarded();
    let deployment = launch(&world, &plan(&["sleep"])).await;
    kill(Pid::from_raw(pid_of(&deployment)), Signal::SIGKILL).unwrap();
    exits(&world, &deployment).await;
    let status = world.deployer.status(&deployment).await.unwrap();
    let DeploymentStatus::Exited(exit) = status else {
        panic!("{status:?}")
    };
    assert_eq!((exit.code, exit.signal), (None, Some(9)));
}

#[tokio::test]
async fn children_of_an_engine_that_has_exited_are_stopped() {
    for world in [World::guarded(), World::direct()] {
        let deployment = launch(&world, &plan(&["leave-child"])).await;
        exits(&world, &deployment).await;
        let mark = format!("AUTOTUNER_INSTANCE={}", world.instance);
        assert_eq!(processes_with(&mark).len(), 1, "the child lives");
        let own_entry = format!("/proc/{}", pid_of(&deployment));
        assert!(
            Path::new(&own_entry).exists(),
            "its id must not be free while its child lives"
        );
        let grace = Duration::from_millis(100);
        world.deployer.stop(&deployment, grace).await.unwrap();
        assert!(!Path::new(&own_entry).exists(), "it has been reaped");
        assert!(processes_with(&mark).is_empty());
    }
}

#[tokio::test]
async fn a_daemon_that_sheds_its_session_parent_and_environment_is_stopped() {
    let world = World::guarded();
    let note = world.folder.path().join("daemon");
    // The middle shell ends at once, so that the daemon needs a new parent.
    let script = "(setsid env -i /bin/sh -c 'echo $$ > \"$1\"; exec sleep 600' sh \"$1\" &) ; sleep 600; :";
    let plan = plan_of("/bin/sh", &["-c", script, "sh", note.to_str().unwrap()]);
    let deployment = launch(&world, &plan).await;
    let daemon = async || fs::read_to_string(&note).ok()?.trim().parse::<i32>().ok();
    until("the daemon", async || daemon().await.is_some_and(is_alive)).await;
    let daemon = daemon().await.unwrap();
    world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
    assert!(!is_alive(daemon), "{daemon}");
}

#[tokio::test]
async fn a_plan_for_a_container_is_refused() {
    let world = World::guarded();
    let mut plan = plan(&[]);
    plan.program = Program::Image {
        reference: "vllm/vllm-openai".to_owned(),
        entrypoint: None,
    };
    let refused = prepare(&world, &plan).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a plan for a container image cannot be started by the process deployer"
    );
    assert!(
        world
            .deployer
            .launch(&plan, &Placement::default(), &world.label())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_cannot_be_run_is_a_failed_start_that_leaves_nothing() {
    for world in [World::guarded(), World::direct()] {
        let script = world.folder.path().join("script");
        fs::write(&script, "#!/nowhere/python\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let plan = plan_of(script.to_str().unwrap(), &[]);
        prepare(&world, &plan).await.unwrap();
        let failed = world
            .deployer
            .launch(&plan, &Placement::default(), &world.label())
            .await;
        let Err(DeployError::Start { program, source }) = failed else {
            panic!("{failed:?}")
        };
        assert_eq!(program, script.to_str().unwrap());
        assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
        assert_eq!(world.records(), [""; 0]);
    }
}

#[tokio::test]
async fn a_missing_launcher_is_a_failed_start() {
    let world = World::with_launcher(Some(&["/nowhere/launcher"]));
    let failed = world
        .deployer
        .launch(&plan(&["sleep"]), &Placement::default(), &world.label())
        .await;
    assert!(matches!(failed, Err(DeployError::Start { .. })), "{failed:?}");
    assert_eq!(world.records(), [""; 0]);
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_starts_nothing() {
    let world = World::guarded();
    let mut label = world.label();
    label.log_file = world.folder.path().to_owned();
    let failed = world
        .deployer
        .launch(&plan(&["sleep"]), &Placement::default(), &label)
        .await;
    assert!(
        matches!(failed, Err(DeployError::File { action: "write", .. })),
        "{failed:?}"
    );
    assert_eq!(world.records(), [""; 0]);
}

#[tokio::test]
async fn the_environment_is_inherited_added_to_and_kept_from_what_is_withheld() {
    let world = World::guarded();
    let check = async |name: &str, expected: &str| {
        let mut plan = plan(&["environment", name]);
        plan.env.insert("ADDED".to_owned(), "by the plan".to_owned());
        plan.env
            .insert("CARGO_PKG_NAME".to_owned(), "replaced".to_owned());
        plan.env
            .insert("AUTOTUNER_INSTANCE".to_owned(), "forged".to_owned());
        let deployment = launch(&world, &plan).await;
        exits(&world, &deployment).await;
        let last = world.deployer.logs(&deployment, 1).await.unwrap();
        world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
        assert_eq!(last, [format!("{name}: {expected}")]);
    };
    check("ADDED", "by the plan").await;
    check("CARGO_PKG_NAME", "replaced").await;
    check("CARGO_MANIFEST_DIR", "not set").await;
    check("CARGO_PKG_VERSION", env!("CARGO_PKG_VERSION")).await;
    check("AUTOTUNER_INSTANCE", &world.instance).await;
}

#[tokio::test]
async fn a_log_is_appended_to() {
    let world = World::guarded();
    let label = world.label();
    for _ in 0..2 {
        let deployment = launch(&world, &plan(&["environment", "NONE"])).await;
        exits(&world, &deployment).await;
        world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
    }
    let log = fs::read_to_string(label.log_file).unwrap();
    assert_eq!(log, "NONE: not set\nNONE: not set\n");
}

#[tokio::test]
async fn the_listener_is_known_to_be_the_engines() {
    let world = World::guarded();
    let plan = plan(&["serve", "HOST", "PORT", "a"]);
    let deployment = launch(&world, &plan).await;
    let check = ReadyCheck::of(&plan);
    wait_until_ready(&world.deployer, &deployment, &check, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        world.deployer.listener(&deployment).await.unwrap(),
        Listener::Ours
    );
    world.deployer.stop(&deployment, PATIENCE).await.unwrap();
    assert_eq!(
        world.deployer.listener(&deployment).await.unwrap(),
        Listener::Nobody
    );
}

#[tokio::test]
async fn any_one_path_that_answers_2xx_makes_an_engine_ready() {
    let world = World::guarded();
    let plan = plan(&["serve", "HOST", "PORT", "a"]);
    let deployment = launch(&world, &plan).await;
    let wait = async |paths: &[&str], timeout: Duration| {
        let check = ReadyCheck {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            timeout,
            ..ReadyCheck::of(&plan)
        };
        wait_until_ready(&world.deployer, &deployment, &check, &CancellationToken::new()).await
    };
    for paths in [
        &["/health"][..],
        &["health"],
        &["/none", "/health"],
        &["/health", "/none"],
        &[],
    ] {
        assert!(wait(paths, PATIENCE).await.is_ok(), "{paths:?}");
    }
    let outcome = wait(&["/none", "/nor/this?a=b"], Duration::from_millis(300)).await;
    let Err(NotReady::Deadline { last_answer, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(last_answer, "/none: status 404; /nor/this?a=b: status 404");
}

/// A stranger that answers 200 to everything at the deployment's address.
fn occupy(deployment: &Deployment) {
    let address = deployment.base_url.strip_prefix("http://").unwrap();
    let listener = std::net::TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    });
}

#[tokio::test]
async fn a_strangers_answer_is_not_the_engines() {
    let world = World::guarded();
    let plan = plan(&["sleep"]);
    let deployment = launch(&world, &plan).await;
    occupy(&deployment);
    let check = ReadyCheck {
        timeout: Duration::from_millis(500),
        ..ReadyCheck::of(&plan)
    };
    let outcome = wait_until_ready(&world.deployer, &deployment, &check, &CancellationToken::new()).await;
    let Err(NotReady::Deadline { last_answer, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(last_answer, "another program answers on the engine's port");
    assert_eq!(
        world.deployer.listener(&deployment).await.unwrap(),
        Listener::Foreign
    );
}

#[tokio::test]
async fn an_engine_that_finds_its_port_taken_fails_and_is_not_ready() {
    let world = World::direct();
    // A stranger that takes exactly the port between our choice and the engine's start.
    let sleeper = launch(&world, &plan(&["sleep"])).await;
    occupy(&sleeper);
    let port = sleeper.base_url.rsplit(':').next().unwrap();
    let plan = plan(&["serve", "127.0.0.1", port, "a"]);
    let late = launch(&world, &plan).await;
    let late = Deployment {
        base_url: sleeper.base_url.clone(),
        ..late
    };
    let check = ReadyCheck::of(&plan);
    let outcome = wait_until_ready(&world.deployer, &late, &check, &CancellationToken::new()).await;
    let Err(NotReady::Exited { exit, log_tail }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(exit.code, Some(98));
    assert!(log_tail[0].starts_with("cannot listen"), "{log_tail:?}");
}

#[tokio::test]
async fn an_exit_is_seen_while_a_question_hangs() {
    let world = World::guarded();
    let plan = plan(&["sleep"]);
    let deployment = launch(&world, &plan).await;
    let address = deployment.base_url.strip_prefix("http://").unwrap();
    let silent = std::net::TcpListener::bind(address).unwrap();
    let check = ReadyCheck {
        question_timeout: Duration::from_secs(3600),
        timeout: Duration::from_secs(3600),
        ..ReadyCheck::of(&plan)
    };
    let cancel = CancellationToken::new();
    let wait = wait_until_ready(&world.deployer, &deployment, &check, &cancel);
    let end_it = async {
        // The question has been put once the stranger has been called.
        let called = tokio::task::spawn_blocking(move || silent.accept()).await;
        kill(Pid::from_raw(pid_of(&deployment)), Signal::SIGKILL).unwrap();
        called
    };
    let outcome = timeout(PATIENCE, async { tokio::join!(wait, end_it) }).await;
    let (outcome, _called) = outcome.expect("the exit is seen before the question is answered");
    assert!(matches!(outcome, Err(NotReady::Exited { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_engine_of_another_deployer_is_gone_to_us() {
    let (world, other) = (World::guarded(), World::guarded());
    let deployment = launch(&world, &plan(&["sleep"])).await;
    assert_eq!(
        other.deployer.status(&deployment).await.unwrap(),
        DeploymentStatus::Gone
    );
    other.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
    assert_eq!(
        world.deployer.status(&deployment).await.unwrap(),
        DeploymentStatus::Running
    );
}
