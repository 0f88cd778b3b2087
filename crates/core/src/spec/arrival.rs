//! When requests start. Only the closed loop can be run; the others are understood.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::read::{Node, Words};
use super::rules;
use crate::problem::Problem;

/// When requests start.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ArrivalSpec {
    /// The kind of arrivals.
    #[serde(rename = "type")]
    pub kind: ArrivalWord,
    /// Requests a second; for `constant`, `poisson` and `gamma`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Shape of `gamma`: 1 is Poisson, smaller is burstier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burstiness: Option<f64>,
    /// File with the times of `trace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// The words for kinds of arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalWord {
    /// A fixed number in flight: each end starts the next.
    Closed,
    /// Evenly spaced.
    Constant,
    /// Independent of each other.
    Poisson,
    /// In bursts.
    Gamma,
    /// At recorded times.
    Trace,
}

impl Words for ArrivalWord {
    const WHAT: &'static str = "arrival type";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("closed", Self::Closed),
        ("constant", Self::Constant),
        ("poisson", Self::Poisson),
        ("gamma", Self::Gamma),
        ("trace", Self::Trace),
    ];
}

/// Reads the `arrival` object.
pub(super) fn read(node: &Node<'_>) -> Option<ArrivalSpec> {
    node.object(|fields| {
        fields.require(&["type"], "use closed, the usual one");
        let kind = fields.take("type", Node::word);
        let rate = fields.take("rate", Node::real);
        let burstiness = fields.take("burstiness", Node::real);
        let trace = fields.take("trace", Node::text);
        Some(ArrivalSpec {
            kind: kind?,
            rate,
            burstiness,
            trace,
        })
    })?
}

impl ArrivalSpec {
    /// Holds the rules: each kind has what it needs, and numbers are above 0.
    pub(super) fn check(&self, findings: &Findings) {
        let path = "benchmark.arrival";
        let needs_rate = matches!(
            self.kind,
            ArrivalWord::Constant | ArrivalWord::Poisson | ArrivalWord::Gamma
        );
        if needs_rate && self.rate.is_none() {
            let problem = Problem::new(format!("{path}.rate"), "is missing");
            findings.refuse(problem.with_hint("give the requests to start in a second"));
        }
        if self.kind == ArrivalWord::Trace && self.trace.is_none() {
            let problem = Problem::new(format!("{path}.trace"), "is missing");
            findings.refuse(problem.with_hint("name the file that holds the times"));
        }
        if let Some(rate) = self.rate {
            rules::positive(&format!("{path}.rate"), rate, findings);
        }
        if let Some(burstiness) = self.burstiness {
            rules::positive(&format!("{path}.burstiness"), burstiness, findings);
        }
    }

    /// Why these arrivals cannot be run yet, if they cannot.
    pub(super) fn not_built(&self) -> Option<Problem> {
        (self.kind != ArrivalWord::Closed).then(|| {
            Problem::new(
                "benchmark.arrival",
                "arrivals other than closed are understood but cannot be sent yet",
            )
            .with_hint("leave it out and set num_concurrency")
        })
    }
}
