//! Databases as the original system left them, in two of its versions.

use std::path::Path;

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

/// A version of the original, by what its tables hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Of October 2025: no SLOs, no quantization, no presets.
    Early,
    /// Of January 2026.
    Late,
}

const EARLY: &str = "
CREATE TABLE tasks (
  id INTEGER NOT NULL PRIMARY KEY, task_name VARCHAR NOT NULL UNIQUE, description VARCHAR, status VARCHAR(9),
  model_config JSON NOT NULL, base_runtime VARCHAR NOT NULL, runtime_image_tag VARCHAR, parameters JSON NOT NULL,
  optimization_config JSON NOT NULL, benchmark_config JSON NOT NULL, deployment_mode VARCHAR,
  total_experiments INTEGER, successful_experiments INTEGER, best_experiment_id INTEGER,
  created_at DATETIME, started_at DATETIME, completed_at DATETIME, elapsed_time FLOAT);
CREATE TABLE experiments (
  id INTEGER NOT NULL PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES tasks (id), experiment_id INTEGER NOT NULL,
  parameters JSON NOT NULL, status VARCHAR(12), error_message VARCHAR, metrics JSON, objective_score FLOAT,
  service_name VARCHAR, service_url VARCHAR,
  created_at DATETIME, started_at DATETIME, completed_at DATETIME, elapsed_time FLOAT);
";

const ADDED_LATER: &str = "
ALTER TABLE tasks ADD COLUMN slo_config JSON;
ALTER TABLE tasks ADD COLUMN quant_config JSON;
ALTER TABLE tasks ADD COLUMN parallel_config JSON;
ALTER TABLE tasks ADD COLUMN clusterbasemodel_config JSON;
ALTER TABLE tasks ADD COLUMN clusterservingruntime_config JSON;
ALTER TABLE tasks ADD COLUMN created_clusterbasemodel VARCHAR;
ALTER TABLE tasks ADD COLUMN created_clusterservingruntime VARCHAR;
ALTER TABLE tasks ADD COLUMN metadata JSON;
ALTER TABLE experiments ADD COLUMN gpu_info JSON;
CREATE TABLE parameter_presets (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(255) NOT NULL UNIQUE, description TEXT, category VARCHAR(100),
  runtime VARCHAR(50), is_system BOOLEAN DEFAULT 0, parameters JSON NOT NULL, metadata JSON,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME);
CREATE TABLE chat_sessions (id INTEGER PRIMARY KEY, session_id VARCHAR);
";

/// A database of the original that is being filled.
pub(crate) struct Original {
    connection: SqliteConnection,
}

impl Original {
    pub(crate) async fn make(path: &Path, version: Version) -> Self {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut connection = options.connect().await.expect("a new file");
        let later = if version == Version::Late { ADDED_LATER } else { "" };
        for sql in [EARLY, later] {
            sqlx::raw_sql(sql).execute(&mut connection).await.expect("sound");
        }
        Self { connection }
    }

    /// A task as the original's pages make one, changed as the test wants.
    pub(crate) async fn task(&mut self, id: i64, name: &str, status: &str, change: impl FnOnce(&mut Value)) {
        let mut task = json!({
            "model_config": {"id_or_path": "Qwen/Qwen2.5-0.5B", "namespace": "autotuner"},
            "base_runtime": "vllm",
            "parameters": {"max-num-seqs": [64, 128]},
            "optimization_config": {"strategy": "grid_search", "objective": "minimize_latency", "max_iterations": 2},
            "benchmark_config": {
                "task": "text-to-text", "traffic_scenarios": ["D(100,100)"], "num_concurrency": [1, 4],
                "max_time_per_iteration": 10, "max_requests_per_iteration": 50,
                "additional_params": {"temperature": "0.0"},
            },
            "created_at": format!("2025-11-0{id} 10:00:00.250000"),
        });
        change(&mut task);
        sqlx::query(
            "INSERT INTO tasks (id, task_name, status, model_config, base_runtime, parameters, optimization_config, \
             benchmark_config, deployment_mode, created_at, started_at, total_experiments) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'docker', $9, '2025-11-09 10:00:00', 2)",
        )
        .bind(id)
        .bind(name)
        .bind(status)
        .bind(task["model_config"].to_string())
        .bind(task["base_runtime"].as_str().expect("a word"))
        .bind(task["parameters"].to_string())
        .bind(task["optimization_config"].to_string())
        .bind(task["benchmark_config"].to_string())
        .bind(task["created_at"].as_str().expect("a moment"))
        .execute(&mut self.connection)
        .await
        .expect("put in");
    }

    pub(crate) async fn experiment(&mut self, id: i64, task: i64, number: i64, status: &str) {
        let metrics =
            (status == "SUCCESS").then(|| json!({"mean_e2e_latency": 1.25, "mean_ttft": 0.1}).to_string());
        sqlx::query(
            "INSERT INTO experiments (id, task_id, experiment_id, parameters, status, metrics, objective_score, \
             error_message, created_at, started_at, completed_at, elapsed_time) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '2025-11-09 10:00:00', '2025-11-09 10:00:01', $9, 60.5)",
        )
        .bind(id)
        .bind(task)
        .bind(number)
        .bind(json!({"max-num-seqs": 64 * number}).to_string())
        .bind(status)
        .bind(metrics)
        .bind((status == "SUCCESS").then_some(1.25))
        .bind((status == "FAILED").then_some("it did not become ready in time"))
        .bind(matches!(status, "SUCCESS" | "FAILED").then_some("2025-11-09 10:01:01.500000"))
        .execute(&mut self.connection)
        .await
        .expect("put in");
    }

    pub(crate) async fn preset(&mut self, name: &str, is_system: bool, parameters: &Value) {
        sqlx::query("INSERT INTO parameter_presets (name, is_system, runtime, parameters) VALUES ($1, $2, 'vllm', $3)")
            .bind(name)
            .bind(is_system)
            .bind(parameters.to_string())
            .execute(&mut self.connection)
            .await
            .expect("put in");
    }

    pub(crate) async fn change(&mut self, sql: &'static str) {
        sqlx::query(sql)
            .execute(&mut self.connection)
            .await
            .expect("sound");
    }

    pub(crate) async fn close(self) {
        self.connection.close().await.expect("written");
    }
}
