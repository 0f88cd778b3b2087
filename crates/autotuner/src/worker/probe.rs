//! What an engine's program says of itself: version and flags.

use std::time::Duration;

use autotuner_core::engine::{Diagnosis, Engine};
use autotuner_core::failure::FailureKind;

/// Longest time that a program may take to tell its version or its flags. Python engines
/// import for many seconds first.
pub(crate) const LONGEST_PROBE: Duration = Duration::from_secs(90);

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

/// Asks an engine's program, which `ask` runs with given arguments. Whatever it does not tell
/// stays unknown. A program of which is not known how to ask is not run: without arguments it
/// might begin to serve.
pub(crate) async fn probe<Ask, Answer>(engine: &dyn Engine, ask: Ask) -> EngineFacts
where
    Ask: Fn(&'static [&'static str]) -> Answer,
    Answer: Future<Output = Option<String>>,
{
    let output = async |arguments: &'static [&'static str]| {
        if arguments.is_empty() {
            return None;
        }
        ask(arguments).await
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
    use autotuner_deploy::{Question, ask as ask_program};
    use tokio_util::sync::CancellationToken;

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
        let program = program.display().to_string();
        let environment = [("TRACE".to_owned(), trace.display().to_string())].into();
        let cancel = CancellationToken::new();
        let ask = async |kind: EngineKind| {
            let facts = probe(kind.engine(), |arguments| {
                let question = Question {
                    program: &program,
                    arguments,
                    environment: &environment,
                    withheld: &[],
                    patience: LONGEST_PROBE,
                };
                ask_program(question, &cancel)
            })
            .await;
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
