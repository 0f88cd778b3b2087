//! NVIDIA GPUs by way of `nvidia-smi`, where the driver's library cannot be loaded: a static
//! build of ours, a driver from another time, a system that keeps the library elsewhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use autotuner_core::gpu::{GpuState, SMI_APPS_QUERY, SMI_QUERIES, SmiError, read_smi};
use tokio_util::sync::CancellationToken;

use super::GpuError;
use crate::{Question, ask};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// All GPUs as they are now, by this program.
pub(super) async fn look(program: &Path, cancel: &CancellationToken) -> Result<Vec<GpuState>, GpuError> {
    let mut refused = None;
    for query in SMI_QUERIES {
        let gpus = answer(program, &query, cancel).await?;
        // Without this answer nothing is known of processes, which is no failure.
        let apps = answer(program, &SMI_APPS_QUERY, cancel).await;
        match read_smi(&gpus, apps.ok().as_deref()) {
            Err(error @ SmiError::Query(_)) => refused = Some(error),
            Err(error) => return Err(GpuError::driver(error.to_string())),
            Ok(gpus) => return Ok(gpus),
        }
    }
    let why = refused.map_or_else(
        || "nvidia-smi was not asked".to_owned(),
        |error| error.to_string(),
    );
    Err(GpuError::driver(why))
}

async fn answer(program: &Path, arguments: &[&str], cancel: &CancellationToken) -> Result<String, GpuError> {
    let question = Question {
        program: &program.display().to_string(),
        arguments,
        // Its words are read by a program.
        environment: &BTreeMap::from([("LC_ALL".to_owned(), "C".to_owned())]),
        patience: PATIENCE,
    };
    match ask(question, cancel).await {
        Some(said) => Ok(said),
        None if cancel.is_cancelled() => Err(GpuError::Cancelled),
        None => Err(GpuError::driver(format!("{} does not answer", program.display()))),
    }
}
