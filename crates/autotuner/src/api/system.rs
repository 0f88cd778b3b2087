//! Health, information, metrics.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
}
