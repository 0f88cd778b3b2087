//! The audit log: who changed what.

use std::sync::Arc;

use autotuner_store::AuditRecord;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::extract::{Admin, Query, page};
use crate::clock::rfc3339;
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(list_audit))
}

/// Which part of the log is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Rows to leave out first.
    #[param(minimum = 0, default = 0)]
    skip: Option<i64>,
    /// Rows to give at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
}

/// Something that was changed.
#[derive(Debug, Serialize, ToSchema)]
struct AuditView {
    /// Its number; later rows have larger ones.
    id: i64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Name of the token with which it was done; `local` on the machine itself.
    actor: String,
    /// With which role.
    role: &'static str,
    /// From which address, where it came over the network.
    address: Option<String>,
    /// What was done.
    #[schema(example = "task.create")]
    action: String,
    /// To what.
    #[schema(example = "task 12")]
    target: String,
    /// What else is worth knowing.
    #[schema(value_type = Option<Object>)]
    detail: Option<Value>,
}

impl From<AuditRecord> for AuditView {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord {
            id,
            act,
            action,
            target,
            detail,
        } = record;
        Self {
            id,
            at: rfc3339(act.at_ms),
            actor: act.actor,
            role: act.role.as_str(),
            address: act.address,
            action,
            target,
            detail,
        }
    }
}

/// Who changed what, latest first
#[utoipa::path(get, path = "/api/audit", tag = "access", params(Paging), responses((status = 200, body = [AuditView])))]
async fn list_audit(
    State(service): State<Arc<Service>>,
    _caller: Admin,
    Query(paging): Query<Paging>,
) -> Result<([(&'static str, String); 1], axum::Json<Vec<AuditView>>), ApiError> {
    let Paging { skip, limit } = paging;
    let listed = service.database.audit(page(skip, limit)?).await?;
    let rows = listed.rows.into_iter().map(AuditView::from).collect();
    Ok(([("x-total-count", listed.total.to_string())], axum::Json(rows)))
}
