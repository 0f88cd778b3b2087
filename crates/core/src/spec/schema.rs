//! The document's JSON Schema, for editors, forms and reference pages.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::TaskSpec;

/// Stands in the schema for a list that may also be written as its only entry.
pub(super) struct OneOrMany<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// Stands in the schema for text that may also be written as a number or a switch.
pub(super) struct Scalar;

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// JSON Schema (draft 2020-12) of the task document in its canonical spelling. Older names
/// that reading understands, such as `model.name`, are not part of it.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<TaskSpec>();
    schema.insert("examples".into(), json!([example()]));
    schema.to_value()
}

fn example() -> Value {
    json!({
        "task_name": "chat-throughput",
        "deployment_mode": "local",
        "base_runtime": "sim",
        "model": { "id_or_path": "sim-model" },
        "parameters": {
            "max-num-seqs": [8, 16, 32],
            "max-num-batched-tokens": { "type": "integer", "low": 256, "high": 2048, "log": true }
        },
        "constraints": ["{max-num-batched-tokens} >= {max-num-seqs}"],
        "optimization": { "strategy": "bayesian", "objective": "maximize_throughput", "max_iterations": 12 },
        "benchmark": {
            "traffic_scenarios": ["D(64,32)"],
            "num_concurrency": [8],
            "max_time_per_iteration": 2.0,
            "max_requests_per_iteration": 64
        },
        "slo": { "ttft": { "p90": { "threshold": 0.5 } } }
    })
}
