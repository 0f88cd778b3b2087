//! Presets: named sets of values to try.

use serde_json::json;

use super::engine::{Connection, query, query_as, query_scalar};
use super::rows::document;
use super::trouble::{Doing, is_taken};
use super::{Database, audit};
use crate::StoreError;
use crate::records::{Act, NewPreset, PresetRecord};

macro_rules! columns {
    () => {
        "id, name, description, category, runtime, is_system, parameters, metadata, created_at_ms, updated_at_ms"
    };
}

#[derive(Debug, sqlx::FromRow)]
struct PresetRow {
    id: i64,
    name: String,
    description: Option<String>,
    category: Option<String>,
    runtime: Option<String>,
    is_system: bool,
    parameters: String,
    metadata: Option<String>,
    created_at_ms: i64,
    updated_at_ms: i64,
}

impl Database {
    /// Presets, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn presets(&self, category: Option<&str>) -> Result<Vec<PresetRecord>, StoreError> {
        let rows: Vec<PresetRow> = query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM presets WHERE $1 IS NULL OR category = $1 ORDER BY name"
        ))
        .bind(category)
        .fetch_all(&self.readers)
        .await
        .doing("listing presets")?;
        rows.into_iter().map(PresetRow::record).collect()
    }

    /// One preset.
    ///
    /// # Errors
    /// [`StoreError::NoSuchPreset`].
    pub async fn preset(&self, id: i64) -> Result<PresetRecord, StoreError> {
        let mut connection = self.readers.acquire().await.doing(READING)?;
        preset_in(&mut connection, id).await
    }

    /// Keeps a new preset.
    ///
    /// # Errors
    /// [`StoreError::PresetNameTaken`].
    pub async fn create_preset(&self, act: &Act, preset: NewPreset) -> Result<PresetRecord, StoreError> {
        let doing = "making a preset";
        let mut transaction = self.write(doing).await?;
        let id = unless_taken(insert(&mut transaction, &preset, act.at_ms).await, &preset, doing)?;
        record(&mut transaction, act, "preset.create", id, &preset.name).await?;
        let made = preset_in(&mut transaction, id).await?;
        transaction.commit().await.doing(doing)?;
        Ok(made)
    }

    /// Replaces a preset.
    ///
    /// # Errors
    /// [`StoreError::NoSuchPreset`], [`StoreError::PresetNameTaken`].
    pub async fn update_preset(
        &self,
        act: &Act,
        id: i64,
        preset: NewPreset,
    ) -> Result<PresetRecord, StoreError> {
        let doing = "changing a preset";
        let mut transaction = self.write(doing).await?;
        let NewPreset {
            name,
            description,
            category,
            runtime,
            is_system,
            parameters,
            metadata,
        } = &preset;
        let updated = query(
            "UPDATE presets SET name = $1, description = $2, category = $3, runtime = $4, \
             is_system = $5, parameters = $6, metadata = $7, updated_at_ms = $8 WHERE id = $9",
        )
        .bind(name)
        .bind(description)
        .bind(category)
        .bind(runtime)
        .bind(is_system)
        .bind(parameters.to_string())
        .bind(metadata.as_ref().map(ToString::to_string))
        .bind(act.at_ms)
        .bind(id)
        .execute(&mut *transaction)
        .await;
        unless_taken(updated, &preset, doing)?;
        let changed = preset_in(&mut transaction, id).await?;
        record(&mut transaction, act, "preset.update", id, name).await?;
        transaction.commit().await.doing(doing)?;
        Ok(changed)
    }

    /// Removes a preset.
    ///
    /// # Errors
    /// [`StoreError::NoSuchPreset`].
    pub async fn delete_preset(&self, act: &Act, id: i64) -> Result<(), StoreError> {
        let doing = "removing a preset";
        let mut transaction = self.write(doing).await?;
        let name: Option<String> = query_scalar("DELETE FROM presets WHERE id = $1 RETURNING name")
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await
            .doing(doing)?;
        let name = name.ok_or(StoreError::NoSuchPreset(id))?;
        record(&mut transaction, act, "preset.delete", id, &name).await?;
        transaction.commit().await.doing(doing)
    }

    /// Keeps those of these presets whose names nobody has yet. What came with the product is no
    /// act of anybody's: the audit log does not tell of it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn seed_presets(&self, presets: Vec<NewPreset>, now_ms: i64) -> Result<(), StoreError> {
        let doing = "making the presets that come with the product";
        let mut transaction = self.write(doing).await?;
        for preset in &presets {
            let known: Option<i64> = query_scalar("SELECT id FROM presets WHERE name = $1")
                .bind(&preset.name)
                .fetch_optional(&mut *transaction)
                .await
                .doing(doing)?;
            if known.is_none() {
                insert(&mut transaction, preset, now_ms).await.doing(doing)?;
            }
        }
        transaction.commit().await.doing(doing)
    }
}

const READING: &str = "reading a preset";

async fn record(
    connection: &mut Connection,
    act: &Act,
    action: &str,
    id: i64,
    name: &str,
) -> Result<(), StoreError> {
    let detail = json!({ "name": name });
    audit::record(connection, act, action, &format!("preset {id}"), Some(detail)).await
}

async fn preset_in(connection: &mut Connection, id: i64) -> Result<PresetRecord, StoreError> {
    let row: Option<PresetRow> = query_as(concat!("SELECT ", columns!(), " FROM presets WHERE id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
        .doing(READING)?;
    row.ok_or(StoreError::NoSuchPreset(id))?.record()
}

async fn insert(connection: &mut Connection, preset: &NewPreset, now_ms: i64) -> Result<i64, sqlx::Error> {
    let NewPreset {
        name,
        description,
        category,
        runtime,
        is_system,
        parameters,
        metadata,
    } = preset;
    query_scalar(
        "INSERT INTO presets (name, description, category, runtime, is_system, parameters, metadata, \
         created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id",
    )
    .bind(name)
    .bind(description)
    .bind(category)
    .bind(runtime)
    .bind(is_system)
    .bind(parameters.to_string())
    .bind(metadata.as_ref().map(ToString::to_string))
    .bind(now_ms)
    .fetch_one(connection)
    .await
}

fn unless_taken<T>(
    result: Result<T, sqlx::Error>,
    preset: &NewPreset,
    doing: &'static str,
) -> Result<T, StoreError> {
    match result {
        Err(error) if is_taken(&error) => Err(StoreError::PresetNameTaken {
            name: preset.name.clone(),
        }),
        other => other.doing(doing),
    }
}

impl PresetRow {
    fn record(self) -> Result<PresetRecord, StoreError> {
        let Self {
            id,
            name,
            description,
            category,
            runtime,
            is_system,
            parameters,
            metadata,
            created_at_ms,
            updated_at_ms,
        } = self;
        let what = || format!("preset {id}");
        Ok(PresetRecord {
            id,
            preset: NewPreset {
                name,
                description,
                category,
                runtime,
                is_system,
                parameters: document(&parameters, what)?,
                metadata: metadata.map(|text| document(&text, what)).transpose()?,
            },
            created_at_ms,
            updated_at_ms,
        })
    }
}
