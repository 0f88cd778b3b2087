//! Tasks of a database, run against engines in memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::experiment::Experiment;
use autotuner_core::gpu::GpuState;
use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::task::DeploymentMode;
use autotuner_deploy::gpu::FixedGpus;
use autotuner_deploy::{DeployError, Deployer, SweepReport};
use autotuner_store::{NewTask, Page, TaskRecord};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod earlier;
mod live;

use super::Supervisor;
use super::targets::Targets;
use crate::datasets::Library;
use crate::fake::{FakeWorld, world};
use crate::service::access::Settings;
use crate::service::events::{Filter, Notice, Patience};
use crate::service::testing::{START_MS, TestService};
use crate::worker::preflight::Places;
use crate::worker::site::Ground;

/// Longest time that anything here may take.
const DEADLINE: Duration = Duration::from_secs(60);

struct Fakes(Arc<FakeWorld>);

#[async_trait]
impl Targets for Fakes {
    async fn reach(&self, _mode: DeploymentMode) -> Result<Ground, DeployError> {
        Ok(Ground::Machine(Arc::clone(&self.0) as Arc<dyn Deployer>))
    }

    async fn sweep(&self, _cancel: &CancellationToken) -> SweepReport {
        SweepReport::default()
    }

    async fn close(&self) {}
}

/// A service whose worker runs.
struct Scene {
    test: TestService,
    world: Arc<FakeWorld>,
    worker: JoinHandle<()>,
}

impl Scene {
    async fn new() -> Self {
        let test = TestService::new(Settings::default()).await;
        let world = world();
        let worker = Self::worker(&test, &world);
        Self { test, world, worker }
    }

    fn worker(test: &TestService, world: &Arc<FakeWorld>) -> JoinHandle<()> {
        let supervisor = Supervisor::new(
            Arc::clone(&test.service),
            Arc::new(Fakes(Arc::clone(world))),
            Arc::clone(world) as _,
            Places {
                model_dir: "/nonexistent".into(),
                current_dir: "/nonexistent".into(),
                own_program: "autotuner".into(),
                library: Library::of_server("/nonexistent".as_ref(), "/nonexistent".as_ref()),
            },
        );
        tokio::spawn(supervisor.supervise())
    }

    async fn start(&self, name: &str, parameters: Value) -> TaskId {
        self.start_document(document(name, parameters)).await
    }

    async fn start_document(&self, document: Value) -> TaskId {
        let task = NewTask {
            name: document["task_name"].as_str().expect("a name").to_owned(),
            description: None,
            base_runtime: "custom".into(),
            deployment_mode: "local".into(),
            document,
            slo: None,
            max_iterations: 10,
        };
        let database = &self.test.service.database;
        let made = database.create_task(&self.test.act(), task).await.expect("new");
        let id = made.summary.id;
        database.start_task(&self.test.act(), id).await.expect("pending");
        self.test.service.bell.notify_one();
        id
    }

    async fn task(&self, id: TaskId) -> TaskRecord {
        self.test.service.database.task(id).await.expect("there")
    }

    async fn experiments(&self, id: TaskId) -> Vec<Experiment> {
        let page = Page { skip: 0, limit: 100 };
        let listed = self.test.service.database.experiments_of(id, None, page).await;
        let rows = listed.expect("readable").rows;
        rows.into_iter().map(|row| row.experiment).collect()
    }

    async fn until(&self, what: &str, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        let waiting = async {
            while !is_so(self).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(
            timeout(DEADLINE, waiting).await.is_ok(),
            "waited too long for {what}"
        );
    }

    async fn until_ended(&self, id: TaskId) -> TaskStatus {
        self.until("the task's end", async |scene| {
            let is_ended = scene.task(id).await.summary.status.is_ended();
            // The end is told of, too.
            is_ended && !scene.test.service.board.snapshot().runs.contains_key(&id)
        })
        .await;
        self.task(id).await.summary.status
    }

    async fn until_benchmarking(&self, id: TaskId) {
        self.until("a benchmark", async |scene| {
            let experiments = scene.experiments(id).await;
            experiments
                .iter()
                .any(|one| one.status.as_str() == "benchmarking")
        })
        .await;
    }

    async fn end(self) -> (TestService, Arc<FakeWorld>) {
        self.test.service.shutdown.soft.cancel();
        let ended = timeout(DEADLINE, self.worker).await;
        ended.expect("it ends").expect("without a panic");
        assert_eq!(self.world.running(), 0, "no engine is left");
        (self.test, self.world)
    }
}

fn document(name: &str, parameters: Value) -> Value {
    json!({
        "task_name": name,
        "deployment_mode": "local",
        "base_runtime": "custom",
        "model": {"id_or_path": "fake"},
        "parameters": parameters,
        "optimization": {
            "strategy": "grid_search",
            "objective": "maximize_throughput",
            "max_iterations": 10,
            "max_replicates": 0,
            "timeout_per_iteration": 60,
        },
        "benchmark": {},
        "engine": {"program": "fake", "args": ["--port", "{port}"], "start_timeout": 30},
    })
}

#[tokio::test]
async fn a_started_task_runs_to_its_end_and_is_told_of() {
    let scene = Scene::new().await;
    let everything = Patience {
        most_unheard: 1000,
        kept: 1000,
    };
    let mut heard = scene
        .test
        .service
        .events
        .subscribe(Filter::Everything, everything, None);
    let id = scene.start("fake", json!({"rate": [50, 200]})).await;
    assert_eq!(scene.until_ended(id).await, TaskStatus::Completed);
    let mut kinds = Vec::new();
    let mut last = Value::Null;
    while last["type"] != "task_completed" {
        let Notice::Event(event) = timeout(DEADLINE, heard.next()).await.expect("in time") else {
            panic!("nothing is missed");
        };
        last = serde_json::from_str(&event.json).expect("JSON");
        let kind = last["type"].as_str().expect("a kind").to_owned();
        if kinds.last() != Some(&kind) {
            kinds.push(kind);
        }
    }
    let experiment = ["experiment_started", "task_progress", "experiment_progress"];
    assert_eq!(
        kinds[..4],
        [&["task_started"][..], &experiment].concat(),
        "{kinds:?}"
    );
    assert!(kinds.contains(&"benchmark_progress".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"experiment_completed".to_owned()), "{kinds:?}");
    assert_eq!(last["data"]["best_score"], -200.0, "{last:#}");
    assert_eq!(last["data"]["total_experiments"], 3);
    let log = std::fs::read_to_string(scene.test.service.logs.task(id)).expect("a log");
    assert!(
        log.starts_with("[2023-11-14 22:13:20] [INFO] Task fake begins, run 1\n"),
        "{log}"
    );
    assert!(log.contains("Task ended: "), "{log}");
    for one in scene.experiments(id).await {
        assert!(scene.test.service.logs.requests(id, 1, one.number).exists());
    }
    scene.end().await;
}

#[tokio::test]
async fn a_document_that_no_longer_does_fails_its_task_with_the_reason() {
    let scene = Scene::new().await;
    let mut wrong = document("fake", json!({"rate": [50]}));
    wrong["optimization"]["max_iterations"] = (-1).into();
    let id = scene.start_document(wrong).await;
    assert_eq!(scene.until_ended(id).await, TaskStatus::Failed);
    let because = scene.task(id).await.summary.ended_because.expect("a reason");
    assert!(because.contains("optimization.max_iterations"), "{because}");
    let log = std::fs::read_to_string(scene.test.service.logs.task(id)).expect("a log");
    assert!(log.contains("[ERROR] optimization.max_iterations"), "{log}");
    scene.end().await;
}

#[tokio::test]
async fn what_the_servers_end_cuts_off_goes_on_at_the_next_start() {
    let scene = Scene::new().await;
    let id = scene.start("fake", json!({"behave": ["hang"]})).await;
    scene
        .until("the second experiment", async |scene| {
            scene.experiments(id).await.len() == 2
        })
        .await;
    scene.until_benchmarking(id).await;
    let (test, world) = scene.end().await;
    let status = test
        .service
        .database
        .task(id)
        .await
        .expect("there")
        .summary
        .status;
    assert_eq!(status, TaskStatus::Running);
    let claimed = test
        .service
        .database
        .claim("next", START_MS, 60_000)
        .await
        .expect("readable");
    assert_eq!(
        claimed.expect("it was given back").lost,
        [],
        "nothing was left open"
    );
    let page = Page { skip: 0, limit: 100 };
    let rows = test
        .service
        .database
        .experiments_of(id, None, page)
        .await
        .expect("readable")
        .rows;
    assert!(rows[0].experiment.score().is_some(), "what was measured is kept");
    let failure = rows[1].experiment.failure().expect("cut off");
    assert_eq!(failure.message, "the server was stopped meanwhile");
    assert_eq!(world.running(), 0);
}

#[tokio::test]
async fn a_cancelled_task_ends_at_once_and_keeps_what_was_measured() {
    let scene = Scene::new().await;
    let id = scene.start("fake", json!({"behave": ["hang"]})).await;
    scene
        .until("the second experiment", async |scene| {
            scene.experiments(id).await.len() == 2
        })
        .await;
    scene.until_benchmarking(id).await;
    let database = &scene.test.service.database;
    database
        .cancel_task(&scene.test.act(), id)
        .await
        .expect("it runs");
    scene.test.service.bell.notify_one();
    assert_eq!(scene.until_ended(id).await, TaskStatus::Cancelled);
    let experiments = scene.experiments(id).await;
    assert!(experiments[0].score().is_some());
    assert_eq!(
        experiments[1].failure().map(|failure| failure.kind.as_str()),
        Some("cancelled")
    );
    scene.end().await;
}

#[tokio::test]
async fn a_container_is_on_record_while_it_runs_and_when_it_is_gone() {
    let scene = Scene::new().await;
    scene.world.contained.store(true, Ordering::SeqCst);
    let id = scene.start("fake", json!({"behave": ["hang"]})).await;
    scene
        .until("the second experiment", async |scene| {
            scene.experiments(id).await.len() == 2
        })
        .await;
    scene.until_benchmarking(id).await;
    let database = &scene.test.service.database;
    let record = async |id: &str| {
        database
            .container(id)
            .await
            .expect("readable")
            .expect("on record")
    };
    let (first, second) = (record("fake-0").await, record("of-fake-1").await);
    assert_eq!((first.number.0, first.attempt, first.run), (1, 1, 1));
    assert!(first.ended_at_ms.is_some(), "its experiment has ended");
    assert_eq!((second.number.0, second.task), (2, id));
    assert_eq!(second.ended_at_ms, None, "it runs");
    let log = scene.test.service.logs.of_container(&first);
    assert_eq!(std::fs::read_to_string(log).expect("kept"), "fake engine\n");
    let of = database.containers_of(id, Some(1), second.number).await;
    assert_eq!(of.expect("known"), std::slice::from_ref(&second));
    database
        .cancel_task(&scene.test.act(), id)
        .await
        .expect("it runs");
    scene.test.service.bell.notify_one();
    assert_eq!(scene.until_ended(id).await, TaskStatus::Cancelled);
    assert!(record("fake-1").await.ended_at_ms.is_some());
    scene.end().await;
}

#[tokio::test]
async fn a_cancel_that_could_not_be_put_on_record_ends_the_run_all_the_same() {
    let scene = Scene::new().await;
    let id = scene.start("fake", json!({"behave": ["hang"]})).await;
    scene
        .until("the second experiment", async |scene| {
            scene.experiments(id).await.len() == 2
        })
        .await;
    scene.until_benchmarking(id).await;
    let service = &scene.test.service;
    service.wishes.cancel(id, 1, scene.test.act());
    service.bell.notify_one();
    assert_eq!(scene.until_ended(id).await, TaskStatus::Cancelled);
    let next = TaskId(id.0 + 1);
    service.wishes.cancel(next, 1, scene.test.act());
    assert_eq!(scene.start("never begun", json!({"rate": [50]})).await, next);
    assert_eq!(scene.until_ended(next).await, TaskStatus::Cancelled);
    assert_eq!(scene.experiments(next).await.len(), 0);
    let audit = service.database.audit(Page { skip: 0, limit: 10 }).await;
    let rows = audit.expect("readable").rows;
    let cancels = rows.iter().filter(|row| row.action == "task.cancel");
    let cancels: Vec<&str> = cancels.map(|row| row.target.as_str()).collect();
    assert_eq!(cancels, [format!("task {next}"), format!("task {id}")]);
    assert!(!service.wishes.is_cancelled(id, 1), "it is fulfilled");
    scene.end().await;
}

#[tokio::test]
async fn a_task_that_waits_for_gpus_says_so_and_goes_on_when_they_are_free() {
    let scene = Scene::new().await;
    let idle = FixedGpus::idle(1).states();
    let busy = idle.iter().cloned().map(|state| GpuState {
        utilization_percent: Some(99),
        ..state
    });
    scene.test.gpus.set(busy.collect());
    let everything = Patience {
        most_unheard: 1000,
        kept: 1000,
    };
    let events = &scene.test.service.events;
    let mut heard = events.subscribe(Filter::Everything, everything, None);
    let mut wanting = document("waits", json!({"rate": [50]}));
    wanting["resources"] = json!({"gpus": 1});
    let id = scene.start_document(wanting).await;
    scene
        .until("a wait", async |scene| {
            let what = scene.test.service.board.waiting_for(id);
            what.is_some_and(|what| what.starts_with("waiting for GPUs"))
        })
        .await;
    scene.test.gpus.set(idle);
    assert_eq!(scene.until_ended(id).await, TaskStatus::Completed);
    let experiments = scene.experiments(id).await;
    let is_first = experiments.iter().all(|experiment| experiment.attempt == 1);
    assert!(
        is_first && experiments.len() == 2,
        "waiting was nobody's fault: {experiments:#?}"
    );
    let mut told = Vec::new();
    loop {
        let Notice::Event(event) = timeout(DEADLINE, heard.next()).await.expect("in time") else {
            panic!("nothing is missed");
        };
        let event: Value = serde_json::from_str(&event.json).expect("JSON");
        if event["type"] == "task_completed" {
            break;
        }
        if let Some(what) = event["data"].get("waiting_for") {
            told.push((event["experiment_id"].clone(), what.clone()));
        }
    }
    let (number, what) = &told[0];
    assert_eq!(number, 1, "{told:?}");
    assert!(
        what.as_str()
            .is_some_and(|what| what.starts_with("waiting for GPUs"))
    );
    assert_eq!(told.last(), Some(&(1.into(), Value::Null)), "it waits no more");
    scene.end().await;
}

#[tokio::test]
async fn a_run_whose_claim_is_lost_is_given_up_and_its_engine_stopped() {
    let scene = Scene::new().await;
    let id = scene.start("fake", json!({"behave": ["hang"]})).await;
    scene
        .until("the second experiment", async |scene| {
            scene.experiments(id).await.len() == 2
        })
        .await;
    scene.until_benchmarking(id).await;
    let database = &scene.test.service.database;
    database.forget_claims().await.expect("written");
    let later = START_MS + 1_000_000;
    let claim = database.claim("another", later, 60_000).await.expect("readable");
    assert_eq!(claim.expect("it is free").task, id);
    scene.test.service.bell.notify_one();
    scene
        .until("the engine's end", async |scene| scene.world.running() == 0)
        .await;
    assert_eq!(
        scene.task(id).await.summary.status,
        TaskStatus::Running,
        "it is another's"
    );
    scene.end().await;
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn every_fault_point_is_passed_on_an_ordinary_way() {
    use crate::fault::{FaultPoint, Side, passed};

    let scene = Scene::new().await;
    let id = scene.start("whole", json!({"rate": [50]})).await;
    assert_eq!(scene.until_ended(id).await, TaskStatus::Completed);
    // Only a server that ends gives a claim back.
    let id = scene.start("cut off", json!({"behave": ["hang"]})).await;
    scene
        .until("the second experiment", async |scene| {
            scene.experiments(id).await.len() == 2
        })
        .await;
    scene.end().await;
    let passed = passed();
    for point in FaultPoint::ALL {
        for side in [Side::Before, Side::After] {
            assert!(passed.contains_key(&(point, side)), "{point:?} {side:?}");
        }
    }
}
