//! What earlier tasks have found out of the same engine and model, where a task asks for it.

use autotuner_core::spec::TaskSpec;
use autotuner_core::task::Task;
use autotuner_store::StoreError;
use serde_json::Value;

use super::Worker;

/// Most earlier runs that a search begins with: what more would tell is mostly the same.
const MOST: usize = 3;

/// Looks, once, for the histories that this run's search begins with: those of runs that had ended
/// when this one began, so that a run which is taken up again begins with the same.
///
/// # Errors
/// When they cannot be read.
pub(super) async fn find_earlier(worker: &Worker) -> Result<(), StoreError> {
    let finding = worker.earlier.get_or_try_init(|| async {
        if !worker.task.search.warm_start {
            return Ok(Vec::new());
        }
        let is_alike = |document: &Value| is_alike(&worker.task, document);
        let found = worker.store.alike(worker.task_id, MOST, &is_alike).await?;
        let count: usize = found.iter().map(Vec::len).sum();
        worker.logs.line(
            "INFO",
            &match found.len() {
                0 => "No earlier run of the same engine, model and parameters is known".to_owned(),
                runs => format!("Beginning with {count} experiments of {runs} earlier runs"),
            },
        );
        Ok(found)
    });
    finding.await.map(|_| ())
}

fn is_alike(task: &Task, document: &Value) -> bool {
    let other = TaskSpec::from_value(document).and_then(|parsed| parsed.spec.resolve());
    other.is_ok_and(|other| task.is_told_of_by(&other))
}
