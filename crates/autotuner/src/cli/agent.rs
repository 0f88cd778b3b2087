//! `autotuner agent`: what runs in the pods of a cluster.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{NOTHING, Refusal, runtime};
use crate::agent;
use crate::config::Config;
use crate::shutdown::Shutdown;

/// Run one experiment inside of a pod, or put this program into one
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What to do, as a worker has written it
    #[arg(long, value_name = "FILE", required_unless_present = "install")]
    order: Option<PathBuf>,
    /// Copy this program to a file and do nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "order")]
    install: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if let Some(to) = &arguments.install {
        let installed = agent::install(to);
        return match installed {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) => Err(Refusal::message(format!(
                "this program cannot be copied to {}: {error}",
                to.display()
            ))),
        };
    }
    let path = arguments.order.clone().unwrap_or_default();
    let cannot = |error: anyhow::Error| {
        Refusal::Error(error.context(format!("cannot read the order {}", path.display())))
    };
    let text = std::fs::read(&path).map_err(|error| cannot(error.into()))?;
    let order = serde_json::from_slice(&text).map_err(|error| cannot(error.into()))?;
    let runtime = runtime()?;
    let is_measured = runtime.block_on(async {
        let told = |what: &str| tracing::info!("{what}");
        let shutdown = Shutdown::listen(told).map_err(anyhow::Error::from)?;
        Ok::<_, Refusal>(agent::run(order, config, shutdown).await)
    })?;
    Ok(match is_measured {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(NOTHING),
    })
}
