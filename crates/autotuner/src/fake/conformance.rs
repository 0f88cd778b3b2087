//! The fake world keeps what every deployer must.

use super::*;
use autotuner_core::engine::{Arg, Limits, Program};
use autotuner_deploy::conformance::{Behaviour, Subject, run};
use std::path::Path;

struct Fakes {
    world: FakeWorld,
    folder: PathBuf,
}

#[async_trait]
impl Subject for Fakes {
    fn deployer(&self) -> &dyn Deployer {
        &self.world
    }

    fn plan(&self, behaviour: Behaviour, served_model_name: &str) -> Option<LaunchPlan> {
        let behave = match behaviour {
            Behaviour::Serve => "serve".into(),
            Behaviour::ExitAtOnce { code } => format!("exit={code}"),
            Behaviour::PrintThenExit => "print".into(),
            Behaviour::NeverReady => "never-ready".into(),
            Behaviour::MissingProgram => "missing".into(),
            // There are no signals and no children in memory.
            Behaviour::IgnoreSigterm | Behaviour::ForkChild => return None,
        };
        Some(LaunchPlan {
            program: Program::Local("fake".into()),
            args: vec![Arg::from("--behave"), Arg::from(behave)],
            env: std::collections::BTreeMap::new(),
            gpus: 0,
            ready_paths: vec!["/health".into()],
            served_model_name: served_model_name.into(),
            start_timeout: Duration::from_secs(30),
            mounts: vec![],
            uses_hub: false,
            limits: Limits::default(),
        })
    }

    fn log_folder(&self) -> &Path {
        &self.folder
    }

    async fn leftovers(&self) -> Vec<String> {
        self.world.lock().keys().cloned().collect()
    }
}

#[tokio::test]
async fn it_keeps_what_every_deployer_must() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let subject = Fakes {
        world: FakeWorld::default(),
        folder: folder.path().to_owned(),
    };
    assert_eq!(run(&subject).await, []);
}
