//! Documents, and the moves of a worker.

use std::time::Duration;

use autotuner_core::experiment::{ImageFacts, LaunchFacts, Measured};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::gpu::{GpuDevice, GpuVendor};
use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, TaskMove};
use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};
use autotuner_core::metrics::{ExperimentMetrics, experiment_metrics, level_metrics};
use autotuner_core::plan::Next;
use autotuner_core::score::{Objective, SloPolicy, score};
use autotuner_core::search::Role as Purpose;
use autotuner_core::space::{Candidate, ParameterName, Value as Setting};
use autotuner_store::{Claim, Role, Store};
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::api::testing::{Answer, NOW_MS, TestService};

/// A sound task document.
pub(super) fn document(name: &str) -> Value {
    json!({
        "task_name": name,
        "description": "for tests",
        "base_runtime": "sim",
        "deployment_mode": "local",
        "model": {"id_or_path": "sim-model"},
        "parameters": {"max-num-seqs": [4, 8, 16]},
        "optimization": {"strategy": "grid_search", "objective": "minimize_latency"},
        "benchmark": {"traffic_scenarios": ["D(64,64)"], "num_concurrency": [1], "max_time_per_iteration": 10.0},
    })
}

impl TestService {
    /// Makes a task of a sound document.
    pub(super) async fn made(&self, name: &str) -> i64 {
        self.made_of(document(name)).await
    }

    /// Makes a task, as an admin.
    pub(super) async fn made_of(&self, document: Value) -> i64 {
        let made = self
            .call(Role::Admin, Method::POST, "/api/tasks", Some(document))
            .await;
        made.is(201).json()["id"].as_i64().expect("an id")
    }

    /// Does something without a body, as an operator.
    pub(super) async fn act(&self, path: &str) -> Answer {
        self.call(Role::Operator, Method::POST, path, None).await
    }

    /// Replaces something, as an operator.
    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Role::Operator, Method::PUT, path, Some(body)).await
    }

    /// Sends text of a media type.
    pub(super) async fn send_text(&self, path: &str, media_type: &str, text: &str) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, media_type)
            .body(Body::from(text.to_owned()));
        self.send(Some(Role::Operator), request.expect("a request")).await
    }

    /// A started task, as its worker has it.
    pub(super) async fn claimed(&self, id: i64) -> Claim {
        self.act(&format!("/api/tasks/{id}/start")).await.is(200);
        self.taken().await
    }

    /// The oldest task that is to run, as its worker has it.
    pub(super) async fn taken(&self) -> Claim {
        let claim = self.service.database.claim("worker", NOW_MS, 60_000).await;
        claim.expect("an answer").expect("a task to run")
    }

    /// Runs a task to its end: the defaults, then one configuration, then one that fails.
    pub(super) async fn ran(&self, id: i64) {
        let claim = self.claimed(id).await;
        self.measured(&claim, None, 2.0, launched()).await;
        self.measured(&claim, Some(8), 1.0, launched()).await;
        self.failed(&claim, 16).await;
        self.ended(&claim, TaskMove::Complete).await;
    }

    /// Ends a run.
    pub(super) async fn ended(&self, claim: &Claim, wanted: TaskMove) {
        let store = self.service.database.run_store(claim);
        let because = "the planned number of experiments was made";
        store
            .end_task(claim.task, wanted, because, NOW_MS + 90_000)
            .await
            .expect("an end");
    }

    /// An experiment that is under way.
    pub(super) async fn begun(&self, claim: &Claim, sequences: Option<i64>) -> ExperimentNumber {
        let store = self.service.database.run_store(claim);
        let setting = |value| (ParameterName::new("max-num-seqs"), Setting::Int(value));
        let next = Next {
            role: if sequences.is_some() {
                Purpose::Search
            } else {
                Purpose::Baseline
            },
            candidate: Candidate::new(sequences.map(setting)),
            reason: "=reason".into(),
            attempt: 1,
        };
        let number = store
            .begin_experiment(claim.task, next, NOW_MS)
            .await
            .expect("begun");
        let moved = store
            .move_experiment(claim.task, number, ExperimentMove::Deploy)
            .await;
        moved.expect("deploying");
        number
    }

    /// An experiment that was started so and had this latency.
    pub(super) async fn measured(
        &self,
        claim: &Claim,
        sequences: Option<i64>,
        latency: f64,
        launched: LaunchFacts,
    ) {
        let number = self.begun(claim, sequences).await;
        let store = self.service.database.run_store(claim);
        let task = claim.task;
        store
            .record_launch(task, number, launched)
            .await
            .expect("recorded");
        store
            .move_experiment(task, number, ExperimentMove::Benchmark)
            .await
            .expect("benchmarking");
        let result = Ok(worth(latency));
        store
            .finish_experiment(task, number, result, NOW_MS + 30_000)
            .await
            .expect("finished");
    }

    /// An experiment that has run out of memory.
    pub(super) async fn failed(&self, claim: &Claim, sequences: i64) {
        let number = self.begun(claim, Some(sequences)).await;
        let store = self.service.database.run_store(claim);
        let failure = Failure {
            kind: FailureKind::OutOfMemory,
            message: "the engine ran out of memory".into(),
            advice: Some("lower max-num-seqs".into()),
            log_tail: vec!["line 1".into(), "line 2".into()],
            partial: None,
        };
        store
            .finish_experiment(claim.task, number, Err(failure), NOW_MS + 60_000)
            .await
            .expect("finished");
    }
}

/// The path of something of a task.
pub(super) fn of(id: i64, rest: &str) -> String {
    format!("/api/tasks/{id}{rest}")
}

/// The task's id.
pub(super) fn task(id: i64) -> TaskId {
    TaskId(id)
}

/// What a local engine was started with.
pub(super) fn launched() -> LaunchFacts {
    let words = [
        "/usr/bin/autotuner",
        "sim-engine",
        "--port",
        "40001",
        "--text",
        "it's $5",
    ];
    LaunchFacts {
        command: words.map(str::to_owned).to_vec(),
        env: vec![("A".into(), "b c".into()), ("HF_TOKEN".into(), "***".into())],
        engine_version: Some("0.1.0".into()),
        ready_after_ms: Some(1500),
        image: None,
        gpus: vec![GpuDevice {
            index: 1,
            uuid: "GPU-1".into(),
            name: "N1".into(),
            vendor: GpuVendor::Nvidia,
            memory_bytes: 1 << 34,
        }],
        base_url: Some("http://127.0.0.1:40001".into()),
        container: None,
    }
}

/// The same from an image.
pub(super) fn image() -> ImageFacts {
    ImageFacts {
        reference: "some/image:1".into(),
        id: "sha256:01".into(),
        digest: Some("some/image@sha256:02".into()),
    }
}

fn worth(latency: f64) -> Measured {
    let metrics = metrics(latency);
    let score = score(&metrics, Objective::MinimizeLatency, &SloPolicy::default()).expect("a score");
    Measured {
        metrics,
        score,
        remarks: vec!["measured once".into()],
        gpu_use: Vec::new(),
        fingerprints: vec!["f1".into()],
    }
}

/// Ten equal requests of this latency, in seconds.
fn metrics(latency: f64) -> ExperimentMetrics {
    let tokens = |count| TokenCount {
        count,
        source: TokenSource::Usage,
    };
    let nanoseconds = u64::try_from(Duration::from_secs_f64(latency).as_nanos()).expect("short");
    let request = RequestRecord {
        intended_ns: 0,
        sent_ns: 0,
        content_ns: vec![nanoseconds / 10, nanoseconds],
        first_chunk_tokens: 1,
        ended_ns: nanoseconds,
        input_tokens: tokens(64),
        output_tokens: tokens(64),
        outcome: RequestOutcome::Success,
        ..RequestRecord::default()
    };
    let level = LevelRecords {
        scenario: "D(64,64)".into(),
        concurrency: 1,
        window_start_ns: 0,
        window_end_ns: 10_000_000_000,
        requests: vec![request; 10],
        ..LevelRecords::default()
    };
    experiment_metrics(vec![level_metrics(&level, &[])], None, 1)
}
