//! What a local engine program says of itself: version and flags.

use std::time::Duration;

use autotuner_core::engine::{Diagnosis, Engine, LaunchPlan, Program};
use autotuner_core::failure::FailureKind;
use autotuner_deploy::{Question, ask};
use tokio_util::sync::CancellationToken;

/// Longest time that a program may take to tell its version or its flags. Python engines
/// import for many seconds first.
const LONGEST_PROBE: Duration = Duration::from_secs(90);

/// What an engine program says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct EngineFacts {
    /// Its version, as it words it.
    pub(crate) version: Option<String>,
    /// The text of its `--help`.
    pub(crate) help: Option<String>,
    /// Why it cannot run here whatever the configuration: a missing module or library.
    pub(crate) unfit: Option<Diagnosis>,
}

/// Asks the plan's program. Whatever it does not tell stays unknown. A program of which is
/// not known how to ask is not run: without arguments it might begin to serve.
pub(crate) async fn probe(engine: &dyn Engine, plan: &LaunchPlan, cancel: &CancellationToken) -> EngineFacts {
    let Program::Local(program) = &plan.program else {
        return EngineFacts::default();
    };
    let output = async |arguments: &[&str]| {
        if arguments.is_empty() {
            return None;
        }
        let question = Question {
            program,
            arguments,
            environment: &plan.env,
            patience: LONGEST_PROBE,
        };
        ask(question, cancel).await
    };
    let version = output(engine.version_args()).await;
    let help = output(engine.help_args().unwrap_or_default()).await;
    let told = version.unwrap_or_default();
    let version = engine.parse_version(&told);
    let unfit = match version {
        Some(_) => None,
        None => unfit(engine, &told),
    };
    EngineFacts { version, help, unfit }
}

/// What a program that tells no version says about why it never will.
fn unfit(engine: &dyn Engine, told: &str) -> Option<Diagnosis> {
    let lines: Vec<String> = told.lines().map(str::to_owned).collect();
    engine
        .diagnose(&lines)
        .filter(|diagnosis| diagnosis.kind == FailureKind::Infrastructure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::engine::EngineKind;

    #[test]
    fn a_program_that_lacks_a_part_of_itself_is_unfit() {
        let sglang = EngineKind::Sglang.engine();
        let traceback = "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n\
                         ModuleNotFoundError: No module named 'sglang'\n";
        let found = unfit(sglang, traceback).expect("unfit");
        assert!(
            found.evidence.contains("No module named 'sglang'"),
            "{}",
            found.evidence
        );
        assert_eq!(unfit(sglang, "usage: something else\n"), None);
        assert_eq!(unfit(sglang, ""), None);
    }

    #[tokio::test]
    async fn a_program_of_which_nothing_is_known_is_not_run() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (program, trace) = (folder.path().join("engine"), folder.path().join("trace"));
        let script = "#!/bin/sh\necho \"$@\" >> \"$TRACE\"\necho \"version: 17 ($*)\"\n";
        std::fs::write(&program, script).expect("written");
        let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, runnable).expect("allowed");
        let plan = LaunchPlan {
            program: Program::Local(program.display().to_string()),
            args: vec![],
            env: [("TRACE".to_owned(), trace.display().to_string())].into(),
            gpus: 0,
            ready_paths: vec![],
            served_model_name: "m".into(),
            start_timeout: Duration::from_secs(1),
        };
        let ask = async |kind: EngineKind| {
            let facts = probe(kind.engine(), &plan, &CancellationToken::new()).await;
            let ran = std::fs::read_to_string(&trace).unwrap_or_default();
            (facts, ran.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let (facts, ran) = ask(EngineKind::Custom).await;
        assert!(facts.version.is_none() && facts.help.is_none());
        assert_eq!(ran, Vec::<String>::new());
        let (facts, ran) = ask(EngineKind::LlamaCpp).await;
        assert_eq!(ran, ["--version", "--help"]);
        assert_eq!(facts.help.as_deref(), Some("version: 17 (--help)\n"));
    }
}
