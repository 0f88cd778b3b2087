//! The REST API: one file an endpoint group.
//!
//! Every handler parses, asks the database, rings the bell where the worker has something to do,
//! publishes a hint, and answers with a view. `error.rs` knows every answer that is none.

mod audit;
mod auth;
mod best;
mod bulk;
mod conditional;
mod containers;
mod dashboard;
mod docs;
mod documents;
pub(crate) mod error;
mod event_stream;
mod experiments;
mod extract;
mod insight;
mod kubernetes;
mod live;
mod logs;
pub(crate) mod openapi;
mod options;
pub(crate) mod presets;
mod published;
mod runtime_params;
pub(crate) mod serve;
mod sockets;
mod streaming;
mod system;
mod task_actions;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod transfer;
mod ui;
mod views;
mod words;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::service::Service;

/// Every documented route, below nothing: each group names its whole paths, `/api` included.
pub(crate) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .merge(tasks::routes())
        .merge(published::routes())
        .merge(task_actions::routes())
        .merge(bulk::routes())
        .merge(transfer::routes())
        .merge(best::routes())
        .merge(experiments::routes())
        .merge(insight::routes())
        .merge(live::routes())
        .merge(logs::routes())
        .merge(event_stream::routes())
        .merge(sockets::routes())
        .merge(presets::routes())
        .merge(runtime_params::routes())
        .merge(dashboard::routes())
        .merge(containers::routes())
        .merge(kubernetes::routes())
        .merge(system::routes())
        .merge(options::routes())
        .merge(openapi::routes())
        .merge(docs::routes())
        .merge(ui::routes())
        .merge(auth::routes())
        .merge(audit::routes())
}
