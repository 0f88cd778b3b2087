//! What a deployer needs to start one engine, with no choices left to make.
//!
//! The one idea: only host and port are open, because only the deployer can choose them.
//! Nothing here starts anything, and nothing ever passes through a shell.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::task::Resources;

/// Everything needed to start one engine for one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchPlan {
    /// What to start.
    pub program: Program,
    /// Its arguments, program name apart. Never passed through a shell.
    pub args: Vec<Arg>,
    /// Environment variables set for the engine on top of what it inherits.
    pub env: BTreeMap<String, String>,
    /// GPUs the engine needs; 0 for an engine that runs on the CPU.
    pub gpus: u32,
    /// Paths that are asked in turn until one answers 2xx, for example `/health`.
    pub ready_paths: Vec<String>,
    /// The name under which the engine serves the model.
    pub served_model_name: String,
    /// Longest time from start to ready.
    pub start_timeout: Duration,
    /// What of this machine's files a container must see. Empty for a local program.
    pub mounts: Vec<Mount>,
    /// Whether the engine fetches its model from a hub, so that a container wants the
    /// machine's cache of such models and the token for it.
    pub uses_hub: bool,
    /// What the engine may use beside GPUs.
    pub limits: Limits,
}

/// A file or directory of this machine that a container sees, read-only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// Where it is on this machine: an absolute path.
    pub source: PathBuf,
    /// Where the container sees it: an absolute path.
    pub target: String,
}

/// What one engine may use of the machine beside GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// CPUs, possibly a fraction; unlimited when `None`.
    pub cpus: Option<f64>,
    /// Host memory in bytes; unlimited when `None`.
    pub memory_bytes: Option<u64>,
}

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A program on this machine: a path, or a name looked up on `PATH`.
    Local(String),
    /// A container image with its tag or digest; the entrypoint is the plan's own when given.
    Image {
        /// The whole reference.
        reference: String,
        /// Overrides the image's entrypoint.
        entrypoint: Option<Vec<String>>,
    },
}

/// One argument. Port and host are known only once the deployer has chosen them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// Passed as it stands.
    Literal(String),
    /// The address to listen on.
    Host,
    /// The port to listen on.
    Port,
    /// Its parts joined into one argument, for example `--listen=`, host, `:`, port.
    Template(Vec<Self>),
}

/// Where a started engine answers: all that the load generator needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port, without a trailing slash: `http://127.0.0.1:8123`.
    pub base_url: String,
    /// The model name to put into requests.
    pub model: String,
    /// Sent as `Authorization: Bearer …` when present. Never logged.
    pub api_key: Option<String>,
}

// Control characters cannot occur in a checked plan, so these mark its joints without doubt.
const BETWEEN_PARTS: &str = "\u{1f}";
const BEFORE_ENVIRONMENT: &str = "\u{1e}";
const OPEN_HOST: &str = "\u{1a}host";
const OPEN_PORT: &str = "\u{1a}port";

impl LaunchPlan {
    /// The argument vector with host and port filled in.
    pub fn arguments(&self, host: &str, port: u16) -> Vec<String> {
        let port = port.to_string();
        self.args.iter().map(|arg| arg.fill(host, &port)).collect()
    }

    /// What tells two configurations apart to the engine itself: program, arguments with
    /// host and port left open, and environment. Equal identities are one experiment.
    ///
    /// A key to compare and to store, not to show: its parts are joined by control characters.
    pub fn identity(&self) -> String {
        let mut parts = vec![format!("{:?}", self.program)];
        parts.extend(self.args.iter().map(|arg| arg.fill(OPEN_HOST, OPEN_PORT)));
        parts.push(BEFORE_ENVIRONMENT.to_owned());
        parts.extend(self.env.iter().map(|(name, value)| format!("{name}={value}")));
        parts.join(BETWEEN_PARTS)
    }
}

impl Arg {
    fn fill(&self, host: &str, port: &str) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Host => host.to_owned(),
            Self::Port => port.to_owned(),
            Self::Template(parts) => parts.iter().map(|part| part.fill(host, port)).collect(),
        }
    }
}

impl Limits {
    /// The part of a task's resources that is no GPU.
    pub(crate) fn of(resources: &Resources) -> Self {
        Self {
            cpus: resources.cpus,
            memory_bytes: resources.memory_bytes,
        }
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Literal(text)
    }
}
