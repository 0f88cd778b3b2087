//! What was tried and what was started.

use autotuner_core::experiment::{ContainerFacts, ImageFacts, LaunchFacts};
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::gpu::{GpuDevice, GpuUse, GpuVendor, Span};
use autotuner_core::space::{Candidate, ParameterName, Value};
use serde::{Deserialize, Serialize};

use super::numbers::Real;
use super::{Kept, Strange, fields};

fields!(LaunchRow of LaunchFacts {
    command: Vec<String>,
    env: Vec<(String, String)>,
    engine_version: Option<String>,
    ready_after_ms: Option<u64>,
    image: Option<ImageFacts>,
    gpus: Vec<GpuDevice>,
    base_url: Option<String>,
    container: Option<ContainerFacts>,
});

fields!(ContainerRow of ContainerFacts {
    id: String,
    name: String,
    started_at_ms: i64,
});

fields!(ImageRow of ImageFacts {
    reference: String,
    id: String,
    digest: Option<String>,
});

fields!(GpuRow of GpuDevice {
    index: u32,
    uuid: String,
    name: String,
    vendor: GpuVendor,
    memory_bytes: u64,
});

fields!(GpuUseRow of GpuUse {
    device: GpuDevice,
    samples: u32,
    seconds: f64,
    utilization_percent: Option<Span>,
    memory_used_bytes: Option<Span>,
    memory_percent: Option<Span>,
    temperature_c: Option<Span>,
    power_w: Option<Span>,
    energy_j: Option<f64>,
});

fields!(SpanRow of Span {
    min: f64,
    mean: f64,
    max: f64,
});

/// Without what was measured, which is stored beside it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailureRow {
    kind: <FailureKind as Kept>::Row,
    message: String,
    advice: Option<String>,
    log_tail: Vec<String>,
}

impl Kept for Failure {
    type Row = FailureRow;
    fn keep(&self) -> FailureRow {
        let Self {
            kind,
            message,
            advice,
            log_tail,
            partial: _,
        } = self.clone();
        FailureRow {
            kind: kind.keep(),
            message,
            advice,
            log_tail,
        }
    }
    fn recall(row: FailureRow) -> Result<Self, Strange> {
        let FailureRow {
            kind,
            message,
            advice,
            log_tail,
        } = row;
        Ok(Self {
            kind: FailureKind::recall(kind)?,
            message,
            advice,
            log_tail,
            partial: None,
        })
    }
}

/// A candidate keeps its order and its spelling: a list of names with their values.
impl Kept for Candidate {
    type Row = Vec<(String, ValueRow)>;
    fn keep(&self) -> Self::Row {
        self.iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.keep()))
            .collect()
    }
    fn recall(row: Self::Row) -> Result<Self, Strange> {
        let assignments = row
            .into_iter()
            .map(|(name, value)| Ok((ParameterName::new(&name), Value::recall(value)?)));
        Ok(Self::new(assignments.collect::<Result<Vec<_>, Strange>>()?))
    }
}

/// The kind stands beside the value: `1` and `1.0` are two things to an engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValueRow {
    Unset,
    Bool(bool),
    Int(i64),
    Float(Real),
    Text(String),
}

impl Kept for Value {
    type Row = ValueRow;
    fn keep(&self) -> ValueRow {
        match self {
            Self::Unset => ValueRow::Unset,
            Self::Bool(flag) => ValueRow::Bool(*flag),
            Self::Int(whole) => ValueRow::Int(*whole),
            Self::Float(real) => ValueRow::Float(real.keep()),
            Self::Text(text) => ValueRow::Text(text.clone()),
        }
    }
    fn recall(row: ValueRow) -> Result<Self, Strange> {
        Ok(match row {
            ValueRow::Unset => Self::Unset,
            ValueRow::Bool(flag) => Self::Bool(flag),
            ValueRow::Int(whole) => Self::Int(whole),
            ValueRow::Float(real) => Self::Float(f64::recall(real)?),
            ValueRow::Text(text) => Self::Text(text),
        })
    }
}
