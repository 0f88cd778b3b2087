//! An engine packed up to be started elsewhere: one description for every way of starting it.
//!
//! The one idea: what a container was given, or would be given, is gathered once, from the facts
//! of a launch where there was one and from a plan where there was none. How a shell, a compose
//! file or a cluster is told of it is for others. What is secret, and what is the operator's
//! rather than the task's, is left out: values of secrets, proxies, labels.

use std::path::PathBuf;
use std::time::Duration;

use autotuner_core::engine::{LaunchPlan, Limits, Mount, Program};
use autotuner_core::experiment::{ImageFacts, LaunchFacts};
use autotuner_core::gpu::{GpuDevice, GpuVendor};
use autotuner_deploy::docker::{ENGINE_PORT, HUB_CACHE};

use crate::worker::secret::shown;

/// What containers are given here, whatever the task.
#[derive(Debug, Clone)]
pub(crate) struct Containers {
    /// Shared memory, in bytes.
    pub(crate) shm_bytes: u64,
    /// Where models from a hub are kept on this machine.
    pub(crate) hub_cache: PathBuf,
}

/// An engine in a container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Package {
    /// The image, by its digest where it has one.
    pub(crate) image: String,
    /// The program, where it is not the image's own entrypoint.
    pub(crate) program: Option<String>,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The task's variables.
    pub(crate) variables: Vec<(String, Shown)>,
    /// The GPUs.
    pub(crate) gpus: Gpus,
    /// Files of the machine that it sees.
    pub(crate) mounts: Vec<Mount>,
    /// Where models from a hub are kept, where it fetches its model.
    pub(crate) hub_cache: Option<PathBuf>,
    /// Shared memory, in bytes.
    pub(crate) shm_bytes: u64,
    /// What it may use beside GPUs.
    pub(crate) limits: Limits,
    /// The path that answers once it is ready.
    pub(crate) ready_path: Option<String>,
    /// Longest time from start to ready.
    pub(crate) start_timeout: Duration,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    Value(String),
    /// For who starts the engine to give.
    Secret,
}

/// Which GPUs an engine gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Gpus {
    None,
    /// These of this machine.
    Held(Vec<GpuDevice>),
    /// So many of any.
    Any(u32),
}

impl Package {
    /// What was started from this image.
    pub(crate) fn of_launch(
        launch: &LaunchFacts,
        image: &ImageFacts,
        plan: &LaunchPlan,
        containers: &Containers,
    ) -> Self {
        let (program, arguments) = match launch.command.split_first() {
            Some((program, arguments)) => (Some(program.clone()), arguments.to_vec()),
            None => (None, Vec::new()),
        };
        let variables = launch.env.iter().map(|(name, value)| (name, value));
        Self {
            image: image.digest.as_ref().unwrap_or(&image.reference).clone(),
            program,
            arguments,
            gpus: Gpus::held(&launch.gpus),
            ..Self::around(plan, variables, containers)
        }
    }

    /// What the plan would start; `None` for one that starts no container. On GPUs like `held`,
    /// where some were.
    pub(crate) fn of_plan(plan: &LaunchPlan, held: &[GpuDevice], containers: &Containers) -> Option<Self> {
        let Program::Image {
            reference,
            entrypoint,
        } = &plan.program
        else {
            return None;
        };
        let mut words = entrypoint.clone().unwrap_or_default().into_iter();
        let program = words.next();
        let gpus = match Gpus::held(held) {
            Gpus::None if plan.gpus > 0 => Gpus::Any(plan.gpus),
            gpus => gpus,
        };
        Some(Self {
            image: reference.clone(),
            program,
            arguments: words.chain(plan.arguments("0.0.0.0", ENGINE_PORT)).collect(),
            gpus,
            ..Self::around(plan, &plan.env, containers)
        })
    }

    fn around<'a>(
        plan: &LaunchPlan,
        variables: impl IntoIterator<Item = (&'a String, &'a String)>,
        containers: &Containers,
    ) -> Self {
        Self {
            image: String::new(),
            program: None,
            arguments: Vec::new(),
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.clone(), Shown::of(name, value)))
                .collect(),
            gpus: Gpus::None,
            mounts: plan.mounts.clone(),
            hub_cache: plan.uses_hub.then(|| containers.hub_cache.clone()),
            shm_bytes: containers.shm_bytes,
            limits: plan.limits,
            ready_path: plan.ready_paths.first().cloned(),
            start_timeout: plan.start_timeout,
        }
    }

    /// The task's variables, and where the engine looks for models of a hub.
    pub(crate) fn all_variables(&self) -> Vec<(String, Shown)> {
        let hub = self.hub_cache.as_ref().map(|_| {
            let value = Shown::Value(HUB_CACHE.to_owned());
            ("HF_HOME".to_owned(), value)
        });
        hub.into_iter().chain(self.variables.iter().cloned()).collect()
    }
}

impl Shown {
    /// What may be told of a variable.
    pub(crate) fn of(name: &str, value: &str) -> Self {
        // What was recorded is hidden already.
        let is_hidden = value == "***" || value.contains("://***@") || shown(name, value) != *value;
        match is_hidden {
            true => Self::Secret,
            false => Self::Value(value.to_owned()),
        }
    }
}

impl Gpus {
    fn held(gpus: &[GpuDevice]) -> Self {
        match gpus {
            [] => Self::None,
            gpus => Self::Held(gpus.to_vec()),
        }
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Held(gpus) => gpus.len(),
            Self::Any(count) => usize::try_from(*count).unwrap_or(usize::MAX),
        }
    }

    /// Whose they are; NVIDIA's where nothing is known.
    pub(crate) fn vendor(&self) -> GpuVendor {
        match self {
            Self::Held(gpus) => gpus.first().map_or(GpuVendor::Nvidia, |gpu| gpu.vendor),
            Self::None | Self::Any(_) => GpuVendor::Nvidia,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A package with everything in it that a package can have.
    pub(crate) fn package() -> Package {
        let gpu = |index: u32| GpuDevice {
            index,
            uuid: format!("GPU-{index}"),
            name: "N".into(),
            vendor: GpuVendor::Nvidia,
            memory_bytes: 1,
        };
        let words = ["serve", "--text", "it's \"$HOME\" on", "on", "0777", "1e3"];
        Package {
            image: "some/image@sha256:01".into(),
            program: Some("engine".into()),
            arguments: words.map(str::to_owned).to_vec(),
            variables: vec![
                ("A".into(), Shown::of("A", "b $c")),
                ("HF_TOKEN".into(), Shown::of("HF_TOKEN", "hf_1")),
            ],
            gpus: Gpus::Held(vec![gpu(0), gpu(2)]),
            mounts: vec![Mount {
                source: "/m/a b".into(),
                target: "/models/a b".into(),
            }],
            hub_cache: Some("/cache".into()),
            shm_bytes: 1 << 30,
            limits: Limits {
                cpus: Some(1.5),
                memory_bytes: Some(1 << 31),
            },
            ready_path: Some("/health".into()),
            start_timeout: Duration::from_secs(600),
        }
    }
}
