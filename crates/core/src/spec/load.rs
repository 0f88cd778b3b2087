//! A document's `benchmark` and `slo` alone, for whoever measures a server without tuning it.
//!
//! The one idea: a whole task document will do, and so will its `benchmark` section by itself;
//! what else a document says is not looked at.

use serde_json::Value;

use super::benchmark::{self, BenchmarkSpec};
use super::findings::Findings;
use super::read::Node;
use super::slo::{self, SloSpec};
use super::{Format, syntax};
use crate::problem::Problem;
use crate::score::Slo;
use crate::workload::Workload;

/// What is sent to a server, and what must hold meanwhile.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadSpec {
    /// What is sent.
    pub benchmark: BenchmarkSpec,
    /// What must hold.
    pub slo: Option<SloSpec>,
}

/// A load with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// What is sent; files have still to be read.
    pub workload: Workload,
    /// The bounds.
    pub bounds: Vec<Slo>,
    /// What was accepted but is worth saying.
    pub warnings: Vec<Problem>,
}

impl LoadSpec {
    /// Reads a task document, or the `benchmark` section of one.
    ///
    /// # Errors
    /// Every problem of these two sections.
    pub fn parse(text: &str, format: Format) -> Result<Self, Vec<Problem>> {
        let findings = Findings::default();
        let spec = syntax::parse(text, format, &findings).map(|tree| read(&tree, &findings));
        let (problems, _) = findings.into_parts();
        match spec {
            Some(spec) if problems.is_empty() => Ok(spec),
            _ => Err(problems),
        }
    }

    /// The load, drawn from this seed.
    ///
    /// # Errors
    /// Every rule that does not hold, with its path in a document.
    pub fn resolve(&self, seed: u64) -> Result<Resolved, Vec<Problem>> {
        let findings = Findings::default();
        let workload = self.benchmark.resolve(seed, &findings);
        let bounds = self.slo.as_ref().map(|slo| slo.resolve(&findings).bounds);
        let (problems, warnings) = findings.into_parts();
        match problems.is_empty() {
            true => Ok(Resolved {
                workload,
                bounds: bounds.unwrap_or_default(),
                warnings,
            }),
            false => Err(problems),
        }
    }
}

fn read(tree: &Value, findings: &Findings) -> LoadSpec {
    let node = |path: &str, value| Node {
        path: path.to_owned(),
        value,
        findings,
    };
    let section = tree.get("benchmark");
    let benchmark = benchmark::read(&node("benchmark", section.unwrap_or(tree)));
    let slo = tree.get("slo").filter(|slo| section.is_some() && !slo.is_null());
    LoadSpec {
        benchmark: benchmark.unwrap_or_default(),
        slo: slo.and_then(|slo| slo::read(&node("slo", slo))),
    }
}
