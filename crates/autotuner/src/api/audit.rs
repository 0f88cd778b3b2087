//! The audit log: who changed what.

use std::sync::Arc;

use autotuner_store::{AuditRecord, Page};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::extract::{Admin, Query};
use crate::clock::rfc3339;
use crate::service::Service;

/// Most rows of a page.
const MOST_ROWS: u64 = 1_000;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new().routes(routes!(list_audit))
}

/// Which part of the log is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Rows to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    skip: i64,
    /// Rows to give at most.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: u64,
}

fn default_limit() -> u64 {
    100
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
    let skip = u64::try_from(skip).map_err(|_| invalid("skip is 0 or more"))?;
    if !(1..=MOST_ROWS).contains(&limit) {
        return Err(invalid("limit is 1 to 1000"));
    }
    let listed = service.database.audit(Page { skip, limit }).await?;
    let rows = listed.rows.into_iter().map(AuditView::from).collect();
    Ok(([("x-total-count", listed.total.to_string())], axum::Json(rows)))
}

fn invalid(text: &str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_query", text)
}
