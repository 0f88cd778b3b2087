//! The logs of containers that are gone: what was kept of them with their experiment.
//!
//! The idea: the record of a container says whose it was, and that says where its output lies. What
//! was kept has neither times nor streams, so what asks for these is refused, with the reason.

use std::sync::Arc;

use autotuner_core::problem::Problem;
use autotuner_deploy::containers::{ContainerError, ContainerName, LogQuery as Wanted};
use axum::response::{IntoResponse as _, Response};

use super::ContainerLog;
use crate::api::error::ApiError;
use crate::api::logs::attachment;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::log_files::{blocking, search};

/// Where the output of a container lies that the daemon does not have any more: `gone` is how it
/// said so.
async fn path(
    service: &Service,
    name: &ContainerName,
    gone: ContainerError,
) -> Result<std::path::PathBuf, ApiError> {
    let ContainerError::NotFound { .. } = gone else {
        return Err(gone.into());
    };
    match service.database.container(name.as_str()).await? {
        Some(record) => {
            let path = service.logs.of_container(&record);
            service.fetch_log(record.task, &path).await;
            Ok(path)
        }
        None => Err(gone.into()),
    }
}

/// A part of it.
pub(super) async fn part(
    service: &Service,
    name: &ContainerName,
    gone: ContainerError,
    wanted: &Wanted,
    is_timed: bool,
) -> Result<Response, ApiError> {
    let not_found = ApiError::from(gone.clone());
    let path = path(service, name, gone).await?;
    let mut problems = unknown(wanted);
    if is_timed {
        problems.push(Problem::new("timestamps", WHY));
    }
    if !problems.is_empty() {
        return Err(ApiError::problems("The log cannot be read so", problems));
    }
    let (tail, regex) = (wanted.tail, wanted.search.clone());
    let found = blocking(move || search::search(&path, tail, regex.as_ref())).await;
    let found = found
        .map_err(|error| ApiError::internal(&error))?
        .ok_or(not_found)?;
    let mut logs = String::new();
    for line in &found.lines {
        logs.push_str(line);
        logs.push('\n');
    }
    let body = ContainerLog {
        logs,
        lines: found.lines.len(),
        is_cut: (found.lines.len() as u64) < found.matching,
        matching: found.matching,
        looked_at: found.looked_at,
        complaint: None,
        is_preserved: true,
        entries: None,
    };
    Ok(axum::Json(body).into_response())
}

/// All of it, as a file.
pub(super) async fn whole(
    service: &Arc<Service>,
    caller: &Caller,
    name: &ContainerName,
    gone: ContainerError,
    wanted: &Wanted,
) -> Result<Response, ApiError> {
    let not_found = ApiError::from(gone.clone());
    let path = path(service, name, gone).await?;
    let problems = unknown(wanted);
    if !problems.is_empty() {
        return Err(ApiError::problems("The log cannot be read so", problems));
    }
    attachment(service, caller, path, not_found).await
}

/// Why less can be asked of it.
const WHY: &str = "is not known of a container that is gone: what was kept has no times and one stream";

fn unknown(wanted: &Wanted) -> Vec<Problem> {
    let asked = [
        ("since", wanted.since.is_some()),
        ("until", wanted.until.is_some()),
        ("stream", wanted.stream.is_some()),
    ];
    let asked = asked.into_iter().filter(|(_, is_asked)| *is_asked);
    asked.map(|(name, _)| Problem::new(name, WHY)).collect()
}
