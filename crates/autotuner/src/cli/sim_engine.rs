//! `autotuner sim-engine`

use std::process::ExitCode;

use autotuner_sim_engine::{LogLevel, Options};

use super::{NOTHING, Refusal, runtime, say};
use crate::shutdown::Shutdown;
use crate::worker::chain;

/// Run the simulated inference engine: an OpenAI-compatible server whose speed follows a model
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner sim-engine --port 8123
  autotuner sim-engine --port 8123 --max-num-seqs 64 --max-num-batched-tokens 2048
  curl -N http://127.0.0.1:8123/v1/completions -H 'content-type: application/json' \\
       -d '{\"model\":\"sim\",\"prompt\":\"a b c\",\"max_tokens\":8,\"stream\":true}'")]
pub(super) struct Arguments {
    #[command(flatten)]
    options: Options,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Refusal> {
    let runtime = runtime()?;
    let is_silent = arguments.options.log_level == LogLevel::Off;
    let result = runtime.block_on(async {
        // Also where it is not heeded: a log shows that it was asked.
        let told = move |_: &str| {
            if !is_silent {
                say("asked to stop");
            }
        };
        let shutdown = Shutdown::listen(told).map_err(anyhow::Error::from)?;
        Ok::<_, Refusal>(autotuner_sim_engine::run(arguments.options, shutdown.soft).await)
    })?;
    runtime.shutdown_background();
    Ok(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {}", chain(&error)));
            ExitCode::from(NOTHING)
        }
    })
}
