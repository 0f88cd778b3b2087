//! What a benchmark sends: scenarios, concurrency levels, limits and warm-up.

mod arrival;
mod arrival_text;
mod content;
pub mod knee;
mod notation;
mod order;
mod precision;
mod scenario;
mod schedule;
mod sound;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

pub use arrival::{Arrival, FirstWave, Load, Stage, TraceStart};
pub use arrival_text::{ArrivalError, ArrivalText};
pub use content::{Content, Conversation, DataSet, Entry, Sharing, Source, Sources, Texts, Turn};
pub use notation::ScenarioError;
pub use precision::{Figure, Precision};
pub use scenario::{Lengths, Scenario};
pub use schedule::{Start, Starts};

/// Everything the load generator must know about the load, engine apart.
///
/// One *level* is one scenario at one concurrency; levels are run in the order
/// scenario by scenario, each from the first to the last concurrency, unless
/// [`Workload::run_heaviest_first`] has said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Which API is asked.
    pub api: Api,
    /// Prompt and answer lengths, at least one.
    pub scenarios: Vec<Scenario>,
    /// Numbers of requests in flight at once (closed loop), at least one, each at least 1. Where
    /// requests start by a clock, the greatest of them is the most that may be in flight.
    pub concurrency: Vec<u32>,
    /// When requests start.
    pub arrival: Arrival,
    /// How the first requests of a closed loop start.
    pub first_wave: FirstWave,
    /// Longest measuring time of one level. Requests in flight at its end may finish.
    pub max_time_per_level: Duration,
    /// Most requests started in the measuring window of one level.
    pub max_requests_per_level: u32,
    /// How precisely figures must be known for a level to end before its time; it never does when
    /// `None`.
    pub precision: Option<Precision>,
    /// How long requests that are in flight at the end of a level may still take before
    /// they are recorded as cut off.
    pub drain: Duration,
    /// Requests sent at full concurrency before a level's window opens; they are not measured.
    pub warmup_requests: u32,
    /// Longest time that a warm-up may take.
    pub max_warmup: Duration,
    /// Longest silence inside one request (no byte received) before it counts as timed out.
    pub request_timeout: Duration,
    /// Seed of prompts and lengths: equal seeds ask equal questions.
    pub seed: u64,
    /// What the texts of requests are made of.
    pub content: Content,
    /// Files that have still to be read into [`Workload::content`] and [`Workload::arrival`].
    pub sources: Sources,
    /// Which level runs when, where not in their usual order: each number of that once.
    pub order: Vec<usize>,
    /// Further keys of each request body, such as `temperature`.
    pub additional_params: serde_json::Map<String, serde_json::Value>,
}

/// Which API is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/completion`, llama.cpp's own.
    LlamaCpp,
    /// `/generate_stream`, of Text Generation Inference.
    Tgi,
    /// `/v1/embeddings`: no stream, the whole answer is one chunk.
    Embeddings,
    /// `/v1/rerank`: no stream, the whole answer is one chunk.
    Rerank,
}

impl Api {
    /// Whether answers are texts, as a stream; otherwise they are one JSON document.
    pub fn answers_with_text(self) -> bool {
        match self {
            Self::Chat | Self::Completions | Self::LlamaCpp | Self::Tgi => true,
            Self::Embeddings | Self::Rerank => false,
        }
    }
}

/// As task documents write it.
impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::LlamaCpp => "llamacpp",
            Self::Tgi => "tgi",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
        })
    }
}

/// One level: one scenario under one load.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelPlan {
    /// Lengths of prompts and answers.
    pub scenario: Scenario,
    /// How much is asked at once, or how often.
    pub load: Load,
}

impl Workload {
    /// How many levels there are.
    pub fn level_count(&self) -> usize {
        self.scenarios.len() * self.loads().len()
    }

    /// Every level, in the order in which they run.
    pub fn levels(&self) -> Vec<LevelPlan> {
        let loads = self.loads();
        let of = |scenario: &Scenario| {
            let scenario = scenario.clone();
            loads.iter().map(move |load| LevelPlan {
                scenario: scenario.clone(),
                load: load.clone(),
            })
        };
        let levels: Vec<LevelPlan> = self.scenarios.iter().flat_map(of).collect();
        match self.order.is_empty() {
            true => levels,
            false => self
                .order
                .iter()
                .filter_map(|level| levels.get(*level).cloned())
                .collect(),
        }
    }

    /// The loads that each scenario is run under.
    pub fn loads(&self) -> Vec<Load> {
        let most = self.concurrency.iter().copied().max().unwrap_or(1);
        self.arrival.loads(&self.concurrency, most)
    }
}
