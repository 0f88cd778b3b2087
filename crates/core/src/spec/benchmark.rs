//! What the benchmark sends, and how much of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::arrival::{self, ArrivalSpec, FirstWaveWord};
use super::content::{self, ConversationSpec, SharingSpec};
use super::findings::Findings;
use super::read::Node;
use super::rules;
use super::traffic::{self, EndpointWord, MOST_LEVELS, TrafficWord};
use crate::problem::Problem;
use crate::workload::{Arrival, FirstWave, Sources, Workload};

const USUAL_SECONDS_PER_LEVEL: f64 = 30.0;
const USUAL_REQUESTS_PER_LEVEL: u32 = 50;
const USUAL_WARMUP_REQUESTS: u32 = 2;
/// Time for the last answers of a level, in seconds.
pub(crate) const USUAL_DRAIN_SECONDS: f64 = 30.0;
const USUAL_REQUEST_TIMEOUT_SECONDS: f64 = 60.0;

/// Longest warm-up of one level: enough for a first compilation, too short to hide a hang.
pub(crate) const MOST_WARMUP: Duration = Duration::from_secs(60);

/// Most requests in flight where they start by a clock and the document does not say.
const USUAL_MOST_IN_FLIGHT: u32 = 256;

/// Requests of one level at most; their prompts are made before the level begins.
const MOST_REQUESTS: u32 = 1_000_000;

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
const RESERVED_KEYS: [&str; 15] = [
    "model",
    "messages",
    "prompt",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "ignore_eos",
    "n_predict",
    "max_new_tokens",
    "inputs",
    "parameters",
    "input",
    "query",
    "documents",
];

/// What the benchmark sends. One level is one scenario at one concurrency.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BenchmarkSpec {
    /// Kind of traffic; what the endpoint and the scenarios say when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TrafficWord>,
    /// Name under which requests ask for the model; `model.id_or_path` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// Tokenizer of the model, a hub id or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_tokenizer: Option<String>,
    /// Prompt and answer lengths in tokens: `D(in,out)`, `N(mean,sd)/(mean,sd)`,
    /// `U(min,max)/(min,max)`, `P(prefix,suffix)/out`; `E(tokens)` for embeddings,
    /// `R(document,query)` for rerank, `I(width,height,count)` for images; `dataset` for the
    /// entries of a data set as they are. `["D(100,100)"]` when absent, `["dataset"]` with a
    /// data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_scenarios: Option<Vec<String>>,
    /// Numbers of requests in flight at once; `[1]` when absent. Where requests start by a
    /// clock, the greatest of them is the most that may be in flight; 256 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_concurrency: Option<Vec<u32>>,
    /// Longest measuring time of one level, in seconds (not minutes); 30 when absent, or as
    /// long as the stages of `arrival` last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_time_per_iteration: Option<f64>,
    /// Most measured requests of one level; 50 when absent, or enough for the time where
    /// requests start by a clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_requests_per_iteration: Option<u32>,
    /// Further keys of each request, such as `temperature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_params: Option<Map<String, Value>>,
    /// Which API is asked; what `task` and the scenarios need when absent, `chat` as a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointWord>,
    /// When requests start; a closed loop when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<ArrivalSpec>,
    /// How the first requests of a closed loop start; `spread` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_wave: Option<FirstWaveWord>,
    /// Prompts that share their beginnings; none do when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_sharing: Option<SharingSpec>,
    /// Requests that follow each other; each stands alone when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationSpec>,
    /// Documents of one request for embeddings or rerank; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub batch_size: Option<u32>,
    /// One weight a level, scenario by scenario and in each from the first to the last
    /// concurrency or rate; all equal when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_weights: Option<Vec<f64>>,
    /// End a level before its time once what is scored, and the mean of what is bounded, is known to this ratio (0.02 is two
    /// per cent), as far as the level's own ups and downs tell; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    /// Where prompts come from: `https://…`, `file://…` or a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_url: Option<String>,
    /// Whether a prompt that the data set holds twice is used once; true when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_deduplicate: Option<bool>,
    /// Opens every prompt with words that follow from this number, so that a server which was
    /// asked the same before finds nothing in its cache; nothing is added when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<u64>,
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
        first_wave: fields.take("first_wave", Node::word),
        prefix_sharing: fields.take("prefix_sharing", content::read_sharing),
        conversation: fields.take("conversation", content::read_conversation),
        batch_size: fields.take("batch_size", Node::whole),
        level_weights: fields.take("level_weights", |node| node.list(Node::real)),
        precision: fields.take("precision", Node::real),
        dataset_url: fields.take("dataset_url", Node::text),
        dataset_deduplicate: fields.take("dataset_deduplicate", Node::flag),
        salt: fields.take("salt", Node::whole),
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
        let scenarios = match &self.traffic_scenarios {
            Some(texts) => traffic::scenarios(texts, findings),
            None => {
                let has_data_set = self.dataset_url.is_some();
                let usual = traffic::usual_scenario(self.task, self.endpoint, has_data_set);
                traffic::scenarios(&[usual.to_owned()], findings)
            }
        };
        let api = traffic::api(self.task, self.endpoint, &scenarios, findings);
        let scenarios: Vec<_> = scenarios.into_iter().map(|(_, scenario)| scenario).collect();
        let (arrival, trace) = match &self.arrival {
            Some(arrival) => arrival.resolve(findings),
            None => (Arrival::Closed, None),
        };
        let usual_concurrency = match arrival {
            Arrival::Closed => 1,
            _ => USUAL_MOST_IN_FLIGHT,
        };
        let usual_concurrency = [usual_concurrency];
        let concurrency = self.num_concurrency.as_deref().unwrap_or(&usual_concurrency);
        let usual_seconds = staged(&arrival).unwrap_or(USUAL_SECONDS_PER_LEVEL);
        let seconds = self.max_time_per_iteration.unwrap_or(usual_seconds);
        self.warn_of_unsent_stages(&arrival, seconds, findings);
        let workload = Workload {
            api,
            concurrency: traffic::concurrency(concurrency, findings),
            first_wave: self.first_wave.map_or_else(FirstWave::default, FirstWave::from),
            content: content::resolve(self, &scenarios, api, findings),
            sources: Sources {
                dataset: content::dataset(self, &scenarios, findings),
                trace,
            },
            scenarios,
            max_time_per_level: rules::seconds("benchmark.max_time_per_iteration", seconds, findings),
            max_requests_per_level: rules::at_least_one(
                "benchmark.max_requests_per_iteration",
                self.max_requests_per_iteration
                    .unwrap_or_else(|| usual_requests(&arrival, seconds)),
                findings,
            ),
            arrival,
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
            order: Vec::new(),
            precision: None,
            additional_params: self.additional_params.clone().unwrap_or_default(),
        };
        self.check_counts(findings);
        self.check_request_keys(findings);
        self.check_names(findings);
        self.check_levels(workload.level_count(), findings);
        workload
    }

    /// Stages that the window is too short for.
    fn warn_of_unsent_stages(&self, arrival: &Arrival, seconds: f64, findings: &Findings) {
        if let Some(lasts) = staged(arrival).filter(|lasts| *lasts > seconds) {
            let message = format!("a level measures for {seconds} seconds, but its stages last {lasts}");
            let problem = Problem::new("benchmark.max_time_per_iteration", message);
            findings.warn(problem.with_hint("leave it out to measure them all"));
        }
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
        ];
        for (path, name) in names {
            if let Some(name) = name {
                rules::argument(path, name, findings);
            }
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
        let counted = ["traffic_scenarios", "num_concurrency", "arrival"];
        let is_counted = !counted
            .iter()
            .any(|key| findings.is_spoilt(&format!("benchmark.{key}")));
        if is_counted && weights.len() != levels {
            let message = format!("has {} weights, but there are {levels} levels", weights.len());
            let hint = "a level is one scenario at one concurrency: give each its weight, or leave level_weights out";
            findings.refuse(Problem::new(path, message).with_hint(hint));
        } else if !weights.is_empty() && weights.iter().all(|weight| *weight == 0.0) {
            findings.refuse(Problem::new(path, "all weights are 0, so no level would count"));
        }
    }
}

/// How long stages last, in seconds; a trace that has still to be read says nothing of it.
fn staged(arrival: &Arrival) -> Option<f64> {
    let lasts = match arrival {
        Arrival::Stages { .. } => arrival.lasts(),
        _ => None,
    };
    let seconds = lasts.map(|lasts| lasts.as_secs_f64());
    seconds.filter(|seconds| *seconds > 0.0)
}

/// Requests that are enough for the time: those that the clock starts, and half as many again
/// for chance.
fn usual_requests(arrival: &Arrival, seconds: f64) -> u32 {
    let highest = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    let rate = match arrival {
        Arrival::Closed => return USUAL_REQUESTS_PER_LEVEL,
        Arrival::Trace { .. } => return MOST_REQUESTS,
        Arrival::Constant { rates } | Arrival::Poisson { rates } | Arrival::Gamma { rates, .. } => {
            highest(rates)
        }
        Arrival::Stages { stages } => stages.iter().map(|stage| stage.rate).fold(0.0, f64::max),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest whole number that there is"
    )]
    let requests = (rate * seconds * 1.5).ceil() as u32;
    requests.clamp(USUAL_REQUESTS_PER_LEVEL, MOST_REQUESTS)
}
