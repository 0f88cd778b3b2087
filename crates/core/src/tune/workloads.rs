//! What the benchmark sends: named workloads, and how much of each.
//!
//! The one idea: a name stands for lengths that such traffic has and for the loads at which
//! that is interesting, apart for GPUs and for CPUs. Levels are kept so short that one
//! experiment takes a minute or two. The figures are round on purpose: they say of what kind
//! the traffic is, not whose. docs/tune.md tells where they come from.

use super::Request;
use super::place::Machine;
use crate::problem::{Problem, closest};
use crate::spec::{BenchmarkSpec, MOST_WARMUP, USUAL_DRAIN_SECONDS};
use crate::workload::Scenario;

/// A kind of traffic that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedWorkload {
    /// Conversations: prompts of some hundred tokens, answers half as long.
    Chat,
    /// Questions with retrieved passages: long prompts, short answers.
    Rag,
    /// Writing and completing code: prompts and answers of medium length.
    Code,
    /// Whole documents in, a paragraph out.
    Summarise,
    /// Requests of every size, many at once: the latency of one does not matter.
    Batch,
}

/// What a name stands for.
struct Shape {
    word: &'static str,
    scenario: &'static str,
    on_gpus: &'static [u32],
    on_cpus: &'static [u32],
    help: &'static str,
}

impl NamedWorkload {
    /// Every named workload, in the order in which they are listed to users.
    pub const ALL: [Self; 5] = [Self::Chat, Self::Rag, Self::Code, Self::Summarise, Self::Batch];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        self.shape().word
    }

    /// Its lengths, as task documents write them.
    pub fn scenario(self) -> &'static str {
        self.shape().scenario
    }

    /// What it is like, in a few words.
    pub fn help(self) -> &'static str {
        self.shape().help
    }

    fn shape(self) -> Shape {
        match self {
            Self::Chat => Shape {
                word: "chat",
                scenario: "N(512,256)/(256,128)",
                on_gpus: &[8, 32, 128],
                on_cpus: &[1, 4],
                help: "conversations",
            },
            Self::Rag => Shape {
                word: "rag",
                scenario: "N(3072,1024)/(256,128)",
                on_gpus: &[4, 16, 64],
                on_cpus: &[1, 2],
                help: "long prompts, short answers",
            },
            Self::Code => Shape {
                word: "code",
                scenario: "N(1024,512)/(512,256)",
                on_gpus: &[8, 32, 64],
                on_cpus: &[1, 4],
                help: "prompts and answers of medium length",
            },
            Self::Summarise => Shape {
                word: "summarise",
                scenario: "N(6144,2048)/(384,128)",
                on_gpus: &[2, 8, 32],
                on_cpus: &[1, 2],
                help: "whole documents in, a paragraph out",
            },
            Self::Batch => Shape {
                word: "batch",
                scenario: "U(128,2048)/(64,1024)",
                on_gpus: &[128, 256],
                on_cpus: &[8, 16],
                help: "requests of every size, many at once",
            },
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        let word = word.to_lowercase().replace("summarize", "summarise");
        Self::ALL.into_iter().find(|workload| workload.as_str() == word)
    }
}

/// What is sent, as asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Traffic {
    /// By its name.
    Named(NamedWorkload),
    /// By its lengths.
    Direct(Vec<Scenario>),
}

impl Traffic {
    /// One word for it, fit for a file name.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Named(workload) => workload.as_str(),
            Self::Direct(_) => "custom",
        }
    }

    /// What it is, for people.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Named(workload) => format!("the {} workload", workload.as_str()),
            Self::Direct(scenarios) => {
                let texts: Vec<String> = scenarios.iter().map(ToString::to_string).collect();
                texts.join(", ")
            }
        }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        match self {
            Self::Named(workload) => vec![
                workload
                    .scenario()
                    .parse()
                    .expect("scenarios of named workloads are sound"),
            ],
            Self::Direct(scenarios) => scenarios.clone(),
        }
    }

    /// The loads that are interesting on this machine.
    fn concurrency(&self, machine: &Machine) -> Vec<u32> {
        let shape = match self {
            Self::Named(workload) => workload.shape(),
            Self::Direct(_) => NamedWorkload::Chat.shape(),
        };
        if machine.is_simulated {
            return SIMULATED_CONCURRENCY.to_vec();
        }
        if machine.gpus > 0 {
            return shape.on_gpus.to_vec();
        }
        // A server's CPU serves more at once than a laptop's; one request alone stays one.
        let factor = match machine.cpus {
            0..16 => 1,
            16..64 => 2,
            _ => 4,
        };
        let scaled = shape
            .on_cpus
            .iter()
            .map(|load| if *load == 1 { 1 } else { load * factor });
        scaled.collect()
    }
}

/// The traffic that these words describe; chat without any.
///
/// # Errors
/// A word that is neither a name nor a scenario, or a name that is not alone.
pub(super) fn traffic(words: &[String]) -> Result<Traffic, Problem> {
    if words.is_empty() {
        return Ok(Traffic::Named(NamedWorkload::Chat));
    }
    if let [word] = words
        && let Some(workload) = NamedWorkload::from_word(word)
    {
        return Ok(Traffic::Named(workload));
    }
    if let Some(name) = words.iter().find(|word| NamedWorkload::from_word(word).is_some()) {
        return Err(Problem::new(
            "workload",
            format!("{name:?} is a whole workload and stands alone"),
        )
        .with_hint("name one workload, or give scenarios such as D(512,128)"));
    }
    let scenarios: Result<Vec<Scenario>, Problem> = words.iter().map(|word| scenario(word)).collect();
    scenarios.map(Traffic::Direct)
}

fn scenario(word: &str) -> Result<Scenario, Problem> {
    word.parse::<Scenario>().map_err(|error| {
        if word.contains('(') {
            return Problem::new("workload", error.to_string());
        }
        let words = NamedWorkload::ALL.map(NamedWorkload::as_str);
        let hint = match closest(word, words) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!(
                "use one of {}, or lengths: D(in,out), N(mean,sd)/(mean,sd) or U(min,max)/(min,max)",
                words.join(", ")
            ),
        };
        Problem::new(
            "workload",
            format!("{word:?} is neither a workload nor a scenario"),
        )
        .with_hint(hint)
    })
}

/// Loads of the simulated engine, whose defaults serve four at once.
const SIMULATED_CONCURRENCY: [u32; 2] = [4, 16];

/// Measuring time of all levels together, in seconds.
const SIMULATED_SECONDS: f64 = 20.0;
const GPU_SECONDS: f64 = 90.0;
const CPU_SECONDS: f64 = 120.0;

/// Shortest and longest level, in seconds.
const LEVEL_SECONDS: (f64, f64) = (10.0, 60.0);

/// Fewest requests that carry a ninety-ninth percentile.
const LEAST_REQUESTS: u32 = 100;

/// Requests of a level for each one in flight: fewer would be all beginning and end.
const ROUNDS: u32 = 4;

/// Shortest limit on one experiment, in seconds.
const LEAST_TIMEOUT: f64 = 600.0;

/// Tokens that a chat template adds to a prompt, generously.
const TEMPLATE_TOKENS: u32 = 64;

/// Lengths are rounded up to this many tokens where they become an engine's limit.
const LENGTH_STEP: u32 = 256;

/// What is sent, in full.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Load {
    scenarios: Vec<Scenario>,
    concurrency: Vec<u32>,
    seconds: f64,
    requests: u32,
    drain_seconds: Option<f64>,
    silence_seconds: Option<f64>,
}

impl Load {
    pub(super) fn new(traffic: &Traffic, machine: &Machine, request: &Request) -> Self {
        let scenarios = traffic.scenarios();
        let concurrency = if request.concurrency.is_empty() {
            traffic.concurrency(machine)
        } else {
            request.concurrency.clone()
        };
        let is_slow = machine.gpus == 0 && !machine.is_simulated;
        let whole = match is_slow {
            _ if machine.is_simulated => SIMULATED_SECONDS,
            true => CPU_SECONDS,
            false => GPU_SECONDS,
        };
        #[expect(clippy::cast_precision_loss, reason = "a handful of levels")]
        let levels = (scenarios.len() * concurrency.len()).max(1) as f64;
        let seconds = (whole / levels).floor().clamp(LEVEL_SECONDS.0, LEVEL_SECONDS.1);
        let most = concurrency.iter().copied().max().unwrap_or(1);
        Self {
            scenarios,
            concurrency,
            seconds: request.seconds_per_level.unwrap_or(seconds),
            requests: request
                .requests_per_level
                .unwrap_or_else(|| most.saturating_mul(ROUNDS).max(LEAST_REQUESTS)),
            // A large model on a CPU takes minutes for one answer.
            drain_seconds: is_slow.then_some(120.0),
            silence_seconds: is_slow.then_some(300.0),
        }
    }

    /// Most requests in flight at once.
    pub(super) fn most_at_once(&self) -> u32 {
        self.concurrency.iter().copied().max().unwrap_or(1)
    }

    /// The longest prompt, in tokens, rounded up.
    pub(super) fn longest_input(&self) -> u32 {
        self.longest(|(input, _)| input)
    }

    /// The longest prompt and answer together, in tokens, rounded up.
    pub(super) fn longest_request(&self) -> u32 {
        self.longest(|(input, output)| input.saturating_add(output))
    }

    fn longest(&self, count: impl Fn((u32, u32)) -> u32) -> u32 {
        let longest = self
            .scenarios
            .iter()
            .map(|scenario| count(scenario.longest()))
            .max();
        let tokens = longest.unwrap_or(1).saturating_add(TEMPLATE_TOKENS);
        tokens.div_ceil(LENGTH_STEP).saturating_mul(LENGTH_STEP)
    }

    /// A limit on one experiment that its levels keep even when each takes as long as it may.
    pub(super) fn longest_experiment(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of levels")]
        let levels = (self.scenarios.len() * self.concurrency.len()) as f64;
        let drain = self.drain_seconds.unwrap_or(USUAL_DRAIN_SECONDS);
        let level = self.seconds + drain + MOST_WARMUP.as_secs_f64();
        (levels * level).ceil().max(LEAST_TIMEOUT)
    }

    /// The document's part.
    pub(super) fn spec(&self) -> BenchmarkSpec {
        BenchmarkSpec {
            traffic_scenarios: Some(self.scenarios.iter().map(ToString::to_string).collect()),
            num_concurrency: Some(self.concurrency.clone()),
            max_time_per_iteration: Some(self.seconds),
            max_requests_per_iteration: Some(self.requests),
            drain_seconds: self.drain_seconds,
            request_timeout_seconds: self.silence_seconds,
            ..BenchmarkSpec::default()
        }
    }
}
