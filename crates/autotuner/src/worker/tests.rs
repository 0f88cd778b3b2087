//! Whole runs against engines in memory.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use autotuner_core::experiment::Experiment;
use autotuner_core::failure::FailureKind;
use autotuner_core::gpu::GpuState;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::plan::Finish;
use autotuner_core::search::Role;
use autotuner_core::spec::TaskSpec;
use autotuner_core::verdict::{Claim, verdict};
use autotuner_deploy::gpu::{FixedGpus, GpuPool};
use autotuner_store::{MemoryStore, Store};
use serde_json::{Value, json};

use super::logs::TaskLogs;
use super::probe::EngineFacts;
use super::slots::CpuSlots;
use super::stop::RunStop;
use super::{Event, GPU_PATIENCE, GPU_PATIENCE_BEHIND_TASKS, Reporter, Worker, run_task};
use crate::clock::{Clock, SystemClock};
use crate::fake::{FakeWorld, world};
use crate::shutdown::Shutdown;

/// Longest time that any of these runs may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that is over.
struct Ran {
    finish: Finish,
    status: TaskStatus,
    experiments: Vec<Experiment>,
    log: String,
}

impl Ran {
    /// Role, behaviour and outcome of each experiment.
    fn outcomes(&self) -> Vec<String> {
        self.experiments
            .iter()
            .map(|experiment| {
                let outcome = match (experiment.score(), experiment.failure()) {
                    (Some(score), _) => format!("{}", score.objective_value()),
                    (_, Some(failure)) => failure.kind.to_string(),
                    (None, None) => experiment.status.to_string(),
                };
                format!("{} {}: {outcome}", experiment.role.as_str(), experiment.candidate)
            })
            .collect()
    }
}

struct Scene {
    world: Arc<FakeWorld>,
    gpus: Arc<FixedGpus>,
    document: Value,
    shutdown: Shutdown,
    reporter: Arc<dyn Reporter>,
    gpu_patience: Duration,
    /// Longest time that the run may take.
    deadline: Duration,
}

/// Hears nothing.
struct Deaf;

impl Reporter for Deaf {
    fn report(&self, _event: Event<'_>) {}
}

impl Scene {
    fn new(parameters: Value) -> Self {
        Self {
            world: world(),
            gpus: Arc::new(FixedGpus::idle(0)),
            document: json!({
                "task_name": "fake",
                "deployment_mode": "local",
                "base_runtime": "custom",
                "model": {"id_or_path": "fake"},
                "parameters": parameters,
                "optimization": {
                    "strategy": "grid_search",
                    "objective": "maximize_throughput",
                    "max_iterations": 10,
                    "max_replicates": 0,
                    "timeout_per_iteration": 30,
                },
                "benchmark": {},
                "engine": {"program": "fake", "args": ["--port", "{port}"], "start_timeout": 30},
            }),
            shutdown: Shutdown::default(),
            reporter: Arc::new(Deaf),
            gpu_patience: GPU_PATIENCE,
            deadline: PATIENCE,
        }
    }

    fn set(mut self, section: &str, key: &str, value: impl Into<Value>) -> Self {
        self.document[section][key] = value.into();
        self
    }

    /// The task needs a GPU, and another program uses the only one.
    fn on_a_busy_gpu(mut self) -> Self {
        self = self.set("resources", "gpus", 1);
        self.gpus = Arc::new(FixedGpus::idle(1));
        let busy = self.gpus.states().into_iter().map(|state| GpuState {
            utilization_percent: Some(99),
            ..state
        });
        self.gpus.set(busy.collect());
        self
    }

    async fn run(&self) -> Ran {
        let task = TaskSpec::from_value(&self.document)
            .expect("sound")
            .spec
            .resolve()
            .expect("sound");
        let folder = tempfile::tempdir().expect("a temporary directory");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = MemoryStore::new();
        let task_id = store.begin_task(&task.name).expect("new");
        let store: Arc<dyn Store> = Arc::new(store);
        let worker = Arc::new(Worker {
            engine: task.engine.engine(),
            strategy: task.search.strategy.strategy(),
            task,
            task_id,
            ground: super::site::Ground::Machine(Arc::clone(&self.world) as _),
            document: self.document.clone(),
            bench: Arc::clone(&self.world) as _,
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            reporter: Arc::clone(&self.reporter),
            logs: TaskLogs::open(folder.path().to_owned(), clock).expect("opened"),
            facts: EngineFacts::default(),
            stop_grace: Duration::from_secs(1),
            stop: RunStop::on(self.shutdown.clone()),
            stuck: super::Stuck::default(),
            gpus: GpuPool::new(Arc::clone(&self.gpus) as _, folder.path().join("gpus")),
            gpu_patience: self.gpu_patience,
            slots: CpuSlots::new(4),
            gpu_model: OnceLock::new(),
            image: OnceLock::new(),
            earlier: tokio::sync::OnceCell::new(),
        });
        let finish = tokio::time::timeout(self.deadline, run_task(worker))
            .await
            .expect("the run ends")
            .expect("the record is kept");
        assert_eq!(self.world.running(), 0, "no engine is left");
        Ran {
            finish,
            status: store.task_status(task_id).await.expect("known"),
            experiments: store.history(task_id).await.expect("known"),
            log: std::fs::read_to_string(folder.path().join("task.log")).expect("readable"),
        }
    }
}

#[tokio::test]
async fn a_run_measures_the_defaults_first_and_finds_the_best() {
    let scene = Scene::new(json!({"rate": [50, 200, 150]}));
    let ran = scene.run().await;
    assert_eq!(
        ran.outcomes(),
        [
            "baseline engine defaults: 100",
            "search rate=50: 50",
            "search rate=200: 200",
            "search rate=150: 150",
        ]
    );
    assert_eq!(ran.status, TaskStatus::Completed);
    let verdict = verdict(&ran.experiments);
    assert_eq!(verdict.best.map(|best| best.number.0), Some(3));
    assert_eq!(verdict.claim, Claim::Unconfirmed(1.0));
    let launch = ran.experiments[2].launch.as_ref().expect("launched");
    assert!(
        launch.command.ends_with(&["--rate".into(), "200".into()]),
        "{launch:?}"
    );
    assert!(launch.ready_after_ms.is_some());
    assert!(ran.log.contains("[Experiment 3] fake engine"), "{}", ran.log);
}

#[tokio::test]
async fn what_is_hopeless_is_given_up_after_its_first_level_where_a_task_allows_it() {
    let rates = json!([200, 210, 190, 220, 205, 10, 20, 500]);
    let scene = |early_abort: bool| {
        Scene::new(json!({ "rate": rates }))
            .set("benchmark", "num_concurrency", json!([1, 4]))
            .set("optimization", "early_abort", early_abort)
    };
    let ran = scene(true).run().await;
    let given_up: Vec<&Experiment> = ran
        .experiments
        .iter()
        .filter(|experiment| experiment.failure().is_some())
        .collect();
    let numbers: Vec<u32> = given_up.iter().map(|experiment| experiment.number.0).collect();
    assert_eq!(numbers, [7, 8], "{:?}", ran.outcomes());
    for experiment in given_up {
        let failure = experiment.failure().expect("given up");
        assert_eq!(failure.kind, FailureKind::EarlyAborted);
        assert!(
            failure
                .message
                .starts_with("given up after 1 of 2 levels: it beats"),
            "{}",
            failure.message
        );
        let partial = failure.partial.as_ref().expect("what it showed is kept");
        let loads: Vec<u32> = partial.levels.iter().map(|level| level.concurrency).collect();
        assert_eq!(loads, [4], "the greatest load runs first");
    }
    assert_eq!(verdict(&ran.experiments).best.map(|best| best.number.0), Some(9));
    assert!(
        ran.log.contains("[Experiment 9] 1 of 2 levels: it beats"),
        "{}",
        ran.log
    );
    let measured = scene(false).run().await;
    assert!(
        measured
            .experiments
            .iter()
            .all(|experiment| experiment.score().is_some())
    );
}

#[tokio::test]
async fn every_way_to_fail_has_its_kind_and_the_run_goes_on() {
    let behaviours = [
        ("exit=1", FailureKind::EngineCrashed),
        ("oom", FailureKind::OutOfMemory),
        ("never-ready", FailureKind::NotReadyInTime),
        ("die-under-load", FailureKind::EngineCrashed),
        ("garbage", FailureKind::BenchmarkFailed),
        ("half", FailureKind::BenchmarkFailed),
        ("hang", FailureKind::BenchmarkFailed),
    ];
    let words: Vec<&str> = behaviours
        .iter()
        .map(|(word, _)| *word)
        .chain(["serve"])
        .collect();
    let scene = Scene::new(json!({"behave": words}))
        .set("engine", "start_timeout", 1)
        .set("optimization", "timeout_per_iteration", 1);
    let ran = scene.run().await;
    for (experiment, (word, kind)) in ran.experiments[1..].iter().zip(behaviours) {
        let failure = experiment.failure().unwrap_or_else(|| panic!("{word} must fail"));
        assert_eq!(failure.kind, kind, "{word}: {}", failure.message);
    }
    let oom = ran.experiments[2].failure().expect("failed");
    assert!(oom.message.contains("CUDA out of memory"), "{}", oom.message);
    assert!(!oom.log_tail.is_empty());
    let last = ran.experiments.last().expect("the last of them");
    assert!(last.score().is_some(), "the one that works is measured");
    assert_eq!(ran.status, TaskStatus::Completed);
}

#[tokio::test]
async fn a_run_in_which_nothing_works_has_failed() {
    let scene = Scene::new(json!({"rate": [1, 2]})).set(
        "engine",
        "args",
        json!(["--port", "{port}", "--behave", "oom"]),
    );
    let ran = scene.run().await;
    assert_eq!(ran.status, TaskStatus::Failed);
    assert_eq!(verdict(&ran.experiments).claim, Claim::NothingMeasured);
    assert_eq!(ran.experiments[0].role, Role::Baseline);
}

#[tokio::test]
async fn what_is_lost_through_no_fault_of_its_own_is_tried_again() {
    let scene = Scene::new(json!({"rate": [50]}));
    scene.world.failing_launches.store(2, Ordering::SeqCst);
    let ran = scene.run().await;
    assert_eq!(
        ran.outcomes(),
        [
            "baseline engine defaults: infrastructure",
            "baseline engine defaults: infrastructure",
            "baseline engine defaults: 100",
            "search rate=50: 50",
        ]
    );
    assert_eq!(ran.experiments[2].attempt, 3);
}

#[tokio::test]
async fn a_world_that_stays_broken_ends_the_run_and_says_why() {
    let scene = Scene::new(json!({"rate": [50]}));
    scene.world.failing_launches.store(9, Ordering::SeqCst);
    let ran = scene.run().await;
    assert_eq!(ran.status, TaskStatus::Failed);
    assert_eq!(
        ran.finish,
        Finish::KeepsBeingLost {
            message: "could not reserve a port: no port today".into()
        }
    );
}

#[tokio::test]
async fn what_the_load_generator_limits_is_not_scored_and_is_no_fault_of_the_candidate() {
    let ran = Scene::new(json!({"behave": ["slow-client"]})).run().await;
    let failure = ran.experiments[1].failure().expect("not scored");
    assert_eq!(failure.kind, FailureKind::ClientLimited);
    assert!(
        failure
            .message
            .starts_with("D(1,1) at concurrency 1: the load generator's own error is"),
        "{}",
        failure.message
    );
    assert!(
        failure
            .advice
            .as_ref()
            .is_some_and(|advice| advice.contains("another machine")),
        "{failure:?}"
    );
    assert_eq!(
        ran.experiments.len(),
        1 + 2,
        "it had a second attempt and no third"
    );
    assert!(
        matches!(ran.finish, Finish::BudgetSpent | Finish::NothingLeft { .. }),
        "{:?}",
        ran.finish
    );
}

#[tokio::test]
async fn a_fault_of_ours_loses_no_engine_and_is_tried_again() {
    let scene = Scene::new(json!({"behave": ["panic"]}));
    let ran = scene.run().await;
    assert_eq!(
        ran.experiments[1].failure().map(|failure| failure.kind),
        Some(FailureKind::Infrastructure)
    );
    assert!(
        matches!(ran.finish, Finish::KeepsBeingLost { .. }),
        "{:?}",
        ran.finish
    );
}

#[tokio::test]
async fn a_fault_of_ours_while_a_failure_is_explained_loses_no_engine() {
    let ran = Scene::new(json!({"behave": ["unreadable"]})).run().await;
    assert_eq!(
        ran.experiments[1].failure().map(|failure| failure.kind),
        Some(FailureKind::Infrastructure)
    );
}

#[tokio::test]
async fn an_engine_that_died_is_not_scored_for_what_it_did_before() {
    let ran = Scene::new(json!({"behave": ["die-in-the-end"]})).run().await;
    let failure = ran.experiments[1].failure().expect("not scored");
    assert_eq!(failure.kind, FailureKind::EngineCrashed);
    assert!(failure.message.contains("under load"), "{}", failure.message);
}

#[tokio::test]
async fn a_run_that_is_cancelled_while_it_deploys_starts_no_engine() {
    let mut scene = Scene::new(json!({"rate": [50]}));
    scene.reporter = Arc::new(Canceller {
        shutdown: scene.shutdown.clone(),
        number: 1,
        status: "deploying",
        seen: Mutex::default(),
    });
    let ran = scene.run().await;
    assert_eq!(ran.status, TaskStatus::Cancelled);
    assert_eq!(scene.world.launches(), 0);
}

#[tokio::test]
async fn secrets_are_not_recorded() {
    let mut scene = Scene::new(json!({"rate": [50]}));
    scene.document["engine"]["env"] = json!({"HF_TOKEN": "hf_x", "TOKENIZERS_PARALLELISM": "false"});
    let ran = scene.run().await;
    let launch = ran.experiments[0].launch.as_ref().expect("launched");
    let mut shown: Vec<_> = launch
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    shown.sort();
    assert_eq!(shown, ["HF_TOKEN=***", "TOKENIZERS_PARALLELISM=false"]);
}

#[tokio::test]
async fn nothing_is_measured_beside_an_engine_that_could_not_be_stopped() {
    let scene = Scene::new(json!({"behave": ["immortal", "serve"]}));
    let ran = scene.run().await;
    assert!(
        ran.experiments[1].score().is_some(),
        "it was measured undisturbed"
    );
    assert_eq!(scene.world.launches(), 2, "no other engine is started");
    let Finish::KeepsBeingLost { message } = &ran.finish else {
        panic!("{:?}", ran.finish);
    };
    assert!(message.contains("could not be stopped"), "{message}");
}

#[tokio::test]
async fn an_engine_that_could_not_be_stopped_is_tried_again() {
    let scene = Scene::new(json!({"behave": ["tough", "serve"]}));
    let ran = scene.run().await;
    assert_eq!(
        ran.outcomes(),
        [
            "baseline engine defaults: 100",
            "search behave=tough: 100",
            "search behave=serve: 100"
        ]
    );
    assert!(ran.log.contains("could not be stopped"), "{}", ran.log);
}

#[tokio::test]
async fn a_target_that_comes_back_is_waited_for() {
    let scene = Scene::new(json!({"rate": [50]}));
    scene.world.absences.store(2, Ordering::SeqCst);
    let ran = scene.run().await;
    assert_eq!(
        ran.outcomes(),
        ["baseline engine defaults: 100", "search rate=50: 50"],
        "no attempt is lost"
    );
    assert!(
        ran.log
            .contains("waiting for up to 120 s: the fake daemon does not answer"),
        "{}",
        ran.log
    );
}

#[tokio::test]
async fn waiting_for_a_target_ends_with_a_cancel() {
    let scene = Scene::new(json!({"rate": [50]}));
    scene.world.absences.store(u16::MAX, Ordering::SeqCst);
    let cancel = scene.shutdown.soft.clone();
    let (ran, ()) = tokio::join!(scene.run(), async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    assert_eq!(ran.finish, Finish::Cancelled);
    assert_eq!(ran.outcomes(), ["baseline engine defaults: cancelled"]);
}

#[tokio::test]
async fn what_an_interruption_disturbed_is_measured_again_and_never_scored() {
    let scene = Scene::new(json!({"behave": ["interrupted"]}));
    let ran = scene.run().await;
    let lost = "search behave=interrupted: infrastructure";
    assert_eq!(
        ran.outcomes(),
        ["baseline engine defaults: 100", lost, lost, lost]
    );
    let failure = ran.experiments[1].failure().expect("it failed");
    assert!(failure.message.contains("was interrupted"), "{failure:?}");
    assert!(failure.advice.is_some());
}

#[tokio::test]
async fn gpus_are_held_for_the_experiment_and_watched_while_it_is_measured() {
    let mut scene = Scene::new(json!({"rate": [50]})).set("resources", "gpus", 2);
    scene.gpus = Arc::new(FixedGpus::idle(3));
    let ran = scene.run().await;
    assert_eq!(
        ran.outcomes(),
        ["baseline engine defaults: 50", "search rate=50: 25"],
        "throughput is per GPU"
    );
    for experiment in &ran.experiments {
        let held = &experiment.launch.as_ref().expect("it was started").gpus;
        assert_eq!(held.len(), 2);
        let watched = &experiment.measured().expect("it was measured").gpu_use;
        assert_eq!(watched.len(), 2, "{watched:?}");
    }
}

#[tokio::test]
async fn gpus_that_the_machine_does_not_have_are_no_reason_to_wait() {
    let mut scene = Scene::new(json!({"rate": [50]})).set("resources", "gpus", 2);
    scene.gpus = Arc::new(FixedGpus::idle(1));
    let ran = scene.run().await;
    assert_eq!(ran.outcomes()[0], "baseline engine defaults: invalid_candidate");
    let failure = ran.experiments[0].failure().expect("it failed");
    assert!(failure.advice.is_some(), "{failure:?}");
    assert_eq!(scene.world.launches(), 0);
}

#[tokio::test]
async fn waiting_for_gpus_is_told_and_ends_with_a_cancel() {
    let scene = Scene::new(json!({"rate": [50]})).on_a_busy_gpu();
    let cancel = scene.shutdown.soft.clone();
    let gpus = Arc::clone(&scene.gpus);
    let (ran, ()) = tokio::join!(scene.run(), async move {
        while gpus.looks() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    });
    assert_eq!(ran.outcomes(), ["baseline engine defaults: cancelled"]);
    assert!(ran.log.contains("waiting for GPUs"), "{}", ran.log);
}

/// The clock of this test goes on by itself while everybody sleeps.
#[tokio::test(start_paused = true)]
async fn who_waits_for_gpus_behind_other_tasks_waits_as_long_as_they_take() {
    let mut scene = Scene::new(json!({"rate": [50]})).on_a_busy_gpu();
    scene.deadline = 3 * GPU_PATIENCE_BEHIND_TASKS;
    scene.gpu_patience = GPU_PATIENCE_BEHIND_TASKS;
    let gpus = Arc::clone(&scene.gpus);
    let (ran, ()) = tokio::join!(scene.run(), async move {
        tokio::time::sleep(5 * GPU_PATIENCE).await;
        // The engine answers in its own time.
        tokio::time::resume();
        gpus.set(FixedGpus::idle(1).states());
    });
    assert_eq!(
        ran.outcomes(),
        ["baseline engine defaults: 100", "search rate=50: 50"],
        "nobody's fault"
    );
    assert!(ran.experiments.iter().all(|experiment| experiment.attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_gpus_in_a_run_of_its_own_is_told_after_a_while() {
    let mut scene = Scene::new(json!({"rate": [50]})).on_a_busy_gpu();
    scene.deadline = GPU_PATIENCE_BEHIND_TASKS;
    let ran = scene.run().await;
    assert_eq!(ran.outcomes()[0], "baseline engine defaults: infrastructure");
    let failure = ran.experiments[0].failure().expect("it failed");
    assert!(failure.message.contains("3600"), "{failure:?}");
    assert_eq!(scene.world.launches(), 0);
}

#[tokio::test]
async fn configurations_that_start_alike_are_measured_once() {
    // Left to the engine, the flag is not passed: that is the baseline once more.
    let scene = Scene::new(json!({"rate": [null, 50]}));
    let ran = scene.run().await;
    assert_eq!(
        ran.outcomes(),
        ["baseline engine defaults: 100", "search rate=50: 50"]
    );
    assert_eq!(scene.world.launches(), 2);
}

/// Cancels the run when an experiment of this number gets to this status.
struct Canceller {
    shutdown: Shutdown,
    number: u32,
    status: &'static str,
    seen: Mutex<Vec<String>>,
}

impl Reporter for Canceller {
    fn report(&self, event: Event<'_>) {
        if let Event::Moved { number, status } = event {
            self.seen
                .lock()
                .expect("not poisoned")
                .push(format!("{number} {status}"));
            if (number.0, status.as_str()) == (self.number, self.status) {
                self.shutdown.soft.cancel();
            }
        }
    }
}

#[tokio::test]
async fn a_cancel_at_any_moment_stops_the_engine_and_keeps_what_was_measured() {
    for (status, behave) in [
        ("deploying", "serve"),
        ("deploying", "never-ready"),
        ("benchmarking", "hang"),
        ("benchmarking", "serve"),
    ] {
        let mut scene = Scene::new(json!({"behave": [behave, "other"]}));
        scene.reporter = Arc::new(Canceller {
            shutdown: scene.shutdown.clone(),
            number: 2,
            status,
            seen: Mutex::default(),
        });
        let ran = scene.run().await;
        assert_eq!(ran.status, TaskStatus::Cancelled, "{status} {behave}");
        assert_eq!(ran.finish, Finish::Cancelled);
        assert!(ran.experiments[0].score().is_some(), "the baseline is kept");
        assert_eq!(ran.experiments.len(), 2, "nothing new is begun");
        assert!(ran.experiments[1].status.is_ended());
    }
}
