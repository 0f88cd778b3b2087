//! The local deployer keeps every promise, with the launcher and without it.

use std::path::Path;

use async_trait::async_trait;
use autotuner_core::engine::LaunchPlan;
use autotuner_deploy::Deployer;
use autotuner_deploy::conformance::{Behaviour, PRINTED_EXIT_CODE, Subject, run};

use crate::support::{World, plan, plan_of, processes_with};

#[async_trait]
impl Subject for World {
    fn deployer(&self) -> &dyn Deployer {
        &self.deployer
    }

    fn plan(&self, behaviour: Behaviour, served_model_name: &str) -> Option<LaunchPlan> {
        let server = |role: &str| plan(&[role, "HOST", "PORT", served_model_name]);
        Some(match behaviour {
            Behaviour::Serve => server("serve"),
            Behaviour::ExitAtOnce { code } => plan(&["exit", &code.to_string()]),
            Behaviour::PrintThenExit => plan(&["print", &PRINTED_EXIT_CODE.to_string()]),
            Behaviour::NeverReady => plan(&["sleep"]),
            Behaviour::IgnoreSigterm => server("stubborn"),
            Behaviour::ForkChild => server("parent"),
            Behaviour::MissingProgram => plan_of("/nowhere/engine", &[]),
        })
    }

    fn log_folder(&self) -> &Path {
        self.folder.path()
    }

    async fn leftovers(&self) -> Vec<String> {
        let mark = format!("AUTOTUNER_INSTANCE={}", self.instance);
        let processes = processes_with(&mark)
            .into_iter()
            .map(|pid| format!("process {pid}"));
        let records = self.records().into_iter().map(|name| format!("record {name}"));
        processes.chain(records).collect()
    }
}

#[tokio::test]
async fn the_process_deployer_conforms_with_a_launcher() {
    assert_eq!(run(&World::guarded()).await, []);
}

#[tokio::test]
async fn the_process_deployer_conforms_without_a_launcher() {
    assert_eq!(run(&World::direct()).await, []);
}
