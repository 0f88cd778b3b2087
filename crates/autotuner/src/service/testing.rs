//! For tests: a service on a database of its own, with a clock that tests set.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use autotuner_core::ids::ExperimentNumber;
use autotuner_deploy::containers::Containers;
use autotuner_deploy::gpu::{FixedGpus, GpuPool};
use autotuner_deploy::kubernetes::Whereabouts;
use autotuner_deploy::kubernetes::pods::Pods;
use autotuner_store::{Act, Claim, Database, NewPreset, NewTask, NewToken, Page, Role, TokenRecord};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::Service;
use super::access::secret::Secret;
use super::access::{Access, Settings};
use super::events::Hub;
use super::log_files::LogFiles;
use super::metrics::Metrics;
use super::supervisor::{Board, RunShown};
use super::wishes::Wishes;
use crate::clock::Clock;
use crate::config::{Config, Flags};
use crate::host::ThisHost;
use crate::shutdown::Shutdown;
use crate::targets::{pod_surroundings, surroundings};

/// When tests begin.
pub(crate) const START_MS: i64 = 1_700_000_000_000;

/// How long the service has been up by then.
const UP_FOR_MS: i64 = 90_000;

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    /// From now on it is so many milliseconds later.
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A service and what belongs to it.
pub(crate) struct TestService {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<SetClock>,
    /// Its GPUs, none at first.
    pub(crate) gpus: Arc<FixedGpus>,
    folder: TempDir,
}

/// A configuration with this data directory and nothing else said. Its Docker daemon and its
/// cluster are ones that a test puts there.
fn config(data_dir: &Path) -> Config {
    let mut config = Config::load(&Flags::default()).expect("the defaults are sound");
    config.data_dir = data_dir.to_owned();
    config.docker_host = Some(format!("unix://{}", data_dir.join("docker.sock").display()));
    config.kubernetes.whereabouts = Whereabouts {
        kubeconfig: Some(data_dir.join("kubeconfig")),
        ..Whereabouts::default()
    };
    config
}

impl TestService {
    /// A new service on an empty database.
    pub(crate) async fn new(settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let config = config(folder.path());
        let clock = Arc::new(SetClock(AtomicI64::new(START_MS)));
        let database = Database::open(&folder.path().join("autotuner.db"), START_MS)
            .await
            .expect("a database");
        let logs = config.logs_dir();
        std::fs::create_dir_all(&logs).expect("a directory for logs");
        let gpus = Arc::new(FixedGpus::default());
        let service = Arc::new(Service {
            database,
            clock: Arc::<SetClock>::clone(&clock),
            containers: Containers::new(surroundings(&config)),
            pods: Pods::new(pod_surroundings(&config)),
            config,
            events: Hub::default(),
            logs: LogFiles::new(&logs),
            own_logs: LogFiles::new(&logs),
            fetched: None,
            origin: "here".into(),
            owner: "here/worker".into(),
            access: Access::new(settings),
            gpus: GpuPool::new(Arc::clone(&gpus) as _, folder.path().join("gpus")),
            bell: Notify::new(),
            wishes: Wishes::default(),
            host: ThisHost::default(),
            board: Board::default(),
            metrics: Metrics::default(),
            shutdown: Shutdown::default(),
            started_at_ms: START_MS - UP_FOR_MS,
        });
        Self {
            service,
            clock,
            gpus,
            folder,
        }
    }

    /// Where the service keeps what it keeps.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A token of this name.
    pub(crate) async fn token(
        &self,
        name: &str,
        role: Role,
        expires_at_ms: Option<i64>,
    ) -> (Secret, TokenRecord) {
        let secret = Secret::token().expect("random numbers");
        let token = NewToken {
            name: name.into(),
            role,
            hash: secret.hash(),
            expires_at_ms,
        };
        let created = self.service.database.create_token(&self.act(), token).await;
        (secret, created.expect("a new token"))
    }

    /// The worker gives a sign of life.
    pub(crate) fn worker_lives(&self) {
        self.service.board.tick(self.clock.now_ms(), 8);
    }

    /// The worker has this experiment of a task under way, which waits for something.
    pub(crate) fn worker_waits(&self, claim: &Claim, number: ExperimentNumber, what: &str) {
        let now_ms = self.clock.now_ms();
        let run = RunShown {
            name: String::new(),
            run: 1,
            since_ms: now_ms,
            waits_for: None,
            figures: None,
            experiments: BTreeMap::new(),
        };
        let board = &self.service.board;
        board.begin(claim.task, run);
        board.phase(claim.task, number, "starting", now_ms);
        board.experiment_waits(claim.task, number, Some(what));
    }

    /// An act of the test itself.
    pub(crate) fn act(&self) -> Act {
        Act {
            actor: "test".into(),
            role: Role::Admin,
            address: None,
            at_ms: self.clock.now_ms(),
        }
    }

    /// A task and a preset, by their ids.
    pub(crate) async fn something_to_lose(&self) -> (i64, i64) {
        let task = NewTask {
            name: "treasure".into(),
            description: None,
            base_runtime: "sim".into(),
            deployment_mode: "local".into(),
            document: serde_json::json!({ "task_name": "treasure" }),
            slo: None,
            max_iterations: 1,
        };
        let preset = NewPreset {
            name: "treasure".into(),
            description: None,
            category: None,
            runtime: None,
            is_system: false,
            parameters: serde_json::json!({ "max-num-seqs": [4] }),
            metadata: None,
        };
        let database = &self.service.database;
        let task = database.create_task(&self.act(), task).await.expect("a new task");
        let preset = database.create_preset(&self.act(), preset).await;
        (task.summary.id.0, preset.expect("a new preset").id)
    }

    /// How much there is of everything that requests can make, change or remove; every change
    /// adds a row to the audit log, so this tells of each.
    pub(crate) async fn census(&self) -> [u64; 5] {
        let database = &self.service.database;
        let page = Page { skip: 0, limit: 1 };
        let tasks = database.tasks(page, None).await.expect("tasks").total;
        let experiments = database.experiments(page).await.expect("experiments").total;
        let presets = database.presets(None).await.expect("presets").len() as u64;
        let tokens = database.tokens().await.expect("tokens").len() as u64;
        let audit = database.audit(page).await.expect("the audit log").total;
        [tasks, experiments, presets, tokens, audit]
    }
}
