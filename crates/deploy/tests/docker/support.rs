//! A place to deploy containers in, plans for the test engine, and eyes on the daemon.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{Arg, LaunchPlan, Limits, Program};
use autotuner_deploy::docker::{DockerConfig, DockerDeployer, Policy};
use autotuner_deploy::ready::{NotReady, ReadyCheck, wait_until_ready};
use autotuner_deploy::{DeployError, Deployer as _, Deployment, Instance, Label, Placement, Unwatched};
use bollard::Docker;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::common::wait_until;
pub(crate) use crate::common::{records, unique_name};
use crate::image::engine_image;

/// Longest wait for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The label that all of ours have.
pub(crate) const INSTANCE: &str = "inference-autotuner.instance";

/// A deployer in folders of its own.
pub(crate) struct World {
    pub(crate) deployer: DockerDeployer,
    pub(crate) instance: Arc<Instance>,
    pub(crate) folder: TempDir,
    pub(crate) image: String,
    pub(crate) docker: Docker,
}

/// The daemon, or the word that there is none.
pub(crate) async fn docker() -> Option<Docker> {
    let connected = match host() {
        Some(host) => Docker::connect_with_host(&host),
        None => Docker::connect_with_socket_defaults(),
    };
    let why = match connected {
        Ok(docker) => match docker.ping().await {
            Ok(_) => return Some(docker),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let must = variable("AUTOTUNER_REQUIRE_DOCKER").is_some_and(|value| value == "1");
    assert!(!must, "Docker is required and does not answer: {why}");
    eprintln!("NOT TESTED: Docker does not answer: {why}");
    None
}

pub(crate) fn host() -> Option<String> {
    variable("DOCKER_HOST")
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl World {
    pub(crate) async fn new() -> Option<Self> {
        Self::with(|_| {}).await
    }

    /// A world whose deployer is told something else.
    pub(crate) async fn with(change: impl FnOnce(&mut DockerConfig)) -> Option<Self> {
        let docker = docker().await?;
        let image = engine_image(&docker).await;
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::claim(&folder.path().join("instances"), &unique_name()).unwrap();
        let instance = Arc::new(instance);
        let mut config = DockerConfig {
            instance: Arc::clone(&instance),
            host: host(),
            hub_cache: None,
            environment: vec![],
            shm_bytes: 1 << 30,
            policy: Policy::anything(),
        };
        change(&mut config);
        Some(Self {
            deployer: DockerDeployer::connect(config).await.unwrap(),
            instance,
            folder,
            image,
            docker,
        })
    }

    pub(crate) fn instances(&self) -> PathBuf {
        self.folder.path().join("instances")
    }

    pub(crate) fn label(&self, name: &str) -> Label {
        Label {
            task: format!("A task of {name}"),
            experiment: 4,
            attempt: 1,
            log_file: self.folder.path().join(format!("logs/{name}.log")),
        }
    }

    /// A plan for the test engine, with `HOST` and `PORT` left open.
    pub(crate) fn plan(&self, arguments: &[&str]) -> LaunchPlan {
        plan_of(&self.image, arguments)
    }

    pub(crate) async fn launch(&self, plan: &LaunchPlan, name: &str) -> Result<Deployment, DeployError> {
        self.deployer
            .prepare(plan, &Unwatched, &CancellationToken::new())
            .await?;
        self.deployer
            .launch(plan, &Placement::default(), &self.label(name))
            .await
    }

    pub(crate) async fn wait(&self, plan: &LaunchPlan, deployment: &Deployment) -> Result<(), NotReady> {
        let (check, none) = (ReadyCheck::of(plan), CancellationToken::new());
        wait_until_ready(&self.deployer, deployment, &check, &none)
            .await
            .map(drop)
    }

    /// Runs an engine that ends by itself, and answers with all it has printed.
    pub(crate) async fn run_to_end(&self, plan: &LaunchPlan, name: &str) -> String {
        let deployment = self.launch(plan, name).await.unwrap();
        let ended = self.wait(plan, &deployment).await;
        assert!(matches!(ended, Err(NotReady::Exited { .. })), "{ended:?}");
        self.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
        std::fs::read_to_string(&deployment.log_file).unwrap()
    }

    /// What the daemon and the records still have of this world.
    pub(crate) async fn leftovers(&self) -> Vec<String> {
        let containers = containers_of(&self.docker, self.instance.name()).await;
        let containers = containers
            .into_iter()
            .map(|container| format!("container {:?} {:?}", container.names, container.state));
        let records = records(&self.instances().join(self.instance.name()));
        containers.chain(records).collect()
    }

    pub(crate) async fn assert_nothing_left(&self) {
        assert_eq!(self.leftovers().await, [""; 0]);
    }
}

/// Nothing is left behind even by a test that fails.
impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let (docker, instance) = (self.docker.clone(), self.instance.name().to_owned());
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                for container in containers_of(&docker, &instance).await {
                    remove(&docker, &container.id.unwrap()).await;
                }
            });
        });
        let _ = clean.join();
    }
}

pub(crate) fn plan_of(image: &str, arguments: &[&str]) -> LaunchPlan {
    let argument = |text: &&str| match *text {
        "HOST" => Arg::Host,
        "PORT" => Arg::Port,
        text => text.into(),
    };
    LaunchPlan {
        program: Program::Image {
            reference: image.to_owned(),
            entrypoint: None,
        },
        args: arguments.iter().map(argument).collect(),
        env: BTreeMap::new(),
        gpus: 0,
        ready_paths: vec!["/health".to_owned()],
        served_model_name: "model".to_owned(),
        start_timeout: PATIENCE,
        mounts: vec![],
        uses_hub: false,
        limits: Limits::default(),
    }
}

pub(crate) fn with_entrypoint(mut plan: LaunchPlan, words: &[&str]) -> LaunchPlan {
    if let Program::Image { entrypoint, .. } = &mut plan.program {
        *entrypoint = Some(words.iter().map(|word| (*word).to_owned()).collect());
    }
    plan
}

/// Every container of an instance, whatever it is at.
pub(crate) async fn containers_of(docker: &Docker, instance: &str) -> Vec<ContainerSummary> {
    let filters = HashMap::from([("label".to_owned(), vec![format!("{INSTANCE}={instance}")])]);
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    docker.list_containers(Some(options)).await.unwrap()
}

pub(crate) async fn remove(docker: &Docker, id: &str) {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let _ = docker.remove_container(id, Some(options)).await;
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    wait_until(PATIENCE, what, condition).await;
}
