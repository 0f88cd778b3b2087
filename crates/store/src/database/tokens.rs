//! Tokens, and the browser sessions that they begin.
//!
//! Only hashes of secrets come here, and not even those go into the audit log.

use serde_json::json;

use super::engine::{query, query_as, query_scalar};
use super::rows::Kept;
use super::trouble::{Doing, is_taken};
use super::{Database, audit};
use crate::StoreError;
use crate::records::{Act, NewToken, Role, TokenRecord};

/// How fine the time of a token's last use is.
const USE_TO_THE_MS: i64 = 60_000;

macro_rules! columns {
    () => {
        "t.id, t.name, t.role, t.created_at_ms, t.expires_at_ms, t.last_used_at_ms, t.revoked_at_ms"
    };
}

#[derive(Debug, sqlx::FromRow)]
struct TokenRow {
    id: i64,
    name: String,
    role: String,
    created_at_ms: i64,
    expires_at_ms: Option<i64>,
    last_used_at_ms: Option<i64>,
    revoked_at_ms: Option<i64>,
}

impl Database {
    /// Keeps a new token.
    ///
    /// # Errors
    /// [`StoreError::TokenNameTaken`].
    pub async fn create_token(&self, act: &Act, token: NewToken) -> Result<TokenRecord, StoreError> {
        let doing = "making a token";
        let NewToken {
            name,
            role,
            hash,
            expires_at_ms,
        } = token;
        let mut transaction = self.write(doing).await?;
        let known: Option<i64> =
            query_scalar("SELECT id FROM tokens WHERE name = $1 AND revoked_at_ms IS NULL")
                .bind(&name)
                .fetch_optional(&mut *transaction)
                .await
                .doing(doing)?;
        if known.is_some() {
            return Err(StoreError::TokenNameTaken { name });
        }
        let inserted: Result<i64, sqlx::Error> = query_scalar(
            "INSERT INTO tokens (name, role, hash, created_at_ms, expires_at_ms) \
             VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(&name)
        .bind(role.keep())
        .bind(hash.as_slice())
        .bind(act.at_ms)
        .bind(expires_at_ms)
        .fetch_one(&mut *transaction)
        .await;
        let id = match inserted {
            Err(error) if is_taken(&error) => return Err(StoreError::TokenNameTaken { name }),
            other => other.doing(doing)?,
        };
        let detail = json!({ "name": name, "role": role.as_str(), "expires_at_ms": expires_at_ms });
        audit::record(&mut transaction, act, "token.create", &target(id), Some(detail)).await?;
        transaction.commit().await.doing(doing)?;
        Ok(TokenRecord {
            id,
            name,
            role,
            created_at_ms: act.at_ms,
            expires_at_ms,
            last_used_at_ms: None,
            revoked_at_ms: None,
        })
    }

    /// Every token, revoked ones too, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        let rows: Vec<TokenRow> = query_as(concat!("SELECT ", columns!(), " FROM tokens t ORDER BY t.id"))
            .fetch_all(&self.readers)
            .await
            .doing("listing tokens")?;
        rows.into_iter().map(TokenRow::record).collect()
    }

    /// The token of this hash that is neither revoked nor expired.
    ///
    /// # Errors
    /// The database fails.
    pub async fn token_with_hash(
        &self,
        hash: &[u8; 32],
        now_ms: i64,
    ) -> Result<Option<TokenRecord>, StoreError> {
        let row: Option<TokenRow> = query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM tokens t WHERE t.hash = $1 AND t.revoked_at_ms IS NULL \
             AND (t.expires_at_ms IS NULL OR t.expires_at_ms > $2)"
        ))
        .bind(hash.as_slice())
        .bind(now_ms)
        .fetch_optional(&self.readers)
        .await
        .doing("reading a token")?;
        row.map(TokenRow::record).transpose()
    }

    /// Remembers that a token was shown. Written once a minute at most: a use within the minute
    /// after the last one on record costs a look and no more.
    ///
    /// # Errors
    /// The database fails.
    pub async fn touch_token(&self, id: i64, now_ms: i64) -> Result<(), StoreError> {
        let doing = "remembering the use of a token";
        let due: Option<i64> = query_scalar(
            "SELECT id FROM tokens WHERE id = $1 \
             AND (last_used_at_ms IS NULL OR last_used_at_ms <= $2 OR last_used_at_ms > $3)",
        )
        .bind(id)
        .bind(now_ms.saturating_sub(USE_TO_THE_MS))
        // A clock that was set back must not keep the time from being written.
        .bind(now_ms)
        .fetch_optional(&self.readers)
        .await
        .doing(doing)?;
        if due.is_none() {
            return Ok(());
        }
        let mut transaction = self.write_rows(doing).await?;
        query("UPDATE tokens SET last_used_at_ms = $1 WHERE id = $2")
            .bind(now_ms)
            .bind(id)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        transaction.commit().await.doing(doing)
    }

    /// Revokes a token, and every session that it began.
    ///
    /// # Errors
    /// [`StoreError::NoSuchToken`], also for one that is revoked already.
    pub async fn revoke_token(&self, act: &Act, id: i64) -> Result<(), StoreError> {
        let doing = "revoking a token";
        let mut transaction = self.write(doing).await?;
        let name: Option<String> = query_scalar(
            "UPDATE tokens SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL RETURNING name",
        )
        .bind(act.at_ms)
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await
        .doing(doing)?;
        let name = name.ok_or(StoreError::NoSuchToken(id))?;
        query("DELETE FROM sessions WHERE token = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        let detail = json!({ "name": name });
        audit::record(&mut transaction, act, "token.revoke", &target(id), Some(detail)).await?;
        transaction.commit().await.doing(doing)
    }

    /// Begins a browser's session with a token; the hash is of the cookie's value. Sessions that
    /// are over are forgotten meanwhile.
    ///
    /// # Errors
    /// [`StoreError::NoSuchToken`] where the token is unknown or not good any more.
    pub async fn begin_session(
        &self,
        act: &Act,
        token: i64,
        hash: &[u8; 32],
        expires_at_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "beginning a session";
        let mut transaction = self.write(doing).await?;
        let known: Option<i64> = query_scalar(
            "SELECT id FROM tokens WHERE id = $1 AND revoked_at_ms IS NULL \
             AND (expires_at_ms IS NULL OR expires_at_ms > $2)",
        )
        .bind(token)
        .bind(act.at_ms)
        .fetch_optional(&mut *transaction)
        .await
        .doing(doing)?;
        known.ok_or(StoreError::NoSuchToken(token))?;
        query("DELETE FROM sessions WHERE expires_at_ms <= $1")
            .bind(act.at_ms)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        query("INSERT INTO sessions (hash, token, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4)")
            .bind(hash.as_slice())
            .bind(token)
            .bind(act.at_ms)
            .bind(expires_at_ms)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        audit::record(&mut transaction, act, "session.begin", &target(token), None).await?;
        transaction.commit().await.doing(doing)
    }

    /// The token of a session that is still good.
    ///
    /// # Errors
    /// The database fails.
    pub async fn session(&self, hash: &[u8; 32], now_ms: i64) -> Result<Option<TokenRecord>, StoreError> {
        let row: Option<TokenRow> = query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM sessions s JOIN tokens t ON t.id = s.token \
             WHERE s.hash = $1 AND s.expires_at_ms > $2 AND t.revoked_at_ms IS NULL \
             AND (t.expires_at_ms IS NULL OR t.expires_at_ms > $2)"
        ))
        .bind(hash.as_slice())
        .bind(now_ms)
        .fetch_optional(&self.readers)
        .await
        .doing("reading a session")?;
        row.map(TokenRow::record).transpose()
    }

    /// Ends a session; one that is not there is no error, and nothing that happened.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end_session(&self, act: &Act, hash: &[u8; 32]) -> Result<(), StoreError> {
        let doing = "ending a session";
        let mut transaction = self.write(doing).await?;
        let token: Option<i64> = query_scalar("DELETE FROM sessions WHERE hash = $1 RETURNING token")
            .bind(hash.as_slice())
            .fetch_optional(&mut *transaction)
            .await
            .doing(doing)?;
        if let Some(token) = token {
            audit::record(&mut transaction, act, "session.end", &target(token), None).await?;
        }
        transaction.commit().await.doing(doing)
    }
}

fn target(id: i64) -> String {
    format!("token {id}")
}

impl TokenRow {
    fn record(self) -> Result<TokenRecord, StoreError> {
        let Self {
            id,
            name,
            role,
            created_at_ms,
            expires_at_ms,
            last_used_at_ms,
            revoked_at_ms,
        } = self;
        Ok(TokenRecord {
            id,
            name,
            role: Role::recall(role).map_err(|strange| strange.of(target(id)))?,
            created_at_ms,
            expires_at_ms,
            last_used_at_ms,
            revoked_at_ms,
        })
    }
}
