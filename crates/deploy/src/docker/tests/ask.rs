//! Questions to an image's program, against the real daemon.

use std::collections::BTreeMap;

use autotuner_core::engine::{Arg, LaunchPlan, Limits, Program};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::docker::ask::{Asked, ask};

fn plan(world: &World, entrypoint: &[&str]) -> LaunchPlan {
    LaunchPlan {
        program: Program::Image {
            reference: world.image.clone(),
            entrypoint: Some(entrypoint.iter().map(|&word| word.to_owned()).collect()),
        },
        args: vec![Arg::Literal("--of-the-engine".to_owned())],
        env: BTreeMap::from([
            ("PATH".to_owned(), "/bin".to_owned()),
            ("ASKED".to_owned(), "yes".to_owned()),
            ("NVIDIA_VISIBLE_DEVICES".to_owned(), "all".to_owned()),
        ]),
        gpus: 1,
        ready_paths: Vec::new(),
        served_model_name: String::new(),
        start_timeout: PATIENCE,
        mounts: Vec::new(),
        uses_hub: false,
        limits: Limits::default(),
    }
}

async fn shell(
    world: &World,
    script: &str,
    patience: Duration,
    cancel: &CancellationToken,
) -> Option<String> {
    let labels = HashMap::from([(LABEL.to_owned(), world.image.clone())]);
    ask(
        &world.docker,
        &plan(world, &["sh", "not", "these"]),
        &["-c", script],
        patience,
        cancel,
        labels,
    )
    .await
    .said
}

async fn check(world: &World, script: &str, expected: Option<&str>) {
    let answer = shell(world, script, PATIENCE, &CancellationToken::new()).await;
    assert_eq!(answer.as_deref(), expected, "{script}");
    assert_eq!(world.containers().await, 0, "{script}");
}

#[tokio::test]
async fn what_it_prints_is_told_whatever_its_exit_code() {
    let Some(world) = World::new().await else { return };
    check(&world, "echo v1", Some("v1\n")).await;
    check(&world, "echo $ASKED; exit 3", Some("yes\n")).await;
    check(&world, "echo oops >&2; exit 1", Some("oops\n")).await;
    check(&world, "echo $NVIDIA_VISIBLE_DEVICES", Some("void\n")).await;
    check(
        &world,
        "while read line; do echo \"$line\"; done < /proc/net/dev | mawk '/:/ { print $1 }'",
        Some("lo:\n"),
    )
    .await;
    check(&world, "exit 0", None).await;
    check(&world, "printf 'a\\377'", Some("a\u{fffd}")).await;
}

#[tokio::test]
async fn what_cannot_be_run_says_nothing() {
    let Some(world) = World::new().await else { return };
    let labels = || HashMap::from([(LABEL.to_owned(), world.image.clone())]);
    let cancel = CancellationToken::new();
    let no_program = plan(&world, &["no-such-program"]);
    let mut no_image = plan(&world, &["sh"]);
    no_image.program = Program::Image {
        reference: "no-such-image-here".to_owned(),
        entrypoint: None,
    };
    let mut local = plan(&world, &[]);
    local.program = Program::Local("sh".to_owned());
    for plan in [no_program, no_image, local] {
        let answer = ask(
            &world.docker,
            &plan,
            &["-c", "echo x"],
            PATIENCE,
            &cancel,
            labels(),
        )
        .await;
        let nothing = Asked {
            said: None,
            is_gone: true,
        };
        assert_eq!(answer, nothing, "{:?}", plan.program);
        assert_eq!(world.containers().await, 0, "{:?}", plan.program);
    }
}

#[tokio::test]
async fn an_image_without_a_program_of_the_plans_runs_its_own() {
    let Some(world) = World::new().await else { return };
    let mut plan = plan(&world, &[]);
    plan.program = Program::Image {
        reference: world.image.clone(),
        entrypoint: None,
    };
    let labels = HashMap::from([(LABEL.to_owned(), world.image.clone())]);
    // This one has none, so the arguments are the program.
    let cancel = CancellationToken::new();
    let answer = ask(
        &world.docker,
        &plan,
        &["sh", "-c", "echo own"],
        PATIENCE,
        &cancel,
        labels,
    )
    .await;
    assert_eq!(answer.said.as_deref(), Some("own\n"));
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let Some(world) = World::new().await else { return };
    let script = "yes 'a line of a long answer, which is about as wide as those of a help' | head -c 3000000";
    let answer = shell(&world, script, PATIENCE, &CancellationToken::new()).await;
    assert_eq!(answer.map(|answer| answer.len()), Some(1024 * 1024));
}

#[tokio::test]
async fn one_that_takes_too_long_is_removed() {
    let Some(world) = World::new().await else { return };
    let answer = shell(
        &world,
        "trap '' TERM; sleep 600 & wait",
        Duration::from_secs(2),
        &CancellationToken::new(),
    )
    .await;
    assert_eq!(answer, None);
    assert_eq!(world.containers().await, 0);
}

#[tokio::test]
async fn one_that_is_cancelled_is_removed() {
    let Some(world) = World::new().await else { return };
    let cancel = CancellationToken::new();
    let asked = shell(&world, "sleep 600", PATIENCE, &cancel);
    let cancelling = async {
        until("it is there", || async { world.containers().await == 1 }).await;
        cancel.cancel();
    };
    let (answer, ()) = tokio::join!(asked, cancelling);
    assert_eq!(answer, None);
    assert_eq!(world.containers().await, 0);
}
