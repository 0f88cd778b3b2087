//! The records of an experiment's requests, kept beside its log.
//!
//! Figures are made from records in memory; these files are for whoever wants to look closer.
//! One that cannot be written is worth a warning, and the experiment counts all the same.

use std::io;
use std::sync::Arc;

use autotuner_core::ids::ExperimentNumber;
use autotuner_load::Recording;

use super::Worker;
use crate::report::requests::write;

/// Writes what was recorded, where records are kept, and hands it back.
pub(super) async fn keep_requests(
    worker: &Worker,
    number: ExperimentNumber,
    recording: Recording,
) -> Recording {
    let Some(path) = worker.logs.requests(number) else {
        return recording;
    };
    let recording = Arc::new(recording);
    let (recorded, to) = (Arc::clone(&recording), path.clone());
    let writing = tokio::task::spawn_blocking(move || write(&to, &recorded.levels));
    let written = writing.await.unwrap_or_else(|fault| Err(io::Error::other(fault)));
    if let Err(error) = written {
        worker.warn(&format!(
            "[Experiment {number}] the records of its requests are not kept, {} cannot be written: {error}",
            path.display()
        ));
    }
    Arc::unwrap_or_clone(recording)
}
