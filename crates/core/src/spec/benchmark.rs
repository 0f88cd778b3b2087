//! What the benchmark sends, and how much of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::arrival::{self, ArrivalSpec};
use super::findings::Findings;
use super::read::{Node, Words};
use super::rules;
use crate::problem::Problem;
use crate::workload::{Api, Scenario, Workload};

const USUAL_SCENARIO: &str = "D(100,100)";
const USUAL_SECONDS_PER_LEVEL: f64 = 30.0;
const USUAL_REQUESTS_PER_LEVEL: u32 = 50;
const USUAL_WARMUP_REQUESTS: u32 = 2;
/// Time for the last answers of a level, in seconds.
pub(crate) const USUAL_DRAIN_SECONDS: f64 = 30.0;
const USUAL_REQUEST_TIMEOUT_SECONDS: f64 = 60.0;

/// Longest warm-up of one level: enough for a first compilation, too short to hide a hang.
pub(crate) const MOST_WARMUP: Duration = Duration::from_secs(60);

/// Requests in flight at once at most: one machine has no more ports for one endpoint.
const MOST_CONCURRENCY: u32 = 60_000;

/// Requests of one level at most; their prompts are made before the level begins.
const MOST_REQUESTS: u32 = 1_000_000;

/// Levels of one benchmark at most.
const MOST_LEVELS: usize = 1_000;

/// Request keys that are numbers; older documents write them as text.
const NUMERIC_KEYS: [&str; 12] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "repeat_penalty",
    "length_penalty",
    "seed",
    "n",
];

/// Request keys that the benchmark sets itself.
const RESERVED_KEYS: [&str; 8] = [
    "model",
    "messages",
    "prompt",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "ignore_eos",
];

/// What the benchmark sends. One level is one scenario at one concurrency.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BenchmarkSpec {
    /// Kind of traffic; `text-to-text`, the only one so far, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TrafficWord>,
    /// Name under which requests ask for the model; `model.id_or_path` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// Tokenizer of the model, a hub id or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_tokenizer: Option<String>,
    /// Prompt and answer lengths in tokens: `D(in,out)`, `N(mean,sd)/(mean,sd)`,
    /// `U(min,max)/(min,max)`; `["D(100,100)"]` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_scenarios: Option<Vec<String>>,
    /// Numbers of requests in flight at once; `[1]` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_concurrency: Option<Vec<u32>>,
    /// Longest measuring time of one level, in seconds (not minutes); 30 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_time_per_iteration: Option<f64>,
    /// Most measured requests of one level; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_requests_per_iteration: Option<u32>,
    /// Further keys of each request, such as `temperature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_params: Option<Map<String, Value>>,
    /// Which OpenAI-compatible API is asked; `chat` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointWord>,
    /// When requests start; a closed loop when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<ArrivalSpec>,
    /// One weight a level, scenario by scenario and in each from the first to the last
    /// concurrency; all equal when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_weights: Option<Vec<f64>>,
    /// Where prompts come from: `https://…`, `file://…` or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_url: Option<String>,
    /// Whether a prompt that the data set holds twice is used once; true when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_deduplicate: Option<bool>,
    /// Requests sent and not measured before each level, raised to the level's concurrency
    /// so that every slot is warm; 2 when absent. 0 measures a cold engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_requests: Option<u32>,
    /// How long requests that are open at the end of a level may still take, in seconds;
    /// 30 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_seconds: Option<f64>,
    /// Longest silence inside one request, in seconds; 60 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout_seconds: Option<f64>,
}

/// The words for kinds of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficWord {
    /// Prompts in, text out.
    TextToText,
}

/// The words for endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointWord {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
}

impl Words for TrafficWord {
    const WHAT: &'static str = "benchmark task";
    const WORDS: &'static [(&'static str, Self)] = &[("text-to-text", Self::TextToText)];
}

impl Words for EndpointWord {
    const WHAT: &'static str = "endpoint";
    const WORDS: &'static [(&'static str, Self)] =
        &[("chat", Self::Chat), ("completions", Self::Completions)];
}

/// Reads the `benchmark` object.
pub(super) fn read(node: &Node<'_>) -> Option<BenchmarkSpec> {
    node.object(|fields| BenchmarkSpec {
        task: fields.take("task", Node::word),
        model_name: fields.take("model_name", Node::text),
        model_tokenizer: fields.take("model_tokenizer", Node::text),
        traffic_scenarios: fields.take("traffic_scenarios", |node| node.list(Node::text)),
        num_concurrency: fields.take("num_concurrency", |node| node.list(Node::whole)),
        max_time_per_iteration: fields.take("max_time_per_iteration", Node::real),
        max_requests_per_iteration: fields.take("max_requests_per_iteration", Node::whole),
        additional_params: fields.take("additional_params", |node| node.free_object().map(with_numbers)),
        endpoint: fields.take("endpoint", Node::word),
        arrival: fields.take("arrival", arrival::read),
        level_weights: fields.take("level_weights", |node| node.list(Node::real)),
        dataset_url: fields.take("dataset_url", Node::text),
        dataset_deduplicate: fields.take("dataset_deduplicate", Node::flag),
        warmup_requests: fields.take("warmup_requests", Node::whole),
        drain_seconds: fields.take("drain_seconds", Node::real),
        request_timeout_seconds: fields.take("request_timeout_seconds", Node::real),
    })
}

/// The same keys, with numbers where older documents wrote them as text.
fn with_numbers(params: &Map<String, Value>) -> Map<String, Value> {
    let as_number = |text: &str| match text.parse::<i64>() {
        Ok(whole) => Some(Number::from(whole)),
        Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64),
    };
    params
        .iter()
        .map(|(key, value)| {
            let number = value
                .as_str()
                .filter(|_| NUMERIC_KEYS.contains(&key.as_str()))
                .and_then(as_number);
            (key.clone(), number.map_or_else(|| value.clone(), Value::Number))
        })
        .collect()
}

impl BenchmarkSpec {
    /// The checked workload, drawn from this seed.
    pub(super) fn resolve(&self, seed: u64, findings: &Findings) -> Workload {
        let usual_scenarios = [USUAL_SCENARIO.to_owned()];
        let scenarios = scenarios(
            self.traffic_scenarios.as_deref().unwrap_or(&usual_scenarios),
            findings,
        );
        let concurrency = concurrency(self.num_concurrency.as_deref().unwrap_or(&[1]), findings);
        let workload = Workload {
            api: match self.endpoint.unwrap_or(EndpointWord::Chat) {
                EndpointWord::Chat => Api::Chat,
                EndpointWord::Completions => Api::Completions,
            },
            scenarios,
            concurrency,
            max_time_per_level: rules::seconds(
                "benchmark.max_time_per_iteration",
                self.max_time_per_iteration.unwrap_or(USUAL_SECONDS_PER_LEVEL),
                findings,
            ),
            max_requests_per_level: rules::at_least_one(
                "benchmark.max_requests_per_iteration",
                self.max_requests_per_iteration
                    .unwrap_or(USUAL_REQUESTS_PER_LEVEL),
                findings,
            ),
            drain: rules::seconds_or_none(
                "benchmark.drain_seconds",
                self.drain_seconds.unwrap_or(USUAL_DRAIN_SECONDS),
                findings,
            ),
            warmup_requests: self.warmup_requests.unwrap_or(USUAL_WARMUP_REQUESTS),
            max_warmup: MOST_WARMUP,
            request_timeout: rules::seconds(
                "benchmark.request_timeout_seconds",
                self.request_timeout_seconds
                    .unwrap_or(USUAL_REQUEST_TIMEOUT_SECONDS),
                findings,
            ),
            seed,
            additional_params: self.additional_params.clone().unwrap_or_default(),
        };
        self.check_counts(findings);
        self.check_request_keys(findings);
        self.check_names(findings);
        self.check_levels(workload.level_count(), findings);
        workload
    }

    /// Parts that are understood and cannot be run yet.
    pub(super) fn not_built(&self) -> Vec<Problem> {
        let arrival = self.arrival.as_ref().and_then(ArrivalSpec::not_built);
        let dataset = self.dataset_url.as_ref().map(|_| {
            Problem::new(
                "benchmark.dataset_url",
                "a data set is understood but cannot be sent yet",
            )
            .with_hint("leave it out: prompts are then made to the lengths of traffic_scenarios")
        });
        arrival.into_iter().chain(dataset).collect()
    }

    fn check_counts(&self, findings: &Findings) {
        let counts = [
            ("max_requests_per_iteration", self.max_requests_per_iteration),
            ("warmup_requests", self.warmup_requests),
        ];
        for (key, count) in counts {
            if let Some(count) = count.filter(|count| *count > MOST_REQUESTS) {
                let message = format!("is {count}; at most {MOST_REQUESTS}");
                findings.refuse(Problem::new(format!("benchmark.{key}"), message));
            }
        }
    }

    fn check_request_keys(&self, findings: &Findings) {
        let given = self.additional_params.iter().flat_map(Map::keys);
        for key in given.filter(|key| RESERVED_KEYS.contains(&key.as_str())) {
            let path = format!("benchmark.additional_params.{key}");
            let problem = Problem::new(path, "is set by the benchmark itself");
            findings.refuse(problem.with_hint("answer lengths come from traffic_scenarios"));
        }
        let answers = self.additional_params.as_ref().and_then(|params| params.get("n"));
        if let Some(answers) = answers.filter(|answers| answers.as_f64() != Some(1.0) && !answers.is_null()) {
            let message = format!("is {answers}; one answer a request is measured");
            let problem = Problem::new("benchmark.additional_params.n", message);
            findings.refuse(problem.with_hint("leave it out, and raise num_concurrency for more load"));
        }
    }

    fn check_names(&self, findings: &Findings) {
        let names = [
            ("benchmark.model_name", &self.model_name),
            ("benchmark.model_tokenizer", &self.model_tokenizer),
            ("benchmark.dataset_url", &self.dataset_url),
        ];
        for (path, name) in names {
            if let Some(name) = name {
                rules::argument(path, name, findings);
            }
        }
        let scheme = self.dataset_url.as_deref().and_then(|url| url.split_once("://"));
        if let Some((scheme, _)) = scheme.filter(|(scheme, _)| !["http", "https", "file"].contains(scheme)) {
            let message = format!("data sets are not fetched over \"{scheme}\"");
            findings.refuse(
                Problem::new("benchmark.dataset_url", message)
                    .with_hint("use https://, http://, file:// or a path"),
            );
        }
    }

    fn check_levels(&self, levels: usize, findings: &Findings) {
        if levels > MOST_LEVELS {
            let message = format!("scenarios and concurrencies make {levels} levels; at most {MOST_LEVELS}");
            findings.refuse(Problem::new("benchmark", message));
        }
        let Some(weights) = &self.level_weights else {
            return;
        };
        let path = "benchmark.level_weights";
        for (index, weight) in weights.iter().enumerate() {
            rules::not_negative(&format!("{path}[{index}]"), *weight, findings);
        }
        let is_counted = !findings.is_spoilt("benchmark.traffic_scenarios")
            && !findings.is_spoilt("benchmark.num_concurrency");
        if is_counted && weights.len() != levels {
            let message = format!("has {} weights, but there are {levels} levels", weights.len());
            let hint = "a level is one scenario at one concurrency: give each its weight, or leave level_weights out";
            findings.refuse(Problem::new(path, message).with_hint(hint));
        } else if !weights.is_empty() && weights.iter().all(|weight| *weight == 0.0) {
            findings.refuse(Problem::new(path, "all weights are 0, so no level would count"));
        }
    }
}

fn scenarios(texts: &[String], findings: &Findings) -> Vec<Scenario> {
    let path = "benchmark.traffic_scenarios";
    if texts.is_empty() {
        let problem = Problem::new(path, "the list is empty; at least one scenario is needed");
        findings.refuse(problem.with_hint("for example [\"D(100,100)\"]"));
    }
    let mut scenarios = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match text.parse::<Scenario>() {
            Ok(scenario) => {
                if index < MOST_LEVELS && scenarios.contains(&scenario) {
                    findings.warn(Problem::new(
                        path,
                        format!("{scenario} is listed before; it is measured again"),
                    ));
                }
                scenarios.push(scenario);
            }
            Err(error) => findings.refuse(Problem::new(path, error.to_string())),
        }
    }
    scenarios
}

fn concurrency(numbers: &[u32], findings: &Findings) -> Vec<u32> {
    let path = "benchmark.num_concurrency";
    if numbers.is_empty() {
        let problem = Problem::new(path, "the list is empty; at least one concurrency is needed");
        findings.refuse(problem.with_hint("for example [1, 8]"));
    }
    for (index, number) in numbers.iter().enumerate() {
        let path = format!("{path}[{index}]");
        rules::at_least_one(&path, *number, findings);
        if *number > MOST_CONCURRENCY {
            findings.refuse(Problem::new(
                path.as_str(),
                format!("is {number}; at most {MOST_CONCURRENCY}"),
            ));
        }
        if index < MOST_LEVELS && numbers[..index].contains(number) {
            findings.warn(Problem::new(
                path,
                format!("{number} is listed before; it is measured again"),
            ));
        }
    }
    numbers.to_vec()
}
