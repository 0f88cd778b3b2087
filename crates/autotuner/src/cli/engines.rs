//! `autotuner engines`

use std::ffi::OsStr;
use std::process::ExitCode;

use autotuner_core::engine::{EngineKind, Program};
use autotuner_core::task::{DeploymentMode, EngineSettings};
use autotuner_deploy::{Question, ask, find_program};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Refusal, flags, print, runtime};
use crate::config::Config;
use crate::images::{usual_image, usual_plan};
use crate::targets::withheld;
use crate::worker::preflight::own_program;
use crate::worker::probe::{LONGEST_PROBE, probe};

/// List the engines we know: which are here, in what version, and what their flags are
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner engines
  autotuner engines vllm --common       what often pays to tune, and what to try first
  autotuner engines llamacpp            every flag that we know, by subject
  autotuner engines sglang --json | jq -r '.[] | select(.group == \"cache\").name'

A flag that is not listed can be tuned all the same; it is passed on as the task spells it.")]
pub(super) struct Arguments {
    /// Show this engine's flags
    engine: Option<String>,
    /// Only the flags that often pay to tune
    #[arg(long, requires = "engine")]
    common: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One engine on this machine.
struct Here {
    kind: EngineKind,
    /// The program that local mode starts; none for `custom`.
    program: Option<String>,
    /// Where it is, if it is here.
    path: Option<String>,
    version: Option<String>,
    /// The image that Docker mode starts unless a task names another; none for `custom`.
    image: Option<String>,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    match &arguments.engine {
        Some(word) => {
            let kind = EngineKind::from_word(word).ok_or_else(|| {
                let words: Vec<&str> = EngineKind::ALL.iter().map(|kind| kind.as_str()).collect();
                Refusal::message(format!(
                    "unknown engine \"{word}\"; known are {}",
                    words.join(", ")
                ))
            })?;
            flags::tell(kind, arguments.common, arguments.json);
        }
        None => {
            let engines = runtime()?.block_on(look(config));
            tell_engines(&engines, arguments.json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn look(config: &Config) -> Vec<Here> {
    let mut engines = Vec::new();
    for kind in EngineKind::ALL {
        let settings = EngineSettings {
            program: own_program()
                .ok()
                .filter(|_| kind == EngineKind::Sim)
                .map(|path| path.display().to_string()),
            ..EngineSettings::default()
        };
        let plan = usual_plan(kind, &settings, DeploymentMode::Local);
        let program = plan.as_ref().and_then(|plan| match &plan.program {
            Program::Local(program) => Some(program.clone()),
            Program::Image { .. } => None,
        });
        let path = program
            .as_ref()
            .and_then(|program| find_program(program, config.search_path.as_deref()).ok());
        let version = match (&plan, &program, &path) {
            (Some(plan), Some(program), Some(_)) => {
                let (cancel, withheld) = (CancellationToken::new(), withheld());
                let asked = |arguments| {
                    let question = Question {
                        program,
                        arguments,
                        environment: &plan.env,
                        withheld: &withheld,
                        patience: LONGEST_PROBE,
                    };
                    ask(question, &cancel)
                };
                probe(kind.engine(), asked).await.version
            }
            _ => None,
        };
        engines.push(Here {
            kind,
            program,
            path: path.map(|path| path.display().to_string()),
            version,
            image: usual_image(kind),
        });
    }
    engines
}

/// Engines whose usual program is on the search path.
pub(super) fn programs_here(search_path: Option<&OsStr>) -> Vec<EngineKind> {
    let is_here = |kind: &EngineKind| {
        let plan = usual_plan(*kind, &EngineSettings::default(), DeploymentMode::Local);
        plan.is_some_and(|plan| match &plan.program {
            Program::Local(program) => find_program(program, search_path).is_ok(),
            Program::Image { .. } => false,
        })
    };
    EngineKind::ALL.into_iter().filter(is_here).collect()
}

fn tell_engines(engines: &[Here], is_json: bool) {
    if is_json {
        let values: Vec<_> = engines
            .iter()
            .map(|here| {
                json!({
                    "engine": here.kind.as_str(),
                    "program": here.program,
                    "path": here.path,
                    "version": here.version,
                    "image": here.image,
                })
            })
            .collect();
        print(&format!("{:#}", serde_json::Value::Array(values)));
        return;
    }
    for Here {
        kind,
        program,
        path,
        version,
        image,
    } in engines
    {
        let state = match (program, path) {
            (None, _) => "whatever the task's engine.program or engine.image names".to_owned(),
            (Some(program), None) => format!("not here ({program} is not on PATH)"),
            // Every machine has a Python; only SGLang inside it can tell a version.
            (Some(_), Some(path)) if *kind == EngineKind::Sglang && version.is_none() => {
                format!("not here ({path} has no sglang)")
            }
            (Some(_), Some(path)) => match version {
                Some(version) => format!("{version}, {path}"),
                None => format!("{path}, which tells no version: is the engine installed?"),
            },
        };
        print(&format!("{:<14} {state}", kind.as_str()));
        if let Some(image) = image {
            print(&format!("{:<14} in Docker: {image}", ""));
        }
    }
}
