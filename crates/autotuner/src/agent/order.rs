//! What an agent is told: which engine to start or where one answers, and the task, whose benchmark
//! is the load.
//!
//! It is written by a worker and read by an agent of the same build: there is one version of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use autotuner_core::engine::{Arg, LaunchPlan, Limits, Program};
use serde::{Deserialize, Serialize};

/// What an agent is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// What its lines carry, so that nobody else's are taken for them.
    pub(crate) nonce: String,
    /// The experiment's number.
    pub(crate) experiment: u32,
    /// Which attempt it is.
    pub(crate) attempt: u32,
    /// The task, as it was written.
    pub(crate) document: serde_json::Value,
    /// Where an engine answers that somebody else has started; `None` where the agent starts it.
    pub(crate) url: Option<String>,
    /// The program to start; `None` for the agent's own.
    pub(crate) program: Option<String>,
    /// Its arguments.
    args: Vec<ArgTold>,
    /// Its environment, beside the container's.
    env: BTreeMap<String, String>,
    ready_paths: Vec<String>,
    served_model_name: String,
    start_timeout_ms: u64,
    stop_grace_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ArgTold {
    Literal(String),
    Host,
    Port,
    Template(Vec<Self>),
}

/// Which experiment an order is for, and how it is spoken of.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    pub(crate) nonce: String,
    pub(crate) experiment: u32,
    pub(crate) attempt: u32,
    pub(crate) document: serde_json::Value,
    pub(crate) stop_grace: Duration,
}

impl Order {
    /// The order to run this plan, whose program is `program` and begins with `first`.
    pub(crate) fn new(
        heading: Heading,
        plan: &LaunchPlan,
        program: Option<String>,
        first: &[String],
    ) -> Self {
        let Heading {
            nonce,
            experiment,
            attempt,
            document,
            stop_grace,
        } = heading;
        let first = first.iter().cloned().map(ArgTold::Literal);
        Self {
            nonce,
            experiment,
            attempt,
            document,
            url: None,
            program,
            args: first.chain(plan.args.iter().map(ArgTold::from)).collect(),
            env: plan.env.clone(),
            ready_paths: plan.ready_paths.clone(),
            served_model_name: plan.served_model_name.clone(),
            start_timeout_ms: millis(plan.start_timeout),
            stop_grace_ms: millis(stop_grace),
        }
    }

    /// The order to load an engine of this plan that answers at an address.
    pub(crate) fn to_load(heading: Heading, plan: &LaunchPlan, url: String) -> Self {
        Self {
            url: Some(url),
            // Whoever has started it knows how.
            args: Vec::new(),
            env: BTreeMap::new(),
            ..Self::new(heading, plan, None, &[])
        }
    }

    /// What to start, as a program of this machine, on which the agent's own is `own`.
    pub(crate) fn plan(&self, own: &Path) -> LaunchPlan {
        let own = || own.display().to_string();
        LaunchPlan {
            program: Program::Local(self.program.clone().unwrap_or_else(own)),
            args: self.args.iter().map(Arg::from).collect(),
            env: self.env.clone(),
            // Those that the pod has are the engine's, and nobody else's.
            gpus: 0,
            ready_paths: self.ready_paths.clone(),
            served_model_name: self.served_model_name.clone(),
            start_timeout: Duration::from_millis(self.start_timeout_ms),
            mounts: Vec::new(),
            uses_hub: false,
            limits: Limits::default(),
        }
    }

    /// How long the engine is given to end by itself.
    pub(crate) fn stop_grace(&self) -> Duration {
        Duration::from_millis(self.stop_grace_ms)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl From<&Arg> for ArgTold {
    fn from(arg: &Arg) -> Self {
        match arg {
            Arg::Literal(text) => Self::Literal(text.clone()),
            Arg::Host => Self::Host,
            Arg::Port => Self::Port,
            Arg::Template(parts) => Self::Template(parts.iter().map(Self::from).collect()),
        }
    }
}

impl From<&ArgTold> for Arg {
    fn from(arg: &ArgTold) -> Self {
        match arg {
            ArgTold::Literal(text) => Self::Literal(text.clone()),
            ArgTold::Host => Self::Host,
            ArgTold::Port => Self::Port,
            ArgTold::Template(parts) => Self::Template(parts.iter().map(Self::from).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_being_told() {
        let plan = LaunchPlan {
            program: Program::Local("/x/engine".into()),
            args: vec![
                "serve".into(),
                "--host".into(),
                Arg::Host,
                Arg::Template(vec!["--listen=".into(), Arg::Host, ":".into(), Arg::Port]),
            ],
            env: BTreeMap::from([("A".into(), "b c".into())]),
            gpus: 0,
            ready_paths: vec!["/health".into()],
            served_model_name: "m".into(),
            start_timeout: Duration::from_millis(1500),
            mounts: Vec::new(),
            uses_hub: false,
            limits: Limits::default(),
        };
        let heading = Heading {
            nonce: "n".into(),
            experiment: 3,
            attempt: 1,
            document: serde_json::json!({ "task_name": "t" }),
            stop_grace: Duration::from_secs(5),
        };
        let told = Order::new(heading, &plan, Some("/x/engine".into()), &[]);
        let bytes = serde_json::to_vec(&told).expect("JSON");
        let heard: Order = serde_json::from_slice(&bytes).expect("an order");
        assert_eq!(heard, told);
        assert_eq!(heard.plan(Path::new("/own")), plan);
    }
}
