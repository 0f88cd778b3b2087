//! The Docker deployer keeps every promise.

use std::path::Path;

use async_trait::async_trait;
use autotuner_core::engine::LaunchPlan;
use autotuner_deploy::Deployer;
use autotuner_deploy::conformance::{Behaviour, PRINTED_EXIT_CODE, Subject, run};

use crate::support::{World, plan_of};

/// A registry that refuses every connection.
const NOWHERE: &str = "127.0.0.1:1/nobody/nothing:1";

#[async_trait]
impl Subject for World {
    fn deployer(&self) -> &dyn Deployer {
        &self.deployer
    }

    fn plan(&self, behaviour: Behaviour, served_model_name: &str) -> Option<LaunchPlan> {
        let server = |role: &str| self.plan(&[role, "HOST", "PORT", served_model_name]);
        Some(match behaviour {
            Behaviour::Serve => server("serve"),
            Behaviour::ExitAtOnce { code } => self.plan(&["exit", &code.to_string()]),
            Behaviour::PrintThenExit => self.plan(&["print", &PRINTED_EXIT_CODE.to_string()]),
            Behaviour::NeverReady => self.plan(&["sleep"]),
            Behaviour::IgnoreSigterm => server("stubborn"),
            Behaviour::ForkChild => server("parent"),
            Behaviour::MissingProgram => plan_of(NOWHERE, &[]),
        })
    }

    fn log_folder(&self) -> &Path {
        self.folder.path()
    }

    async fn leftovers(&self) -> Vec<String> {
        Self::leftovers(self).await
    }
}

#[tokio::test]
async fn the_docker_deployer_conforms() {
    let Some(world) = World::new().await else {
        return;
    };
    assert_eq!(run(&world).await, []);
}
