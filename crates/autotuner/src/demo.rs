//! The task of the demo: what `autotuner demo` tunes, and what the service offers for a first try.

use autotuner_core::problem::Problem;
use autotuner_core::spec::{Format, TaskSpec};

/// Its file, as it stands among the examples.
pub(crate) const TASK: &str = include_str!("../../../examples/sim-local.yaml");

/// Its document.
///
/// # Errors
/// The example is wrong.
pub(crate) fn document() -> Result<TaskSpec, Vec<Problem>> {
    TaskSpec::parse(TASK, Format::Yaml).map(|parsed| parsed.spec)
}
