//! Which API is asked, for what, and how much at once, as a document says it.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::read::Words;
use super::rules;
use crate::problem::Problem;
use crate::workload::{Api, Scenario};

/// Requests in flight at once at most: one machine has no more ports for one endpoint.
const MOST_CONCURRENCY: u32 = 60_000;

/// Levels of one benchmark at most.
pub(super) const MOST_LEVELS: usize = 1_000;

const SCENARIOS: &str = "benchmark.traffic_scenarios";

/// The words for kinds of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficWord {
    /// Prompts in, text out.
    TextToText,
    /// Images and a question in, text out.
    ImageTextToText,
    /// Texts in, vectors out.
    TextToEmbeddings,
    /// A query and documents in, their order out.
    TextToRerank,
}

/// The words for endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointWord {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/completion`, llama.cpp's own.
    #[serde(rename = "llamacpp")]
    LlamaCpp,
    /// `/generate_stream`, of Text Generation Inference.
    Tgi,
    /// `/v1/embeddings`
    Embeddings,
    /// `/v1/rerank`
    Rerank,
}

impl Words for TrafficWord {
    const WHAT: &'static str = "benchmark task";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("text-to-text", Self::TextToText),
        ("image-text-to-text", Self::ImageTextToText),
        ("text-to-embeddings", Self::TextToEmbeddings),
        ("text-to-rerank", Self::TextToRerank),
    ];
    const ADVICE: &'static [(&'static str, &'static str)] = &[
        ("image-to-embeddings", "images cannot be embedded yet"),
        ("text-to-speech", "sound is not measured"),
        ("video-text-to-text", "videos cannot be sent yet"),
    ];
}

impl Words for EndpointWord {
    const WHAT: &'static str = "endpoint";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("chat", Self::Chat),
        ("completions", Self::Completions),
        ("llamacpp", Self::LlamaCpp),
        ("tgi", Self::Tgi),
        ("embeddings", Self::Embeddings),
        ("rerank", Self::Rerank),
    ];
    const ALIASES: &'static [(&'static str, Self)] = &[("llama.cpp", Self::LlamaCpp)];
}

impl From<EndpointWord> for Api {
    fn from(word: EndpointWord) -> Self {
        match word {
            EndpointWord::Chat => Self::Chat,
            EndpointWord::Completions => Self::Completions,
            EndpointWord::LlamaCpp => Self::LlamaCpp,
            EndpointWord::Tgi => Self::Tgi,
            EndpointWord::Embeddings => Self::Embeddings,
            EndpointWord::Rerank => Self::Rerank,
        }
    }
}

impl TrafficWord {
    /// The API that such traffic asks where nothing else is said.
    fn api(self) -> Api {
        match self {
            Self::TextToText | Self::ImageTextToText => Api::Chat,
            Self::TextToEmbeddings => Api::Embeddings,
            Self::TextToRerank => Api::Rerank,
        }
    }

    fn suits(self, api: Api) -> bool {
        match self {
            Self::TextToText => api.answers_with_text(),
            Self::ImageTextToText | Self::TextToEmbeddings | Self::TextToRerank => api == self.api(),
        }
    }

    fn as_str(self) -> &'static str {
        let word = Self::WORDS.iter().find(|(_, word)| *word == self);
        word.map_or("", |(word, _)| word)
    }
}

/// Lengths where none are given.
pub(super) fn usual_scenario(
    traffic: Option<TrafficWord>,
    endpoint: Option<EndpointWord>,
    has_data_set: bool,
) -> &'static str {
    let api = endpoint.map(Api::from).or(traffic.map(TrafficWord::api));
    match (api, traffic) {
        (Some(Api::Rerank), _) => "R(100,20)",
        _ if has_data_set => "dataset",
        (Some(Api::Embeddings), _) => "E(100)",
        (_, Some(TrafficWord::ImageTextToText)) => "I(512,512)",
        _ => "D(100,100)",
    }
}

/// The API that is asked, and whether all of the document agrees on it.
pub(super) fn api(
    traffic: Option<TrafficWord>,
    endpoint: Option<EndpointWord>,
    scenarios: &[(usize, Scenario)],
    findings: &Findings,
) -> Api {
    let of_traffic = || traffic.map(TrafficWord::api);
    let of_scenarios = || scenarios.iter().find_map(|(_, scenario)| scenario.api());
    let api = endpoint.map(Api::from);
    let api = api.or_else(of_traffic).or_else(of_scenarios).unwrap_or(Api::Chat);
    if let Some(traffic) = traffic.filter(|traffic| !traffic.suits(api)) {
        let message = format!("{api} is not asked for {}", traffic.as_str());
        let problem = Problem::new("benchmark.endpoint", message);
        findings.refuse(problem.with_hint("leave out benchmark.endpoint or benchmark.task"));
    } else {
        for (index, scenario) in scenarios.iter().filter(|(_, scenario)| !scenario.suits(api)) {
            let message = format!("{scenario} cannot be asked of {api}");
            let hint = match scenario.api() {
                Some(other) => format!("set benchmark.endpoint to {other}, and give it a task of its own"),
                None => "use E(tokens) for embeddings and R(document,query) for rerank".to_owned(),
            };
            findings.refuse(Problem::new(format!("{SCENARIOS}[{index}]"), message).with_hint(hint));
        }
    }
    api
}

/// The scenarios, each with its place in the list.
pub(super) fn scenarios(texts: &[String], findings: &Findings) -> Vec<(usize, Scenario)> {
    if texts.is_empty() {
        let problem = Problem::new(SCENARIOS, "the list is empty; at least one scenario is needed");
        findings.refuse(problem.with_hint("for example [\"D(100,100)\"]"));
    }
    let mut scenarios: Vec<(usize, Scenario)> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let path = format!("{SCENARIOS}[{index}]");
        match text.parse::<Scenario>() {
            Ok(scenario) => {
                let is_known = || scenarios.iter().any(|(_, known)| *known == scenario);
                if index < MOST_LEVELS && is_known() {
                    let message = format!("{scenario} is listed before; it is measured again");
                    findings.warn(Problem::new(path, message));
                }
                scenarios.push((index, scenario));
            }
            Err(error) => findings.refuse(Problem::new(path, error.to_string())),
        }
    }
    scenarios
}

/// The numbers of requests in flight.
pub(super) fn concurrency(numbers: &[u32], findings: &Findings) -> Vec<u32> {
    let path = "benchmark.num_concurrency";
    if numbers.is_empty() {
        let problem = Problem::new(path, "the list is empty; at least one concurrency is needed");
        findings.refuse(problem.with_hint("for example [1, 8]"));
    }
    for (index, number) in numbers.iter().enumerate() {
        let path = format!("{path}[{index}]");
        rules::at_least_one(&path, *number, findings);
        if *number > MOST_CONCURRENCY {
            let message = format!("is {number}; at most {MOST_CONCURRENCY}");
            findings.refuse(Problem::new(path.as_str(), message));
        }
        if index < MOST_LEVELS && numbers[..index].contains(number) {
            let message = format!("{number} is listed before; it is measured again");
            findings.warn(Problem::new(path, message));
        }
    }
    numbers.to_vec()
}
