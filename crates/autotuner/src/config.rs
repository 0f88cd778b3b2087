//! The configuration: defaults < file < environment < flags, and who said what.
//!
//! This is the only module that reads the environment.

mod environment;
mod kubernetes;
mod origin;
mod surroundings;
mod values;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autotuner_deploy::gpu::GpuConfig;
use etcetera::{BaseStrategy, choose_base_strategy};
use figment2::Figment;
use figment2::providers::{Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::service::access::secret::Secret;
use environment::{environment_names, from_environment, lease_ms, read_environment, stranger, variable};
pub(crate) use kubernetes::Kubernetes;
pub(crate) use origin::{Origin, Source};
use origin::{help, shown, source_of};
use values::{database, grace, memory, no_tilde, tasks_at_once};

/// How long a worker has a task without saying that it is alive, in milliseconds.
const LEASE_MS: i64 = 60_000;

/// Every option.
const OPTIONS: [&str; 22] = [
    "data_dir",
    "database",
    "model_dir",
    "stop_grace_seconds",
    "log",
    "docker_host",
    "hub_cache",
    "container_shm",
    "kubernetes_config",
    "kubernetes_context",
    "kubernetes_namespace",
    "kubernetes_agent_image",
    "kubernetes_gpu_resource",
    "kubernetes_schedule_timeout_seconds",
    "kubernetes_autoscaled",
    "allowed_programs",
    "allowed_model_dirs",
    "url",
    "token",
    "max_tasks",
    "cpu_slots",
    "manage_all_containers",
];

/// What the operator may set. Every option's doc comment is its reference text.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Where the database, logs and records of running engines live.
    #[schema(value_type = String)]
    data_dir: PathBuf,
    /// The database on a PostgreSQL server that several machines share:
    /// `postgres://user:password@host/name`; empty for a file in the data directory.
    database: String,
    /// Directory below which a model that is named without a slash is looked for.
    #[schema(value_type = String)]
    model_dir: PathBuf,
    /// Seconds between asking an engine to end and forcing it, 0 to 600.
    stop_grace_seconds: f64,
    /// What to log to the terminal, in the syntax of `RUST_LOG`: `info`, `autotuner=debug`.
    log: String,
    /// Where the Docker daemon is: `unix:///run/docker.sock`, `tcp://host:2375`; empty for the
    /// usual socket.
    docker_host: String,
    /// Where models that engines fetch from a hub are kept; containers share it.
    #[schema(value_type = String)]
    hub_cache: PathBuf,
    /// Shared memory of a container, with its unit: `16GiB`.
    container_shm: String,
    /// The kubeconfig of the cluster that tasks with the mode kubernetes run in; empty for the
    /// account of the pod that this runs in.
    #[schema(value_type = String)]
    kubernetes_config: PathBuf,
    /// The context in it; empty for its current one.
    kubernetes_context: String,
    /// The namespace that Jobs are made in; empty for the context's.
    kubernetes_namespace: String,
    /// The image with this program, which is put into pods beside the engine's.
    kubernetes_agent_image: String,
    /// How the cluster calls its GPUs.
    kubernetes_gpu_resource: String,
    /// Seconds for which a pod may wait for a node, 1 to 86400.
    kubernetes_schedule_timeout_seconds: f64,
    /// Whether the cluster makes nodes as they are needed, so that a task may ask for more than
    /// those have that it has now.
    kubernetes_autoscaled: bool,
    /// Programs that tasks of operators may name in `engine.program`, and images that they may
    /// name for the engine `custom`, each exactly as a task names it. In the environment, with
    /// commas between them.
    allowed_programs: Vec<String>,
    /// Directories beside `model_dir` whose files tasks of operators may name. In the
    /// environment, with commas between them.
    #[schema(value_type = Vec<String>)]
    allowed_model_dirs: Vec<PathBuf>,
    /// Where the service is that commands ask: `https://tuner.example`; empty for the one on this
    /// machine.
    url: String,
    /// What commands show the service to be let in.
    token: String,
    /// Tasks that the server runs at once, 1 to 1000.
    max_tasks: u32,
    /// How many single-threaded engines without a GPU may run at once; 0 for one a processor.
    cpu_slots: u32,
    /// Whether administrators may start, stop and remove containers that the service has not made.
    manage_all_containers: bool,
}

/// The effective configuration, validated.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Where the database, logs and records of running engines live.
    pub(crate) data_dir: PathBuf,
    /// The database on a server; a file in the data directory when `None`. Never shown: it may
    /// hold a password.
    pub(crate) database: Option<Secret>,
    /// Directory below which a model that is named without a slash is looked for.
    pub(crate) model_dir: PathBuf,
    /// Time between asking an engine to end and forcing it.
    pub(crate) stop_grace: Duration,
    /// What to log.
    pub(crate) log: String,
    /// Where the Docker daemon is; the usual socket when `None`.
    pub(crate) docker_host: Option<String>,
    /// Where models that engines fetch from a hub are kept.
    pub(crate) hub_cache: PathBuf,
    /// Shared memory of a container, in bytes.
    pub(crate) container_shm: u64,
    /// Which cluster tasks may run in, and how.
    pub(crate) kubernetes: Kubernetes,
    /// Programs, and images of custom engines, that tasks of operators may name.
    pub(crate) allowed_programs: Vec<String>,
    /// Directories beside `model_dir` whose files tasks of operators may name.
    pub(crate) allowed_model_dirs: Vec<PathBuf>,
    /// Where the service is that commands ask; the one of this data directory when `None`.
    pub(crate) url: Option<String>,
    /// What commands show the service to be let in: never shown.
    pub(crate) token: Option<Secret>,
    /// Through which proxy a service on another machine is asked.
    pub(crate) service_proxy: Option<ureq::Proxy>,
    /// Tasks that the server runs at once.
    pub(crate) max_tasks: usize,
    /// Slots for engines without a GPU; as many as processors when `None`.
    pub(crate) cpu_slots: Option<u32>,
    /// Whether administrators may manage containers that the service has not made.
    pub(crate) manage_all_containers: bool,
    /// How long a worker has a task without saying that it is alive, in milliseconds.
    pub(crate) lease_ms: i64,
    /// Where the program is to kill itself, for tests of what that leaves.
    pub(crate) fault: Option<String>,
    /// What containers are told of proxies and of the hub: never shown, some of it is secret.
    pub(crate) container_environment: Vec<(String, String)>,
    /// Where programs are looked up.
    pub(crate) search_path: Option<OsString>,
    /// Which GPUs are ours, and how they are asked for.
    pub(crate) gpus: GpuConfig,
    /// Whether the environment asks for output without colour (`NO_COLOR`).
    pub(crate) no_color: bool,
    /// Every option, its value, and who set it.
    pub(crate) origins: Vec<Origin>,
    /// What to warn of: variables that look like options and are none.
    pub(crate) warnings: Vec<String>,
}

/// What the command line says of options.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
pub(crate) struct Flags {
    /// Where the database, logs and records of running engines live [default: the XDG data directory]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<PathBuf>,
    /// Database on a PostgreSQL server, shared by several machines; a password is better in
    /// AUTOTUNER_DATABASE, which other users of this machine do not see
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    /// Directory below which models named without a slash are looked for
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    model_dir: Option<PathBuf>,
    /// What to log to the terminal, for example `info` or `autotuner=debug`
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Global options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

/// What the environment says of options, each under its name. A variable that is set to
/// nothing is not set.
type Environment = serde_json::Map<String, Value>;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// No home directory, so no default places.
    #[error("cannot tell where your home directory is; set HOME, or pass --data-dir")]
    NoHome(#[source] etcetera::HomeDirError),
    /// A source could not be read.
    #[error("cannot read the configuration")]
    Read(#[source] Box<figment2::Error>),
    /// An option has a value that cannot be used.
    #[error("option {option} cannot be {value}: {reason}")]
    Value {
        /// Which one.
        option: &'static str,
        /// What was given.
        value: String,
        /// Why not.
        reason: &'static str,
    },
}

impl Config {
    /// Reads every source once.
    ///
    /// # Errors
    /// A source that cannot be read, or a value that cannot be used.
    pub(crate) fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let environment = from_environment(read_environment)?;
        let is_said = |option: &str| environment.contains_key(option);
        let (data_dir, cache_dir, file) = match choose_base_strategy() {
            Ok(base) => (
                base.data_dir().join("inference-autotuner"),
                base.cache_dir(),
                base.config_dir().join("inference-autotuner").join("config.toml"),
            ),
            // Who has no home has no file of ours in it, and has said where data goes.
            Err(_) if flags.data_dir.is_some() || is_said("data_dir") => Default::default(),
            Err(error) => return Err(ConfigError::NoHome(error)),
        };
        let defaults = Options {
            data_dir,
            database: String::new(),
            model_dir: PathBuf::from("/mnt/data/models"),
            stop_grace_seconds: 5.0,
            log: "warn".into(),
            docker_host: surroundings::docker_host(read_environment).unwrap_or_default(),
            hub_cache: surroundings::hub_cache(read_environment)
                .unwrap_or_else(|| cache_dir.join("huggingface")),
            container_shm: "16GiB".into(),
            kubernetes_config: surroundings::kubeconfig(read_environment).unwrap_or_default(),
            kubernetes_context: String::new(),
            kubernetes_namespace: String::new(),
            kubernetes_agent_image: format!("inference-autotuner/agent:{}", env!("CARGO_PKG_VERSION")),
            kubernetes_gpu_resource: "nvidia.com/gpu".into(),
            kubernetes_schedule_timeout_seconds: 300.0,
            kubernetes_autoscaled: false,
            allowed_programs: Vec::new(),
            allowed_model_dirs: Vec::new(),
            url: String::new(),
            token: String::new(),
            max_tasks: 8,
            cpu_slots: 0,
            manage_all_containers: false,
        };
        let mut config = Self::from_sources(&defaults, &file, &environment, flags)?;
        config.container_environment = surroundings::for_containers(read_environment);
        config.service_proxy = surroundings::service_proxy();
        if let Some(lease_ms) = lease_ms(read_environment)? {
            config.lease_ms = lease_ms;
        }
        config.fault = read_environment(&variable("fault")).and_then(|fault| fault.into_string().ok());
        config.warnings = environment_names()
            .iter()
            .filter_map(|name| stranger(name))
            .collect();
        Ok(config)
    }

    fn from_sources(
        defaults: &Options,
        file: &Path,
        environment: &Environment,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let figment = Figment::from(Serialized::defaults(defaults))
            .merge(Toml::file(file).search(false))
            .merge(Serialized::defaults(environment))
            .merge(Serialized::defaults(flags));
        let options: Options = figment
            .extract()
            .map_err(|error| ConfigError::Read(Box::new(error)))?;
        no_tilde("data_dir", &options.data_dir)?;
        no_tilde("model_dir", &options.model_dir)?;
        no_tilde("hub_cache", &options.hub_cache)?;
        for directory in &options.allowed_model_dirs {
            no_tilde("allowed_model_dirs", directory)?;
        }
        let values = serde_json::to_value(&options).unwrap_or_default();
        let said = serde_json::to_value(flags).unwrap_or_default();
        let origins = OPTIONS
            .into_iter()
            .map(|option| Origin {
                option,
                value: shown(option, &values[option]),
                source: source_of(&figment, option, environment, &said),
                help: help(option),
            })
            .collect();
        let kubernetes = Kubernetes::of(&options)?;
        Ok(Self {
            data_dir: std::path::absolute(&options.data_dir).unwrap_or(options.data_dir),
            database: database(options.database)?,
            model_dir: options.model_dir,
            stop_grace: grace(options.stop_grace_seconds)?,
            log: options.log,
            docker_host: Some(options.docker_host).filter(|host| !host.is_empty()),
            hub_cache: options.hub_cache,
            container_shm: memory("container_shm", &options.container_shm)?,
            kubernetes,
            allowed_programs: options.allowed_programs,
            allowed_model_dirs: options.allowed_model_dirs,
            url: Some(options.url).filter(|url| !url.is_empty()),
            token: Some(options.token)
                .filter(|token| !token.is_empty())
                .map(Secret::new),
            service_proxy: None,
            max_tasks: tasks_at_once(options.max_tasks)?,
            cpu_slots: Some(options.cpu_slots).filter(|slots| *slots > 0),
            manage_all_containers: options.manage_all_containers,
            lease_ms: LEASE_MS,
            fault: None,
            container_environment: Vec::new(),
            search_path: read_environment("PATH"),
            gpus: GpuConfig {
                search_path: read_environment("PATH"),
                visible: surroundings::visible_gpus(read_environment),
            },
            no_color: read_environment("NO_COLOR").is_some_and(|value| !value.is_empty()),
            origins,
            warnings: Vec::new(),
        })
    }

    /// Takes it that the flag of `serve` said so: administrators may manage all containers.
    pub(crate) fn let_all_containers_be_managed(&mut self) {
        const OPTION: &str = "manage_all_containers";
        self.manage_all_containers = true;
        for origin in self.origins.iter_mut().filter(|origin| origin.option == OPTION) {
            origin.value = "true".into();
            origin.source = Source::flag(OPTION);
        }
    }

    /// Where records of running engines live.
    pub(crate) fn instances_dir(&self) -> PathBuf {
        self.data_dir.join("instances")
    }

    /// Where logs live.
    pub(crate) fn logs_dir(&self) -> PathBuf {
        self.data_dir.join("logs")
    }
}

#[cfg(test)]
mod tests;
