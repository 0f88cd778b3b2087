//! What can be asked of a benchmark, as words of the command line, and what it comes to.

use std::path::PathBuf;
use std::time::Duration;

use autotuner_core::workload::{Api, Arrival, ArrivalText, Content, FirstWave, Scenario, Sources, Workload};
use clap::ValueEnum;

use crate::clock::{Clock as _, SystemClock};
use crate::report::bench::without_secrets;
use crate::report::words::quoted;

/// Most requests in flight where requests start by a clock and nothing was said of it: far more
/// than a schedule that an engine keeps up with ever has.
const MOST_SCHEDULED: u32 = 1024;

/// What is measured, and where the results go.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Address of the server, without /v1
    #[arg(long, value_name = "URL", required_unless_present = "selftest")]
    pub(super) url: Option<String>,
    /// The model name to ask for
    #[arg(long, required_unless_present = "selftest")]
    pub(super) model: Option<String>,
    /// Prompt and answer lengths in tokens: D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max);
    /// may be given several times
    #[arg(long = "scenario", value_name = "SCENARIO", default_value = "D(100,100)")]
    scenarios: Vec<Scenario>,
    /// Requests in flight at once; may be given several times [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    concurrency: Vec<u32>,
    /// When requests start: closed, constant:RATE, poisson:RATE, gamma:RATE:BURSTINESS or
    /// stages:RATExSECONDS,...; rates are requests a second. A list of rates (10,20) is a level
    /// each; --concurrency is then the most in flight [default there: 1024]
    #[arg(long, value_name = "ARRIVAL", default_value = "closed", value_parser = arrival)]
    arrival: Arrived,
    /// How the first requests of a closed loop start
    #[arg(long, value_enum, default_value = "spread")]
    first_wave: FirstWaveWord,
    /// Most requests a level
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    max_requests: u32,
    /// Longest measuring time of a level, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    max_time: f64,
    /// Which API to ask
    #[arg(long, value_enum, default_value = "chat")]
    api: ApiWord,
    /// Requests sent before a level is measured, at least one round of its concurrency; 0 for none
    #[arg(long, value_name = "N", default_value_t = 2)]
    warmup: u32,
    /// Seed of prompts and lengths [default: a new one each time, so that no prompt finds itself
    /// in the server's cache]
    #[arg(long)]
    seed: Option<u64>,
    /// A further key of each request body, for example temperature=0; may be given several times
    #[arg(long = "param", value_name = "KEY=JSON", value_parser = parameter)]
    parameters: Vec<(String, serde_json::Value)>,
    /// File that holds the API key, sent as a bearer token
    #[arg(long, value_name = "FILE")]
    pub(super) api_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) results: Results,
    #[command(flatten)]
    pub(super) selftest: Selftest,
}

/// Where results go.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Results")]
pub(super) struct Results {
    /// Print the summary as JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,
    /// Write the results to a file
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// What --output writes, or what is printed where there is no --output [default: the summary]
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,
    /// With --format vllm: the arrays of every request, too
    #[arg(long, requires = "format")]
    pub(super) detailed: bool,
    /// Write a report for people: one page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write every request's record, one JSON object a line; packed if the name ends in .zst
    #[arg(long, value_name = "FILE")]
    pub(super) requests: Option<PathBuf>,
    /// Show plain lines, also on a terminal
    #[arg(long)]
    pub(super) no_live: bool,
}

/// The check of the load generator itself.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Check of the load generator itself")]
pub(super) struct Selftest {
    /// Put the same load on a server of our own that knows the truth, and print how far the
    /// figures are from it
    #[arg(long, conflicts_with_all = ["url", "api_key_file"])]
    pub(super) selftest: bool,
    /// Time to first token of that server, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 50.0, value_parser = milliseconds)]
    pub(super) selftest_ttft_ms: f64,
    /// Time between two tokens of that server, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20.0, value_parser = milliseconds)]
    pub(super) selftest_itl_ms: f64,
}

/// As what results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Our own summary, which `bench compare` reads
    Json,
    /// The result files of genai-bench: a folder, or one .json file of a single level
    GenaiBench,
    /// The result file of `vllm bench serve`: one JSON object a level
    Vllm,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ApiWord {
    /// /v1/chat/completions
    Chat,
    /// /v1/completions
    Completions,
    /// /completion, llama.cpp's own
    Llamacpp,
    /// /generate_stream, of Text Generation Inference
    Tgi,
    /// /v1/embeddings, for scenarios E(tokens)
    Embeddings,
    /// /v1/rerank, for scenarios R(document,query)
    Rerank,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FirstWaveWord {
    /// Out of step, as the warm-up has left them
    Spread,
    /// All at once
    Together,
}

/// Arrivals, and the text that asked for them.
#[derive(Debug, Clone)]
struct Arrived {
    text: String,
    arrival: Arrival,
}

fn arrival(text: &str) -> Result<Arrived, String> {
    match text.parse() {
        Ok(ArrivalText::Ready(arrival)) => Ok(Arrived {
            text: text.to_owned(),
            arrival,
        }),
        Ok(ArrivalText::Trace(_)) => {
            Err("traces are measured by tasks (benchmark.arrival); this command takes none yet".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.1 to 86400".into()),
    }
}

fn milliseconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(milliseconds) if (0.0..=600_000.0).contains(&milliseconds) => Ok(milliseconds),
        _ => Err("give milliseconds from 0 to 600000".into()),
    }
}

fn parameter(text: &str) -> Result<(String, serde_json::Value), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=JSON")?;
    let value = serde_json::from_str(value).map_err(|error| format!("the value is not JSON: {error}"))?;
    Ok((key.to_owned(), value))
}

impl Options {
    /// The load that is asked for, with a seed of its own where none is given.
    pub(super) fn workload(&self) -> Workload {
        Workload {
            api: match self.api {
                ApiWord::Chat => Api::Chat,
                ApiWord::Completions => Api::Completions,
                ApiWord::Llamacpp => Api::LlamaCpp,
                ApiWord::Tgi => Api::Tgi,
                ApiWord::Embeddings => Api::Embeddings,
                ApiWord::Rerank => Api::Rerank,
            },
            scenarios: self.scenarios.clone(),
            concurrency: self.concurrency(),
            arrival: self.arrival.arrival.clone(),
            first_wave: match self.first_wave {
                FirstWaveWord::Spread => FirstWave::Spread,
                FirstWaveWord::Together => FirstWave::Together,
            },
            max_time_per_level: Duration::from_secs_f64(self.max_time),
            max_requests_per_level: self.max_requests,
            drain: Duration::from_secs(30),
            warmup_requests: self.warmup,
            max_warmup: Duration::from_secs(60),
            request_timeout: Duration::from_secs(60),
            seed: self.seed.unwrap_or_else(|| SystemClock.now_ms().unsigned_abs()),
            content: Content::default(),
            sources: Sources::default(),
            additional_params: self.parameters.iter().cloned().collect(),
        }
    }

    /// Requests in flight: what was asked for, or what is usual.
    fn concurrency(&self) -> Vec<u32> {
        match (self.concurrency.as_slice(), &self.arrival.arrival) {
            ([], Arrival::Closed) => vec![1],
            ([], _) => vec![MOST_SCHEDULED],
            (asked, _) => asked.to_vec(),
        }
    }

    /// The command line that asks the same questions again, as a shell must be given it.
    pub(super) fn command(&self, seed: u64) -> String {
        let mut words = vec!["autotuner".to_owned(), "bench".into()];
        let mut add = |flag: &str, value: &str| {
            words.push(flag.into());
            words.push(quoted(value));
        };
        if let Some(url) = &self.url {
            add("--url", &without_secrets(url));
        }
        if let Some(model) = &self.model {
            add("--model", model);
        }
        for scenario in &self.scenarios {
            add("--scenario", &scenario.to_string());
        }
        for concurrency in self.concurrency() {
            add("--concurrency", &concurrency.to_string());
        }
        if self.arrival.arrival != Arrival::Closed {
            add("--arrival", &self.arrival.text);
        }
        if let Some(wave) = self.first_wave.to_possible_value()
            && !matches!(self.first_wave, FirstWaveWord::Spread)
        {
            add("--first-wave", wave.get_name());
        }
        add("--max-requests", &self.max_requests.to_string());
        add("--max-time", &self.max_time.to_string());
        if let Some(api) = self.api.to_possible_value() {
            add("--api", api.get_name());
        }
        add("--warmup", &self.warmup.to_string());
        add("--seed", &seed.to_string());
        for (key, value) in &self.parameters {
            add("--param", &format!("{key}={value}"));
        }
        if let Some(path) = &self.api_key_file {
            add("--api-key-file", &path.display().to_string());
        }
        if self.selftest.selftest {
            let Selftest {
                selftest: _,
                selftest_ttft_ms,
                selftest_itl_ms,
            } = &self.selftest;
            add("--selftest-ttft-ms", &selftest_ttft_ms.to_string());
            add("--selftest-itl-ms", &selftest_itl_ms.to_string());
            words.push("--selftest".into());
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(line: &str) -> Options {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Line::try_parse_from(words).expect(line).options
    }

    #[test]
    fn a_command_line_can_be_repeated_without_its_secrets() {
        let asked = options(
            "--url http://user:sesame@host:8/x?token=sesame --model a'b --scenario D(1,2) --concurrency 1 \
             --concurrency 4 --param stop=[\"a\"] --api completions --max-time 2.5 --html x.html",
        );
        let line = asked.command(7);
        assert_eq!(
            line,
            r#"autotuner bench --url http://host:8/x --model 'a'\''b' --scenario 'D(1,2)' --concurrency 1 --concurrency 4 --max-requests 50 --max-time 2.5 --api completions --warmup 2 --seed 7 --param 'stop=["a"]'"#
        );
    }

    #[test]
    fn what_is_asked_is_the_workload() {
        let asked = options("--url u --model m --seed 3 --param temperature=0 --max-requests 9").workload();
        assert_eq!((asked.seed, asked.max_requests_per_level), (3, 9));
        assert_eq!(asked.additional_params["temperature"], 0);
        assert_eq!(asked.concurrency, [1]);
        let scheduled = options("--url u --model m --arrival poisson:10,20 --first-wave together").workload();
        assert_eq!(
            scheduled.arrival,
            Arrival::Poisson {
                rates: vec![10.0, 20.0]
            }
        );
        assert_eq!(
            (scheduled.concurrency, scheduled.first_wave),
            (vec![MOST_SCHEDULED], FirstWave::Together)
        );
        assert_eq!(scheduled.scenarios.len(), 1);
    }

    #[test]
    fn a_server_is_named_unless_it_is_our_own() {
        let refused = |line: &str| {
            let words = std::iter::once("bench").chain(line.split_whitespace());
            Line::try_parse_from(words).expect_err(line).to_string()
        };
        assert!(refused("--url u").contains("--model"));
        assert!(refused("--model m").contains("--url"));
        assert!(refused("--selftest --url u").contains("--selftest"));
        assert!(refused("--selftest --selftest-itl-ms=-1").contains("milliseconds"));
        assert!(options("--selftest").selftest.selftest);
    }
}
