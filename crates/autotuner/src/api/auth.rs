//! Login, logout, tokens.
//!
//! A token's secret is answered once, when it is made; afterwards only its hash is known.

use std::sync::Arc;

use autotuner_store::{NewToken, Role, TokenRecord};
use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::extract::{Admin, Json, Path, Viewer};
use super::serve::{Client, log_in};
use crate::clock::rfc3339;
use crate::service::Service;
use crate::service::access::secret::Secret;
use crate::service::access::{Caller, Recognised};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Longest time for which a token is good, where there is an end to it, in days.
const LONGEST_DAYS: i64 = 3_650;

/// Longest name of a token, in characters.
const LONGEST_NAME: usize = 64;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(me))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RoleWord {
    /// Look.
    Viewer,
    /// Make, start, stop and remove tasks.
    Operator,
    /// Everything.
    Admin,
}

impl From<Role> for RoleWord {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Operator => Self::Operator,
            RoleWord::Admin => Self::Admin,
        }
    }
}

/// A token that somebody shows. It has no `Debug`: nothing may log it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// The token.
    #[schema(example = "iat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    token: String,
}

/// Who the service takes the caller for.
#[derive(Debug, Serialize, ToSchema)]
struct CallerView {
    /// Name of their token; `local` where nobody is asked for one.
    name: String,
    /// What they may do.
    role: RoleWord,
}

impl From<Caller> for CallerView {
    fn from(caller: Caller) -> Self {
        let Caller {
            name,
            role,
            address: _,
        } = caller;
        Self {
            name,
            role: role.into(),
        }
    }
}

/// Begin a session
///
/// Answers with a cookie that stands for the token, for thirty days; scripts need none and show the token itself with each request.
#[utoipa::path(post, path = "/api/auth/login", tag = "access", security(()), request_body = Login, responses(
    (status = 200, description = "Logged in; the cookie is in `Set-Cookie`", body = CallerView),
    (status = 401, description = "This token is not good"),
    (status = 403, description = "Another site's page asked for it"),
    (status = 503, description = "The database is busy or cannot be written"),
))]
async fn login(
    State(service): State<Arc<Service>>,
    client: Option<Extension<Client>>,
    Json(login): Json<Login>,
) -> Result<([(HeaderName, HeaderValue); 1], axum::Json<CallerView>), ApiError> {
    let address = client.and_then(|Extension(Client(address))| address);
    let token = Secret::new(login.token);
    let (caller, cookie) = log_in(&service, &token, address).await?;
    Ok(([(SET_COOKIE, cookie)], axum::Json(caller.into())))
}

/// End the session
#[utoipa::path(post, path = "/api/auth/logout", tag = "access", responses(
    (status = 204, description = "The cookie is good no longer; one shown in a header, if any, still is"),
))]
async fn logout(
    State(service): State<Arc<Service>>,
    Viewer(caller): Viewer,
    recognised: Option<Extension<Recognised>>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1]), ApiError> {
    if let Some(session) = recognised.and_then(|Extension(recognised)| recognised.session) {
        let act = caller.act(service.clock.now_ms());
        service.database.end_session(&act, &session).await?;
    }
    Ok((StatusCode::NO_CONTENT, [service.access.forget_cookie()]))
}

/// Who I am
#[utoipa::path(get, path = "/api/auth/me", tag = "access", responses((status = 200, body = CallerView)))]
async fn me(Viewer(caller): Viewer) -> axum::Json<CallerView> {
    axum::Json(caller.into())
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct TokenView {
    /// Its id.
    id: i64,
    /// Its name.
    name: String,
    /// What its bearer may do.
    role: RoleWord,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it stops being good; never when `null`.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was last shown, to the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl From<TokenRecord> for TokenView {
    fn from(record: TokenRecord) -> Self {
        let TokenRecord {
            id,
            name,
            role,
            created_at_ms,
            expires_at_ms,
            last_used_at_ms,
            revoked_at_ms,
        } = record;
        Self {
            id,
            name,
            role: role.into(),
            created_at: rfc3339(created_at_ms),
            expires_at: expires_at_ms.map(rfc3339),
            last_used_at: last_used_at_ms.map(rfc3339),
            revoked_at: revoked_at_ms.map(rfc3339),
        }
    }
}

/// A token that was just made. It has no `Debug`: nothing may log it.
#[derive(Serialize, ToSchema)]
struct MadeToken {
    /// The token itself. It is shown here and never again.
    #[schema(example = "iat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    token: String,
    /// What is kept of it.
    #[serde(flatten)]
    view: TokenView,
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    /// What it is called: letters, digits, spaces and `.-_@`. Unique among tokens that are not revoked.
    #[schema(
        min_length = 1,
        max_length = 64,
        example = "dashboard",
        pattern = r"^[A-Za-z0-9_.@-]([A-Za-z0-9 _.@-]*[A-Za-z0-9_.@-])?$"
    )]
    name: String,
    /// What its bearer may do.
    role: RoleWord,
    /// For how many days it is good; for good when left out.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<i64>,
}

/// Every token, revoked ones too, oldest first
#[utoipa::path(get, path = "/api/auth/tokens", tag = "access", responses((status = 200, body = [TokenView])))]
async fn list_tokens(
    State(service): State<Arc<Service>>,
    _caller: Admin,
) -> Result<axum::Json<Vec<TokenView>>, ApiError> {
    let tokens = service.database.tokens().await?;
    Ok(axum::Json(tokens.into_iter().map(TokenView::from).collect()))
}

/// Make a token
///
/// Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/auth/tokens", tag = "access", request_body = TokenRequest, responses(
    (status = 201, body = MadeToken),
    (status = 409, description = "Another token has this name"),
))]
async fn create_token(
    State(service): State<Arc<Service>>,
    Admin(caller): Admin,
    Json(request): Json<TokenRequest>,
) -> Result<(StatusCode, axum::Json<MadeToken>), ApiError> {
    let TokenRequest {
        name,
        role,
        expires_in_days,
    } = request;
    if !is_name(&name) {
        return Err(invalid(
            "A token's name has 1 to 64 letters, digits, spaces and `.-_@`, and no space at an end",
        ));
    }
    if expires_in_days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
        return Err(invalid("A token is good for 1 to 3650 days, or for good"));
    }
    let now_ms = service.clock.now_ms();
    let secret = Secret::token().map_err(|error| ApiError::internal(&error))?;
    let token = NewToken {
        name,
        role: role.into(),
        hash: secret.hash(),
        expires_at_ms: expires_in_days.map(|days| now_ms.saturating_add(days * DAY_MS)),
    };
    let record = service.database.create_token(&caller.act(now_ms), token).await?;
    let made = MadeToken {
        token: secret.reveal().to_owned(),
        view: record.into(),
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

/// Revoke a token
///
/// Sessions that it began end with it.
#[utoipa::path(delete, path = "/api/auth/tokens/{id}", tag = "access",
    params(("id" = i64, Path, description = "Which token")), responses(
    (status = 204, description = "It is good no longer"),
    (status = 404, description = "There is no such token"),
))]
async fn revoke_token(
    State(service): State<Arc<Service>>,
    Admin(caller): Admin,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    let act = caller.act(service.clock.now_ms());
    service.database.revoke_token(&act, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a token may be called so. The name is shown in lists and logs.
fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" _.@-".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.trim() == name && name.bytes().all(is_allowed)
}

fn invalid(text: &str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
}
