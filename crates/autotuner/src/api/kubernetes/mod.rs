//! Our pods in a Kubernetes cluster: seen, read, and taken away.
//!
//! The one idea: a cluster is shared with others, so here there are only pods of this service's own
//! data directory; every other is answered for as one that is not there. What is asked of the
//! cluster has a deadline, and a cluster that is away or was never named is an answer of its own.

mod failed;
mod logs;
mod read;
mod remove;
#[cfg(test)]
pub(super) mod stub;
mod view;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .merge(read::routes())
        .merge(logs::routes())
        .merge(remove::routes())
}
