//! An experiment's agent in a cluster: beside the engine in its pod, and its parent.
//!
//! It does what a worker does for an engine on its own machine, by the same functions: start it as
//! a child process, wait until it is ready, load it over the loopback, stop it. What it was told is
//! in [`order`], what it says on the way in [`said`], how in [`voice`]. It judges nothing, keeps
//! nothing and asks the cluster for nothing. An engine that an operator of the cluster serves it only
//! loads, from a pod of its own ([`afar`]).

mod afar;
pub(crate) mod order;
pub(crate) mod records;
pub(crate) mod said;
mod tail;
mod voice;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::measure::LevelRecords;
use autotuner_core::spec::TaskSpec;
use autotuner_deploy::process::ProcessDeployer;
use autotuner_deploy::{Deployer as _, Deployment, Label, Placement, Unwatched};
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_load::{Observer, Progress, Recording, Verdict};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::targets::{claim, local};
use crate::worker::benchmark::{Loading, benchmark};
use crate::worker::chain;
use crate::worker::explain::not_deployed;
use crate::worker::preflight::own_program;
use crate::worker::start::ready;
use crate::worker::stop::RunStop;
use crate::worker::teardown::ended;
use order::Order;
use records::LevelSaid;
use said::{ProgressSaid, Said};
use tail::follow;
use voice::Voice;

/// Where a cluster looks for a container's last words.
const LAST_WORDS: &str = "/dev/termination-log";

/// Pause between two reports of a level's progress.
const PROGRESS_PAUSE: Duration = Duration::from_secs(1);

/// Where a container's kernel counts processes that it has killed for memory, by its generation of
/// control groups.
const MEMORY_EVENTS: [&str; 2] = [
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
];

/// Does what an order says. Whether something was measured.
pub(crate) async fn run(order: Order, config: &Config, shutdown: Shutdown) -> bool {
    let (voice, speaking) = Voice::start(&order.nonce);
    voice.say(&Said::hello()).await;
    let stop = RunStop::on(shutdown);
    let outcome = attempt(&order, config, &stop, &voice).await;
    let words = match &outcome {
        Ok(recording) => json!({ "outcome": "measured", "levels": recording.levels.len() }),
        Err(failure) => json!({ "outcome": failure.kind.as_str(), "message": failure.message }),
    };
    // A cluster that does not look for them has no such file.
    drop(std::fs::write(LAST_WORDS, words.to_string()));
    let is_measured = outcome.is_ok();
    voice.say(&Said::outcome(outcome)).await;
    voice.say(&Said::Over).await;
    drop(voice);
    speaking.finish().await;
    is_measured
}

/// From start to stop, with everything that the engine prints passed on.
async fn attempt(
    order: &Order,
    config: &Config,
    stop: &RunStop,
    voice: &Voice,
) -> Result<Recording, Failure> {
    let of_ours = |text: String| Failure::new(FailureKind::Infrastructure, text);
    let task = TaskSpec::from_value(&order.document).and_then(|parsed| parsed.spec.resolve());
    let task = task.map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        of_ours(format!("the task is not understood here: {}", texts.join("; ")))
    })?;
    let own = own_program().map_err(|error| of_ours(format!("cannot tell our own program: {error}")))?;
    let plan = order.plan(&own);
    if let Some(url) = &order.url {
        return afar::attempt(url, &task, &plan, stop, voice).await;
    }
    let instance = claim(config, "agent").map_err(|error| not_deployed(&error))?;
    let deployer = local(config, instance).map_err(|error| of_ours(chain(&error)))?;
    let log_file = config.data_dir.join("engine.log");
    let label = Label {
        task: task.name.clone(),
        experiment: order.experiment,
        attempt: order.attempt,
        log_file: log_file.clone(),
    };
    deployer
        .prepare(&plan, &Unwatched, &stop.tokens.soft)
        .await
        .map_err(|error| not_deployed(&error))?;
    let killed_before = killed_for_memory();
    // The cluster has given this container its GPUs, and nobody else is in it.
    let placement = Placement {
        has_all_gpus: true,
        ..Placement::default()
    };
    let launched = deployer.launch(&plan, &placement, &label).await;
    let deployment = launched.map_err(|error| not_deployed(&error))?;
    let end_of_output = CancellationToken::new();
    let following = tokio::spawn(follow(log_file, voice.clone(), end_of_output.clone()));
    let command = deployment.command.clone();
    voice.say(&Said::Launched { command }).await;
    let using = async {
        let took = ready(&deployer, stop, &plan, &deployment).await?;
        voice.say(&Said::ready(took)).await;
        let bench = LoadGenerator::new(LoadOptions::default());
        let loading = Loading {
            deployer: &deployer,
            deployment: &deployment,
            bench: &bench,
            workload: &task.workload,
            limit: task.search.timeout_per_iteration,
            model: &plan.served_model_name,
        };
        let mut levels = Levels { voice, told_at: None };
        benchmark(&loading, stop, &mut levels).await
    };
    let outcome = using.await.map_err(|failure| match killed_for_memory() {
        killed if killed > killed_before => short_of_memory(failure),
        _ => failure,
    });
    end(&deployer, &deployment, order, stop).await;
    end_of_output.cancel();
    if let Err(fault) = following.await {
        tracing::warn!(%fault, "the engine's output was not passed on to its end");
    }
    outcome
}

/// Stops the engine. What cannot be stopped ends with its container.
async fn end(deployer: &ProcessDeployer, deployment: &Deployment, order: &Order, stop: &RunStop) {
    let stopped = ended(&deployment.id, &stop.tokens, order.stop_grace(), |grace| {
        deployer.stop(deployment, grace)
    });
    if let Err(error) = stopped.await {
        tracing::warn!("{}", chain(&error));
    }
}

/// The failure of an engine whose container has run out of memory, whichever of its processes the
/// kernel has picked.
fn short_of_memory(mut failure: Failure) -> Failure {
    failure.kind = FailureKind::OutOfMemory;
    failure
        .message
        .push_str(": its container ran out of the memory that it may have");
    failure
}

/// How many processes of this container the kernel has killed for memory.
fn killed_for_memory() -> u64 {
    let texts = MEMORY_EVENTS
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok());
    texts.map(|text| kills(&text)).sum()
}

fn kills(events: &str) -> u64 {
    let counts = events.lines().filter_map(|line| line.strip_prefix("oom_kill "));
    counts.filter_map(|count| count.trim().parse::<u64>().ok()).sum()
}

/// Passes on how the benchmark goes. Whether it is worth finishing is decided elsewhere, where all
/// is known.
struct Levels<'a> {
    voice: &'a Voice,
    told_at: Option<Instant>,
}

#[async_trait]
impl Observer for Levels<'_> {
    fn progress(&mut self, progress: &Progress) {
        if self.told_at.is_none_or(|at| at.elapsed() >= PROGRESS_PAUSE) {
            self.told_at = Some(Instant::now());
            self.voice
                .mention(&Said::Progress(ProgressSaid::from(progress.clone())));
        }
    }

    async fn level_done(&mut self, records: &LevelRecords) -> Verdict {
        self.told_at = None;
        let said = Said::Level(Box::new(LevelSaid::from(records.clone())));
        self.voice.say(&said).await;
        Verdict::Continue
    }
}

/// Puts this very program where a pod's engine finds it, whole or not at all.
///
/// # Errors
/// It cannot be read or written.
pub(crate) fn install(to: &Path) -> std::io::Result<()> {
    let own = std::env::current_exe()?;
    let beside: PathBuf = to.with_extension("part");
    // With its permissions.
    std::fs::copy(own, &beside)?;
    std::fs::rename(beside, to)
}

#[cfg(test)]
mod tests {
    use super::kills;

    #[test]
    fn both_generations_of_control_groups_count_what_they_kill() {
        assert_eq!(
            kills("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"),
            2
        );
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), 1);
        assert_eq!(kills(""), 0);
    }
}
