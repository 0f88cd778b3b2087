//! The containers of the Docker daemon: seen, steered, and told of.
//!
//! Whose a container is decides who may change it: those of this product's own data directory are
//! for operators, strangers' for admins and only where the server's configuration allows it. What
//! a container is called in a request means something once, when it is resolved; everything after
//! goes by its whole id.

mod access;
mod actions;
mod bulk;
mod failed;
mod images;
pub(super) mod logs;
mod read;
mod stats;
#[cfg(test)]
pub(super) mod stub;
pub(super) mod view;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .merge(logs::routes())
        .merge(stats::routes())
        .merge(images::routes())
        .merge(read::routes())
        .merge(actions::routes())
        .merge(bulk::routes())
}
