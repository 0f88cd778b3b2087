//! Data sets and traces, from the place that a task names to its workload.
//!
//! The one idea: a file is read once for a run, before any engine is started, so that all of the
//! run's experiments are asked the same, and a place that cannot be read fails the run at once.
//! Whether who sent the task may name the place at all is `service::permits`' judgement; what a
//! file means is the load generator's.

mod address;
mod cache;
mod fetch;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use autotuner_core::problem::Problem;
use autotuner_core::workload::{Arrival, Sources, Texts, Workload};
use autotuner_load::dataset::{MOST_BYTES, read_dataset, read_trace};
use tokio_util::sync::CancellationToken;

use address::Reach;
use cache::Cache;

/// From where data sets are read.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    /// Folder in which what was fetched is kept.
    cache: PathBuf,
    /// What relative paths start from.
    base: PathBuf,
    reach: Reach,
}

impl Library {
    /// For the one who sits at this machine: any file, any host.
    pub(crate) fn of_this_user(data_dir: &Path, current_dir: &Path) -> Self {
        Self {
            cache: data_dir.join("datasets"),
            base: current_dir.to_owned(),
            reach: Reach::Anywhere,
        }
    }

    /// For tasks that come over the network: the server fetches from no host that only it can
    /// reach, and looks for files below the model directory.
    pub(crate) fn of_server(data_dir: &Path, model_dir: &Path) -> Self {
        Self {
            cache: data_dir.join("datasets"),
            base: model_dir.to_owned(),
            reach: Reach::Public,
        }
    }

    /// Reads what a workload still needs, and puts it there.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub(crate) async fn fill(
        &self,
        workload: &mut Workload,
        cancel: &CancellationToken,
    ) -> Result<(), Problem> {
        let Sources { dataset, trace } = std::mem::take(&mut workload.sources);
        if let Some(source) = dataset {
            let deduplicate = source.deduplicate;
            let set = self
                .read(source.place, cancel, move |name, bytes| {
                    read_dataset(name, bytes, deduplicate)
                })
                .await
                .map_err(|why| Problem::new("benchmark.dataset_url", why))?;
            tracing::info!(entries = set.entries.len(), name = set.name, "data set read");
            workload.content.texts = Texts::Read(Arc::new(set));
        }
        if let Some(source) = trace {
            let starts = self
                .read(source.place, cancel, read_trace)
                .await
                .map_err(|why| Problem::new("benchmark.arrival.trace", why))?;
            tracing::info!(starts = starts.len(), "trace read");
            let count = u32::try_from(starts.len()).unwrap_or(u32::MAX);
            workload.max_requests_per_level = workload.max_requests_per_level.min(count);
            workload.arrival = Arrival::Trace {
                starts: starts.into(),
            };
        }
        Ok(())
    }

    /// Reads a place in a thread of its own, since fetching and parsing block.
    async fn read<T: Send + 'static>(
        &self,
        place: String,
        cancel: &CancellationToken,
        parse: impl FnOnce(&str, &[u8]) -> Result<T, autotuner_load::dataset::DataSetError> + Send + 'static,
    ) -> Result<T, String> {
        let (library, token) = (self.clone(), cancel.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let bytes = library.bytes(&place, &token)?;
            parse(name_of(&place), &bytes).map_err(|error| error.to_string())
        });
        match cancel.run_until_cancelled(reading).await {
            None => Err("was given up: the run was stopped".into()),
            Some(Ok(read)) => read,
            Some(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err("was given up: the program ends".into()),
            },
        }
    }

    fn bytes(&self, place: &str, cancel: &CancellationToken) -> Result<Vec<u8>, String> {
        if place.starts_with("http://") || place.starts_with("https://") {
            return Cache::new(&self.cache).get(place, |etag| {
                fetch::fetch(place, self.reach, etag, fetch::PATIENCE, cancel)
            });
        }
        file(&self.base.join(path_of(place)))
    }
}

/// The path that a place names, where it is no address of the web; `file://` names absolute ones.
pub(crate) fn path_of(place: &str) -> &str {
    match place.strip_prefix("file://") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => place,
    }
}

/// Whether a place is a file of this machine, and not fetched.
pub(crate) fn is_file(place: &str) -> bool {
    !(place.starts_with("http://") || place.starts_with("https://"))
}

/// What people call a place: its last part, without what a question mark begins, and without a
/// password.
fn name_of(place: &str) -> &str {
    let path = place.split(['?', '#']).next().unwrap_or(place);
    let last = path.trim_end_matches('/').rsplit('/').next();
    let name = last.and_then(|last| last.rsplit('@').next());
    name.filter(|name| !name.is_empty()).unwrap_or("the data set")
}

/// A whole file, if it is one, and not too large.
fn file(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    // A pipe would let the opening wait for ever.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits())
        .open(path)
        .map_err(failed)?;
    let about = opened.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(format!("{} is no file", path.display()));
    }
    let limit = MOST_BYTES as u64;
    if about.len() > limit {
        return Err(too_large(about.len()));
    }
    let mut bytes = Vec::new();
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn too_large(bytes: u64) -> String {
    format!(
        "has {} MiB; at most {} MiB are read",
        bytes >> 20,
        MOST_BYTES >> 20
    )
}
