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
        withheld: &[],
        patience: PATIENCE,
    };
    match ask(question, cancel).await {
        Some(said) => Ok(said),
        None if cancel.is_cancelled() => Err(GpuError::Cancelled),
        None => Err(GpuError::driver(format!("{} does not answer", program.display()))),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    /// A program of the shell in the place of `nvidia-smi`.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("nvidia-smi");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    async fn answer_of(script: &str) -> Result<Vec<GpuState>, GpuError> {
        let folder = tempfile::tempdir().unwrap();
        look(&program(folder.path(), script), &CancellationToken::new()).await
    }

    const LIST: &str = r#"
        columns="index, name, uuid, memory.total [MiB], memory.used [MiB], compute_mode"
        case "$1" in
            *compute-apps*) echo "gpu_uuid, pid"; echo "GPU-b, 7" ;;
            *OLD*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2 ;;
            *) echo "$columns"; echo "0, A, GPU-a, 100, 1, Default"; echo "1, A, GPU-b, 100, 9, Default" ;;
        esac"#;

    #[tokio::test]
    async fn gpus_and_their_processes_are_listed() {
        let gpus = answer_of(LIST).await.unwrap();
        let counts: Vec<_> = gpus.iter().map(|gpu| (gpu.device.index, gpu.processes)).collect();
        assert_eq!(counts, [(0, Some(0)), (1, Some(1))]);
        let old = answer_of(&LIST.replace("OLD", "mig.mode")).await.unwrap();
        assert_eq!(old, gpus, "asked again without what it does not know");
        let no_apps = answer_of(&LIST.replace("echo \"gpu_uuid", "exit 9; echo \"gpu_uuid")).await;
        assert_eq!(no_apps.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn what_it_says_instead_is_the_error() {
        let check = async |script: &str, expected: &str| {
            let error = answer_of(script).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("echo NVIDIA-SMI has failed; exit 9", "NVIDIA-SMI has failed").await;
        check("exit 1", "nothing").await;
        check("echo 'x is not a valid field'", "not a valid field").await;
        let none = answer_of("echo No devices were found; exit 6").await.unwrap();
        assert_eq!(none, []);
        let missing = look(Path::new("/nonexistent/nvidia-smi"), &CancellationToken::new()).await;
        assert!(missing.unwrap_err().to_string().contains("does not answer"));
    }

    #[tokio::test]
    async fn one_that_hangs_is_given_up_on_a_cancel() {
        let cancel = CancellationToken::new();
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = format!("echo > '{}'; exec sleep 600", started.display());
        let program = program(folder.path(), &script);
        let asking = look(&program, &cancel);
        let cancelling = async {
            while !started.exists() {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        let (outcome, ()) = tokio::join!(asking, cancelling);
        assert!(matches!(outcome, Err(GpuError::Cancelled)));
    }
}
