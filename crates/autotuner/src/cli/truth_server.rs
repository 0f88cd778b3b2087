//! `autotuner truth-server`

use std::process::ExitCode;

use autotuner_sim_engine::metronome::{self, MetronomeOptions, Stopper};

use super::{NOTHING, Refusal, runtime, say};
use crate::shutdown::Shutdown;
use crate::worker::chain;

/// Run the truth server: a metronome that load generators can be judged by
///
/// It speaks the OpenAI-compatible API (completions and chat, streamed or not) and models no
/// engine: every answer begins after --ttft-ms and goes on every --itl-ms, however many are under
/// way. GET /truth tells when each chunk was written, in nanoseconds of CLOCK_MONOTONIC; what a
/// load generator reports minus that is the load generator's own error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner truth-server --port 8123
  autotuner truth-server --port 8123 --ttft-ms 50 --itl-ms 20 --tokens 128
  autotuner truth-server --port 8123 --ttft-ms 0 --itl-ms 0 --events-per-write 32 --stamps first-last
  curl -N http://127.0.0.1:8123/v1/completions -H 'content-type: application/json' \\
       -d '{\"model\":\"any\",\"prompt\":\"a b c\",\"max_tokens\":8,\"stream\":true}'
  curl http://127.0.0.1:8123/truth
  curl -X POST http://127.0.0.1:8123/truth/reset")]
pub(super) struct Arguments {
    #[command(flatten)]
    options: MetronomeOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    let stopper = Stopper::new().map_err(|error| Refusal::Error(error.into()))?;
    // Signals are a runtime's business; the server has this thread to itself.
    let runtime = runtime()?;
    let stops = stopper.clone();
    let listen = async { Shutdown::listen(move |_| stops.stop()) };
    let _shutdown = runtime
        .block_on(listen)
        .map_err(|error| Refusal::Error(error.into()))?;
    let result = metronome::run(&arguments.options, &stopper);
    runtime.shutdown_background();
    Ok(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {}", chain(&error)));
            ExitCode::from(NOTHING)
        }
    })
}
