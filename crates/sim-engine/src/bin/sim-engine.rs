//! Runs the simulated engine by itself, until interrupted or asked to terminate.
//!
//! The product has the same as `autotuner sim-engine`; this program is what the crate's own
//! tests start where they need a process that may be killed.

use autotuner_sim_engine::{Options, run};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Parser)]
#[command(about = "A simulated inference engine")]
struct Program {
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let options = Program::parse().options;
    let shutdown = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    let asked = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        shutdown.cancel();
        std::future::pending().await
    };
    let result = tokio::select! {
        result = run(options, shutdown.clone()) => result,
        result = asked => result,
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                tell(&error.to_string());
                cause = error.source();
            }
            std::process::ExitCode::FAILURE
        }
    }
}

fn tell(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "error: {line}");
}
