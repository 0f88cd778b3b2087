//! Containers of engines, as they are on record: what Docker knows of them now is told elsewhere.

use autotuner_store::ContainerRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// A container that an engine was started in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EngineContainer {
    /// Docker's own id for it.
    id: String,
    /// What it was called.
    name: String,
    /// Which attempt at the configuration it was for, from 1.
    attempt: u32,
    /// The image that was asked for.
    image: Option<String>,
    /// When it was started.
    started_at: String,
    /// When it was stopped; null while it runs.
    ended_at: Option<String>,
}

impl EngineContainer {
    /// The view of a record.
    pub(super) fn of(record: ContainerRecord) -> Self {
        let ContainerRecord {
            id,
            name,
            experiment: _,
            task: _,
            run: _,
            number: _,
            attempt,
            image,
            started_at_ms,
            ended_at_ms,
        } = record;
        Self {
            id,
            name,
            attempt,
            image,
            started_at: rfc3339(started_at_ms),
            ended_at: ended_at_ms.map(rfc3339),
        }
    }
}
