//! The audit log: who did what, when, to what.
//!
//! The one idea: a chain. Each row's hash covers the row and the hash before it, and a separate
//! row knows the last one, so that a row changed, removed or added by another hand is found.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Database;
use super::engine::{Connection, query, query_as, query_scalar};
use super::trouble::Doing;
use crate::StoreError;
use crate::database::rows::{Kept, Strange, document};
use crate::records::{Act, AuditRecord, Listed, Page, Role};

/// The hash before the first row.
const BEFORE_ALL: [u8; 32] = [0; 32];

#[derive(Debug, sqlx::FromRow)]
struct AuditRow {
    id: i64,
    at_ms: i64,
    actor: String,
    role: String,
    address: Option<String>,
    action: String,
    target: String,
    detail: Option<String>,
    hash: Vec<u8>,
}

impl Database {
    /// The audit log, latest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn audit(&self, page: Page) -> Result<Listed<AuditRecord>, StoreError> {
        let doing = "reading the audit log";
        let mut transaction = self.read(doing).await?;
        let total: i64 = query_scalar("SELECT last FROM audit_head")
            .fetch_one(&mut *transaction)
            .await
            .doing(doing)?;
        let rows: Vec<AuditRow> = query_as(
            "SELECT id, at_ms, actor, role, address, action, target, detail, hash FROM audit \
             WHERE id <= $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(total.saturating_sub_unsigned(page.skip))
        .bind(page.limit())
        .fetch_all(&mut *transaction)
        .await
        .doing(doing)?;
        let rows = rows.into_iter().map(AuditRow::record);
        Ok(Listed {
            rows: rows.collect::<Result<_, _>>()?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    /// Puts on record what was done outside of the database, such as emptying a log.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note(
        &self,
        act: &Act,
        action: &str,
        target: &str,
        detail: Option<Value>,
    ) -> Result<(), StoreError> {
        let doing = "writing the audit log";
        let mut transaction = self.write(doing).await?;
        record(&mut transaction, act, action, target, detail).await?;
        transaction.commit().await.doing(doing)
    }

    /// The number of the first row that is not as it was written, or that is missing; `None`
    /// where the whole log is as it was written.
    ///
    /// # Errors
    /// The database fails.
    pub async fn verify_audit(&self) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.read(VERIFYING).await?;
        first_changed(&mut transaction).await
    }
}

const VERIFYING: &str = "verifying the audit log";

/// The number of the first row that is not as it was written, or that is missing.
pub(super) async fn first_changed(connection: &mut Connection) -> Result<Option<i64>, StoreError> {
    const AT_ONCE: i64 = 1000;
    let doing = VERIFYING;
    let (last, head): (i64, Vec<u8>) = query_as("SELECT last, hash FROM audit_head")
        .fetch_one(&mut *connection)
        .await
        .doing(doing)?;
    let (mut seen, mut before) = (0, BEFORE_ALL.to_vec());
    loop {
        let rows: Vec<AuditRow> = query_as(
            "SELECT id, at_ms, actor, role, address, action, target, detail, hash FROM audit \
                 WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(seen)
        .bind(AT_ONCE)
        .fetch_all(&mut *connection)
        .await
        .doing(doing)?;
        if rows.is_empty() {
            let is_whole = seen == last && before == head;
            return Ok((!is_whole).then_some(seen.min(last) + 1));
        }
        for row in rows {
            if row.id != seen + 1 || row.digest(&before).as_slice() != row.hash {
                return Ok(Some(seen + 1));
            }
            seen = row.id;
            before = row.hash;
        }
    }
}

/// Appends a row, in the transaction of what it tells of.
pub(super) async fn record(
    connection: &mut Connection,
    act: &Act,
    action: &str,
    target: &str,
    detail: Option<Value>,
) -> Result<(), StoreError> {
    let doing = "writing the audit log";
    let (id, before): (i64, Vec<u8>) = query_as("UPDATE audit_head SET last = last + 1 RETURNING last, hash")
        .fetch_one(&mut *connection)
        .await
        .doing(doing)?;
    let Act {
        actor,
        role,
        address,
        at_ms,
    } = act;
    // The hash is of what is kept, and not every engine keeps a NUL.
    let plain = |text: &str| text.replace('\0', "\u{fffd}");
    let mut row = AuditRow {
        id,
        at_ms: *at_ms,
        actor: plain(actor),
        role: role.keep(),
        address: address.as_deref().map(plain),
        action: plain(action),
        target: plain(target),
        detail: detail.map(|detail| detail.to_string()),
        hash: Vec::new(),
    };
    row.hash = row.digest(&before).to_vec();
    query(
        "INSERT INTO audit (id, at_ms, actor, role, address, action, target, detail, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(row.id)
    .bind(row.at_ms)
    .bind(row.actor)
    .bind(row.role)
    .bind(row.address)
    .bind(row.action)
    .bind(row.target)
    .bind(row.detail)
    .bind(row.hash.clone())
    .execute(&mut *connection)
    .await
    .doing(doing)?;
    query("UPDATE audit_head SET hash = $1")
        .bind(row.hash)
        .execute(connection)
        .await
        .doing(doing)?;
    Ok(())
}

impl AuditRow {
    /// SHA-256 of the hash before and of every field, each with its length before it, so that
    /// no two rows read alike.
    fn digest(&self, before: &[u8]) -> [u8; 32] {
        let Self {
            id,
            at_ms,
            actor,
            role,
            address,
            action,
            target,
            detail,
            hash: _,
        } = self;
        let mut digest = Sha256::new();
        digest.update(before);
        digest.update(id.to_be_bytes());
        digest.update(at_ms.to_be_bytes());
        let fields = [
            Some(actor),
            Some(role),
            address.as_ref(),
            Some(action),
            Some(target),
            detail.as_ref(),
        ];
        for field in fields {
            digest.update([u8::from(field.is_some())]);
            if let Some(text) = field {
                digest.update((text.len() as u64).to_be_bytes());
                digest.update(text);
            }
        }
        digest.finalize().into()
    }

    fn record(self) -> Result<AuditRecord, StoreError> {
        let Self {
            id,
            at_ms,
            actor,
            role,
            address,
            action,
            target,
            detail,
            hash: _,
        } = self;
        let what = || format!("row {id} of the audit log");
        let role = Role::recall(role).map_err(|strange: Strange| strange.of(what()))?;
        Ok(AuditRecord {
            id,
            act: Act {
                actor,
                role,
                address,
                at_ms,
            },
            action,
            target,
            detail: detail.map(|text| document(&text, what)).transpose()?,
        })
    }
}
