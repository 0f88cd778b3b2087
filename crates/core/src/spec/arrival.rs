//! When requests start, as a document says it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::findings::Findings;
use super::read::{Node, Words};
use super::rules;
use crate::problem::Problem;
use crate::workload::{Arrival, FirstWave, Source, Stage};

const PATH: &str = "benchmark.arrival";

/// Most requests a second: beyond it, one machine's load generator measures itself.
const MOST_RATE: f64 = 100_000.0;

/// Burstiest and steadiest gaps.
const BURSTINESS: (f64, f64) = (0.01, 1_000.0);

/// When requests start.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ArrivalSpec {
    /// The kind of arrivals.
    #[serde(rename = "type")]
    pub kind: ArrivalWord,
    /// Requests a second, or a list of them, each a level; for `constant`, `poisson` and `gamma`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateSpec>,
    /// Shape of the gaps of `gamma`: 1 is Poisson, smaller is burstier, larger is steadier; 1
    /// when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burstiness: Option<f64>,
    /// The parts of `stages`, one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<StageSpec>>,
    /// File with the starts of `trace`: `https://…`, `file://…` or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Requests a second.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RateSpec {
    /// One level.
    One(f64),
    /// One level each.
    Several(Vec<f64>),
}

/// A part of a load whose rate changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StageSpec {
    /// Requests a second; 0 is a pause.
    pub rate: f64,
    /// How long it lasts, in seconds.
    pub seconds: f64,
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
    /// Independent of each other, at rates that change.
    Stages,
    /// At recorded times, with recorded lengths.
    Trace,
}

/// The words for how a closed loop begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstWaveWord {
    /// Spread over the time that a request takes.
    Spread,
    /// All at once.
    Together,
}

impl Words for ArrivalWord {
    const WHAT: &'static str = "arrival type";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("closed", Self::Closed),
        ("constant", Self::Constant),
        ("poisson", Self::Poisson),
        ("gamma", Self::Gamma),
        ("stages", Self::Stages),
        ("trace", Self::Trace),
    ];
}

impl Words for FirstWaveWord {
    const WHAT: &'static str = "first wave";
    const WORDS: &'static [(&'static str, Self)] = &[("spread", Self::Spread), ("together", Self::Together)];
}

impl From<FirstWaveWord> for FirstWave {
    fn from(word: FirstWaveWord) -> Self {
        match word {
            FirstWaveWord::Spread => Self::Spread,
            FirstWaveWord::Together => Self::Together,
        }
    }
}

/// Reads the `arrival` object.
pub(super) fn read(node: &Node<'_>) -> Option<ArrivalSpec> {
    node.object(|fields| {
        fields.require(&["type"], "use closed, the usual one");
        let kind = fields.take("type", Node::word);
        let rate = fields.take("rate", read_rate);
        let burstiness = fields.take("burstiness", Node::real);
        let stages = fields.take("stages", |node| node.list(read_stage));
        let trace = fields.take("trace", Node::text);
        Some(ArrivalSpec {
            kind: kind?,
            rate,
            burstiness,
            stages,
            trace,
        })
    })?
}

fn read_rate(node: &Node<'_>) -> Option<RateSpec> {
    match node.value {
        Value::Array(_) => node.list(Node::real).map(RateSpec::Several),
        _ => node.real().map(RateSpec::One),
    }
}

fn read_stage(node: &Node<'_>) -> Option<StageSpec> {
    node.object(|fields| {
        fields.require(&["rate"], "give the requests to start in a second; 0 is a pause");
        fields.require(&["seconds"], "say how long the stage lasts");
        let rate = fields.take("rate", Node::real);
        let seconds = fields.take("seconds", Node::real);
        Some(StageSpec {
            rate: rate?,
            seconds: seconds?,
        })
    })?
}

impl ArrivalSpec {
    /// The arrivals, and the file that has still to be read for them.
    pub(super) fn resolve(&self, findings: &Findings) -> (Arrival, Option<Source>) {
        self.warn_of_strangers(findings);
        match self.kind {
            ArrivalWord::Closed => (Arrival::Closed, None),
            ArrivalWord::Constant => (
                Arrival::Constant {
                    rates: self.rates(findings),
                },
                None,
            ),
            ArrivalWord::Poisson => (
                Arrival::Poisson {
                    rates: self.rates(findings),
                },
                None,
            ),
            ArrivalWord::Gamma => {
                let rates = self.rates(findings);
                let burstiness = self.burstiness.unwrap_or(1.0);
                let (least, most) = BURSTINESS;
                if !(least..=most).contains(&burstiness) {
                    let message = format!("is {burstiness}; give {least} to {most}, 1 for Poisson");
                    findings.refuse(Problem::new(format!("{PATH}.burstiness"), message));
                }
                (Arrival::Gamma { rates, burstiness }, None)
            }
            ArrivalWord::Stages => (self.staged(findings), None),
            ArrivalWord::Trace => {
                let path = format!("{PATH}.trace");
                match &self.trace {
                    Some(place) => super::content::check_place(&path, place, findings),
                    None => {
                        let problem = Problem::new(path, "is missing");
                        findings.refuse(problem.with_hint("name the file that holds the starts"));
                    }
                }
                let source = self.trace.clone().map(|place| Source {
                    place,
                    deduplicate: false,
                });
                (Arrival::Trace { starts: [].into() }, source)
            }
        }
    }

    fn rates(&self, findings: &Findings) -> Vec<f64> {
        let path = format!("{PATH}.rate");
        let rates = match &self.rate {
            Some(RateSpec::One(rate)) => {
                check_rate(&path, *rate, findings);
                return vec![*rate];
            }
            Some(RateSpec::Several(rates)) => rates.clone(),
            None => {
                let problem = Problem::new(path, "is missing");
                findings.refuse(problem.with_hint("give the requests to start in a second"));
                return vec![1.0];
            }
        };
        if rates.is_empty() {
            let problem = Problem::new(path.as_str(), "the list is empty; at least one rate is needed");
            findings.refuse(problem.with_hint("for example [1, 4]"));
        }
        for (index, rate) in rates.iter().enumerate() {
            check_rate(&format!("{path}[{index}]"), *rate, findings);
        }
        rates
    }

    fn staged(&self, findings: &Findings) -> Arrival {
        let path = format!("{PATH}.stages");
        let given = self.stages.as_deref().unwrap_or_default();
        let lasts = |(index, stage): (usize, &StageSpec)| {
            let path = format!("{path}[{index}]");
            rules::not_negative(&format!("{path}.rate"), stage.rate, findings);
            check_most(&format!("{path}.rate"), stage.rate, findings);
            Stage {
                rate: stage.rate,
                lasts: rules::seconds(&format!("{path}.seconds"), stage.seconds, findings),
            }
        };
        let stages: Vec<Stage> = given.iter().enumerate().map(lasts).collect();
        if self.stages.is_none() {
            let problem = Problem::new(path.as_str(), "is missing");
            findings.refuse(problem.with_hint("write stages: [{ rate: 5, seconds: 30 }, …]"));
        } else if stages.iter().all(|stage| stage.rate == 0.0) {
            findings.refuse(Problem::new(
                path.as_str(),
                "start nothing: no stage has a rate above 0",
            ));
        }
        Arrival::Stages {
            stages: stages.into(),
        }
    }

    /// Keys that the kind has no use for.
    fn warn_of_strangers(&self, findings: &Findings) {
        let has_rate = matches!(
            self.kind,
            ArrivalWord::Constant | ArrivalWord::Poisson | ArrivalWord::Gamma
        );
        let kind = ArrivalWord::WORDS.iter().find(|(_, kind)| *kind == self.kind);
        let kind = kind.map_or("", |(word, _)| word);
        let keys = [
            ("rate", self.rate.is_some() && !has_rate),
            (
                "burstiness",
                self.burstiness.is_some() && self.kind != ArrivalWord::Gamma,
            ),
            (
                "stages",
                self.stages.is_some() && self.kind != ArrivalWord::Stages,
            ),
            ("trace", self.trace.is_some() && self.kind != ArrivalWord::Trace),
        ];
        for (key, _) in keys.iter().filter(|(_, is_stranger)| *is_stranger) {
            let message = format!("has no meaning for arrivals of type {kind} and is left out");
            findings.warn(Problem::new(format!("{PATH}.{key}"), message));
        }
    }
}

fn check_rate(path: &str, rate: f64, findings: &Findings) {
    rules::positive(path, rate, findings);
    check_most(path, rate, findings);
}

fn check_most(path: &str, rate: f64, findings: &Findings) {
    if rate > MOST_RATE {
        let message = format!("is {rate}; at most {MOST_RATE} requests a second");
        findings.refuse(Problem::new(path, message));
    }
}
