//! Tasks from files: one document, a list of them, or an envelope around a list.
//!
//! Each is kept or refused on its own.

use std::sync::Arc;

use autotuner_core::problem::Problem;
use autotuner_core::spec::Format;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::text_of;
use crate::api::documents::{Author, draft, refused};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::extract::{Operator, Written};
use crate::api::tasks::publish;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::events::Kind;
use crate::service::permits::Permits;

/// Documents in one request.
const MOST_DOCUMENTS: usize = 1000;

/// What came of an import, in the order of the documents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Imported {
    /// How many tasks were made.
    imported: usize,
    /// How many documents were refused.
    refused: usize,
    /// One result for each document.
    results: Vec<ImportResult>,
}

/// What came of one document.
#[derive(Debug, Serialize, ToSchema)]
struct ImportResult {
    /// Which document it was, from 0.
    index: usize,
    /// Its name, where it has one.
    task_name: Option<String>,
    /// Whether a task was made of it.
    ok: bool,
    /// The task.
    id: Option<i64>,
    /// Why none was made.
    error: Option<ErrorBody>,
    /// What was accepted but is worth saying.
    warnings: Vec<crate::api::error::ProblemBody>,
}

/// Make tasks of documents
///
/// A task document, a list of them, or `{"tasks": […]}`, as JSON or YAML.
#[utoipa::path(post, path = "/api/tasks/import", tag = "tasks",
    request_body(content = Value, description = "Task documents, as JSON or YAML"),
    responses(
        (status = 200, body = Imported, description = "A result for each document, also where all are refused"),
        (status = 422, body = ErrorBody, description = "The body cannot be read; no task was made"),
    ))]
pub(super) async fn import_tasks(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    mut body: Written,
) -> Result<Json<Imported>, ApiError> {
    if body.format == Format::Json
        && !body
            .text
            .trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t'])
            .starts_with(['{', '['])
    {
        // A file of unknown kind, handed in as it is.
        body.format = Format::Yaml;
    }
    let (tree, problems) = body.tree()?;
    let documents = documents(&tree)?;
    let mut results = Vec::with_capacity(documents.len());
    for (index, (path, document)) in documents.into_iter().enumerate() {
        let inside = problems_below(&problems, &path);
        results.push(keep(&service, &caller, index, document, inside).await);
    }
    let imported = results.iter().filter(|result| result.ok).count();
    Ok(Json(Imported {
        imported,
        refused: results.len() - imported,
        results,
    }))
}

/// Every document with its place in the tree.
fn documents(tree: &Value) -> Result<Vec<(String, &Value)>, ApiError> {
    let (path, list) = match tree {
        Value::Array(list) => ("", list),
        Value::Object(keys) => match keys.get("tasks") {
            Some(Value::Array(list)) if !keys.contains_key("task_name") => ("tasks", list),
            _ => return Ok(vec![(String::new(), tree)]),
        },
        _ => {
            let problem = Problem::new(
                "",
                "expected a task document, a list of them, or an object with the key tasks",
            );
            return Err(ApiError::problems(
                "There is no task document in the body",
                vec![problem],
            ));
        }
    };
    if list.len() > MOST_DOCUMENTS {
        let message = format!("holds {} documents; {MOST_DOCUMENTS} at most", list.len());
        let problem = Problem::new(path, message).with_hint("import them in parts");
        return Err(ApiError::problems(
            "There are too many documents in the body",
            vec![problem],
        ));
    }
    let place = |(index, document)| (format!("{path}[{index}]"), document);
    Ok(list.iter().enumerate().map(place).collect())
}

/// The problems inside one document, with paths that begin at it.
fn problems_below(problems: &[Problem], path: &str) -> Vec<Problem> {
    let inside = problems.iter().filter_map(|problem| {
        let rest = problem.path.strip_prefix(path)?;
        if !path.is_empty() && !rest.is_empty() && !rest.starts_with(['.', '[']) {
            return None;
        }
        Some(Problem {
            path: rest.trim_start_matches('.').to_owned(),
            ..problem.clone()
        })
    });
    inside.collect()
}

async fn keep(
    service: &Service,
    caller: &Caller,
    index: usize,
    document: &Value,
    problems: Vec<Problem>,
) -> ImportResult {
    let permits = Permits::of(&service.config);
    let author = Author {
        role: caller.role,
        permits: &permits,
    };
    let mut result = ImportResult {
        index,
        task_name: text_of(document, "/task_name"),
        ok: false,
        id: None,
        error: None,
        warnings: Vec::new(),
    };
    let made = match draft(document, problems, None, &author) {
        Ok(draft) => {
            let act = caller.act(service.clock.now_ms());
            let made = service.database.create_task(&act, draft.record()).await;
            result.warnings = draft.warnings.into_iter().map(Into::into).collect();
            made.map_err(ApiError::from)
        }
        Err(problems) => Err(refused(problems)),
    };
    match made {
        Ok(record) => {
            publish(service, Kind::TaskCreated, record.summary.id);
            result.ok = true;
            result.id = Some(record.summary.id.0);
        }
        Err(error) => result.error = Some(error.body),
    }
    result
}
