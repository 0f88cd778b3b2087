//! What every deployer must do, as one suite that runs against any of them.
//!
//! A target's tests implement [`Subject`] (how to make engines that behave in certain ways)
//! and call [`run`]. A check describes a promise of [`Deployer`] and nothing of how a target
//! keeps it. Each check looks afterwards that nothing is left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::LaunchPlan;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::whole_story;
use crate::ready::{NotReady, Ready, ReadyCheck, wait_until_ready};
use crate::{
    DeployError, Deployer, Deployment, DeploymentStatus, Exit, Label, Owned, Placement, Unwatched, http,
};

/// What [`Behaviour::PrintThenExit`] prints first, with a line end behind it.
pub const FIRST_WORDS: &str = "first words of the engine";

/// What [`Behaviour::PrintThenExit`] prints last, without a line end behind it.
pub const LAST_WORDS: &str = "last words of the engine";

/// The code with which [`Behaviour::PrintThenExit`] exits.
pub const PRINTED_EXIT_CODE: i32 = 3;

/// Longest time for anything that should happen soon, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How an engine in a check should behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers 200 to `GET /health`, and to `GET /iam/<its served model name>`; 404 otherwise.
    Serve,
    /// Exits with this code without a word.
    ExitAtOnce {
        /// The exit code.
        code: i32,
    },
    /// Prints [`FIRST_WORDS`], some lines, and [`LAST_WORDS`], part of it to standard error,
    /// and exits with [`PRINTED_EXIT_CODE`].
    PrintThenExit,
    /// Lives and never listens.
    NeverReady,
    /// Serves, and does not heed SIGTERM.
    IgnoreSigterm,
    /// Serves, and has a child that leaves its group and does not heed SIGTERM.
    ForkChild,
    /// Names a program or an image that does not exist.
    MissingProgram,
}

/// A deployer with all that the checks need around it.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The deployer to be checked.
    fn deployer(&self) -> &dyn Deployer;

    /// A plan for an engine of this behaviour that serves this model name; `None` where the
    /// target has nothing like it.
    fn plan(&self, behaviour: Behaviour, served_model_name: &str) -> Option<LaunchPlan>;

    /// A folder for the engines' logs.
    fn log_folder(&self) -> &Path;

    /// Everything that is left at the target of what the checks started, in words.
    async fn leftovers(&self) -> Vec<String>;
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub promise: &'static str,
    /// What happened instead.
    pub what: String,
}

/// Why a check failed.
type Outcome = Result<(), String>;

/// Runs every check and answers with those that failed.
pub async fn run(subject: &dyn Subject) -> Vec<Broken> {
    let mut broken = Vec::new();
    macro_rules! check {
        ($promise:literal, $check:ident) => {{
            let outcome = timeout(PATIENCE * 3, $check(subject)).await;
            let outcome = outcome.unwrap_or_else(|_| Err("it hangs".to_owned()));
            let outcome = match outcome {
                Ok(()) => nothing_left(subject).await,
                failed => failed,
            };
            if let Err(what) = outcome {
                broken.push(Broken {
                    promise: $promise,
                    what,
                });
            }
        }};
    }
    check!("an engine gets ready, runs, stops and is gone", lives_and_dies);
    check!("an exit is seen with its code and can be stopped", exit_is_seen);
    check!("the log holds the first byte and the last", log_is_whole);
    check!("waiting ends at its deadline", deadline_holds);
    check!("waiting ends when cancelled", cancel_ends_waiting);
    check!("stopping twice is no error", stop_is_idempotent);
    check!("an engine that does not heed is forced", stubborn_is_forced);
    check!("what an engine started goes with it", children_go_too);
    check!("two engines at once answer each as itself", two_at_once);
    check!(
        "what is ours is listed until it is stopped",
        list_shows_and_forgets
    );
    check!("a missing program is said to be missing", missing_is_said);
    broken
}

async fn lives_and_dies(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::Serve, "lives").await? else {
        return Ok(());
    };
    engine.ready().await?;
    expect(engine.status().await?, DeploymentStatus::Running)?;
    engine.stop(PATIENCE).await?;
    expect(engine.status().await?, DeploymentStatus::Gone)?;
    match http::accepts(&engine.deployment.base_url).await {
        Ok(()) => Err("it still accepts connections after it was stopped".to_owned()),
        Err(_) => Ok(()),
    }
}

async fn exit_is_seen(subject: &dyn Subject) -> Outcome {
    for code in [0, 1, 77] {
        let Some(engine) = launch(subject, Behaviour::ExitAtOnce { code }, "exits").await? else {
            continue;
        };
        let exit = engine.exit_while_waiting().await?.0;
        expect((exit.code, exit.signal), (Some(code), None))?;
        expect(engine.status().await?, DeploymentStatus::Exited(exit))?;
        engine.stop(Duration::ZERO).await?;
        expect(engine.status().await?, DeploymentStatus::Gone)?;
    }
    Ok(())
}

async fn log_is_whole(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::PrintThenExit, "prints").await? else {
        return Ok(());
    };
    let (exit, tail) = engine.exit_while_waiting().await?;
    expect(exit.code, Some(PRINTED_EXIT_CODE))?;
    expect(tail.last().map(String::as_str), Some(LAST_WORDS))?;
    let last_two = in_words(engine.deployer.logs(&engine.deployment, 2).await)?;
    expect(last_two.as_slice(), &tail[tail.len().saturating_sub(2)..])?;
    engine.stop(Duration::ZERO).await?;
    let log = tokio::fs::read(&engine.deployment.log_file).await;
    let log = log.map_err(|error| format!("its log cannot be read: {error}"))?;
    let has_both = log.starts_with(FIRST_WORDS.as_bytes()) && log.ends_with(LAST_WORDS.as_bytes());
    if has_both {
        Ok(())
    } else {
        Err(format!("its log is {:?}", String::from_utf8_lossy(&log)))
    }
}

async fn deadline_holds(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::NeverReady, "never").await? else {
        return Ok(());
    };
    let check = ReadyCheck {
        timeout: Duration::from_millis(300),
        ..ReadyCheck::of(&engine.plan)
    };
    let outcome = wait_until_ready(
        engine.deployer,
        &engine.deployment,
        &check,
        &CancellationToken::new(),
    )
    .await;
    expect(engine.status().await?, DeploymentStatus::Running)?;
    engine.stop(PATIENCE).await?;
    match outcome {
        Err(NotReady::Deadline { .. }) => Ok(()),
        other => Err(format!("waiting ended with {other:?}")),
    }
}

async fn cancel_ends_waiting(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::NeverReady, "cancelled").await? else {
        return Ok(());
    };
    let cancel = CancellationToken::new();
    let check = ReadyCheck::of(&engine.plan);
    let (outcome, ()) = tokio::join!(
        wait_until_ready(engine.deployer, &engine.deployment, &check, &cancel),
        async {
            sleep(Duration::from_millis(100)).await;
            cancel.cancel();
        }
    );
    engine.stop(PATIENCE).await?;
    match outcome {
        Err(NotReady::Cancelled) => Ok(()),
        other => Err(format!("waiting ended with {other:?}")),
    }
}

async fn stop_is_idempotent(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::Serve, "twice").await? else {
        return Ok(());
    };
    let (first, second) = tokio::join!(engine.stop(PATIENCE), engine.stop(Duration::ZERO));
    first?;
    second?;
    engine.stop(PATIENCE).await
}

async fn stubborn_is_forced(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::IgnoreSigterm, "stubborn").await? else {
        return Ok(());
    };
    engine.ready().await?;
    engine.stop(Duration::from_millis(200)).await?;
    expect(engine.status().await?, DeploymentStatus::Gone)
}

async fn children_go_too(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::ForkChild, "parent").await? else {
        return Ok(());
    };
    engine.ready().await?;
    // That nothing is left is looked at after every check.
    engine.stop(Duration::from_millis(200)).await
}

async fn two_at_once(subject: &dyn Subject) -> Outcome {
    let (one, other) = tokio::join!(
        launch(subject, Behaviour::Serve, "one"),
        launch(subject, Behaviour::Serve, "other")
    );
    let (Some(one), Some(other)) = (one?, other?) else {
        return Ok(());
    };
    one.ready().await?;
    other.ready().await?;
    for (engine, own, strange) in [
        (&one, "/iam/one", "/iam/other"),
        (&other, "/iam/other", "/iam/one"),
    ] {
        expect(engine.ask(own).await?, 200)?;
        expect(engine.ask(strange).await?, 404)?;
    }
    one.stop(PATIENCE).await?;
    expect(other.status().await?, DeploymentStatus::Running)?;
    expect(other.ask("/iam/other").await?, 200)?;
    other.stop(PATIENCE).await
}

async fn list_shows_and_forgets(subject: &dyn Subject) -> Outcome {
    let Some(engine) = launch(subject, Behaviour::Serve, "listed").await? else {
        return Ok(());
    };
    let id = engine.deployment.id.clone();
    let find = async || -> Result<Option<Owned>, String> {
        let all = in_words(engine.deployer.list_ours().await)?;
        Ok(all.into_iter().find(|owned| owned.id == id))
    };
    let expected = Owned {
        id: id.clone(),
        task: "conformance".to_owned(),
        experiment: 1,
        owner_alive: true,
        alive: true,
    };
    expect(find().await?, Some(expected))?;
    engine.stop(PATIENCE).await?;
    expect(find().await?, None)
}

async fn missing_is_said(subject: &dyn Subject) -> Outcome {
    let Some(plan) = subject.plan(Behaviour::MissingProgram, "missing") else {
        return Ok(());
    };
    if prepare(subject.deployer(), &plan).await.is_ok() {
        return Err("the check finds nothing wrong".to_owned());
    }
    let (nothing, label) = (Placement::default(), label(subject, "missing"));
    match subject.deployer().launch(&plan, &nothing, &label).await {
        Err(_) => Ok(()),
        Ok(deployment) => Err(format!("it was started: {deployment:?}")),
    }
}

/// A started engine and all that goes with it.
struct Started<'a> {
    deployer: &'a dyn Deployer,
    plan: LaunchPlan,
    deployment: Deployment,
}

async fn launch<'a>(
    subject: &'a dyn Subject,
    behaviour: Behaviour,
    served_model_name: &str,
) -> Result<Option<Started<'a>>, String> {
    let Some(plan) = subject.plan(behaviour, served_model_name) else {
        tracing::warn!(
            ?behaviour,
            "this target has no such engine: the check is left out"
        );
        return Ok(None);
    };
    let deployer = subject.deployer();
    in_words(prepare(deployer, &plan).await)?;
    let deployment = in_words(
        deployer
            .launch(&plan, &Placement::default(), &label(subject, served_model_name))
            .await,
    )?;
    Ok(Some(Started {
        deployer,
        plan,
        deployment,
    }))
}

async fn prepare(deployer: &dyn Deployer, plan: &LaunchPlan) -> Result<(), DeployError> {
    deployer
        .prepare(plan, &Unwatched, &CancellationToken::new())
        .await
}

fn label(subject: &dyn Subject, name: &str) -> Label {
    let log_file: PathBuf = subject.log_folder().join(format!("{name}.log"));
    Label {
        task: "conformance".to_owned(),
        experiment: 1,
        attempt: 1,
        log_file,
    }
}

impl Started<'_> {
    async fn wait(&self) -> Result<Ready, NotReady> {
        let check = ReadyCheck {
            timeout: PATIENCE,
            ..ReadyCheck::of(&self.plan)
        };
        wait_until_ready(self.deployer, &self.deployment, &check, &CancellationToken::new()).await
    }

    async fn ready(&self) -> Outcome {
        match self.wait().await {
            Ok(Ready { .. }) => Ok(()),
            Err(why) => Err(format!("it does not get ready: {why:?}")),
        }
    }

    async fn exit_while_waiting(&self) -> Result<(Exit, Vec<String>), String> {
        match self.wait().await {
            Err(NotReady::Exited { exit, log_tail }) => Ok((exit, log_tail)),
            other => Err(format!("its exit is not seen: {other:?}")),
        }
    }

    async fn status(&self) -> Result<DeploymentStatus, String> {
        in_words(self.deployer.status(&self.deployment).await)
    }

    async fn stop(&self, grace: Duration) -> Outcome {
        in_words(self.deployer.stop(&self.deployment, grace).await)
    }

    async fn ask(&self, path: &str) -> Result<u16, String> {
        let answer = http::get_status(&self.deployment.base_url, path).await;
        answer
            .map(|status| status.as_u16())
            .map_err(|error| whole_story(&error))
    }
}

/// Some targets take a moment to forget what has ended.
async fn nothing_left(subject: &dyn Subject) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = subject.leftovers().await;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("left behind: {}", left.join(", ")));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found:?} instead of {expected:?}"))
    }
}

fn in_words<T>(result: Result<T, DeployError>) -> Result<T, String> {
    result.map_err(|error| whole_story(&error))
}
