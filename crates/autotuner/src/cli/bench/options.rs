//! What can be asked of a benchmark, as words of the command line, and what it comes to.

mod asked;
mod command;
mod search;

use std::path::PathBuf;

use autotuner_core::workload::Scenario;
use clap::ValueEnum;

pub(super) use self::asked::Asked;
use self::asked::{Arrived, arrival};
pub(super) use self::search::{Find, Search};

/// What is measured, and where the results go.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Address of the server, without /v1
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "selftest",
        requires = "model"
    )]
    pub(super) url: Option<String>,
    /// The model name to ask for
    #[arg(long, required_unless_present = "selftest")]
    pub(super) model: Option<String>,
    /// What to ask, from a task document or its benchmark section, YAML or JSON; flags go before it
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// Prompt and answer lengths in tokens: D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max),
    /// P(prefix,suffix)/out, or dataset; may be given several times [default: D(100,100), or
    /// dataset where there is one]
    #[arg(long = "scenario", value_name = "SCENARIO")]
    scenarios: Vec<Scenario>,
    /// Where prompts come from: a file or an address of ShareGPT JSON, JSON lines, CSV or plain
    /// lines
    #[arg(long, value_name = "FILE|URL")]
    dataset: Option<String>,
    /// Requests in flight at once; may be given several times [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    concurrency: Vec<u32>,
    /// When requests start: closed, constant:RATE, poisson:RATE, gamma:RATE:BURSTINESS,
    /// stages:RATExSECONDS,... or trace:FILE; rates are requests a second. A list of rates (10,20)
    /// is a level each; --concurrency is then the most in flight [default there: 1024]
    #[arg(long, value_name = "ARRIVAL", value_parser = arrival)]
    arrival: Option<Arrived>,
    /// How the first requests of a closed loop start [default: spread]
    #[arg(long, value_enum)]
    first_wave: Option<FirstWaveWord>,
    /// Most requests a level [default: 50; enough for the time where requests start by a clock; 10
    /// for each in flight, at least 200, with --find]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_requests: Option<u32>,
    /// Longest measuring time of a level, seconds [default: 30, or as long as its stages]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    max_time: Option<f64>,
    /// Which API to ask [default: chat, or what the scenario needs]
    #[arg(long, value_enum)]
    api: Option<ApiWord>,
    /// Requests sent before a level is measured, at least one round of its concurrency; 0 for none
    /// [default: 2]
    #[arg(long, value_name = "N")]
    warmup: Option<u32>,
    /// Seed of prompts and lengths [default: a new one each time, so that no prompt finds itself
    /// in the server's cache]
    #[arg(long)]
    seed: Option<u64>,
    /// Opens every prompt with other words and changes nothing else: for the same seed once more
    /// on a server that caches prompts
    #[arg(long, value_name = "NUMBER")]
    salt: Option<u64>,
    /// A further key of each request body, for example temperature=0; may be given several times
    #[arg(long = "param", value_name = "KEY=JSON", value_parser = parameter)]
    parameters: Vec<(String, serde_json::Value)>,
    /// File that holds the API key, sent as a bearer token
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) api_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) find: Find,
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
    /// Put the same load on a server of our own that knows the truth, and tell how far the
    /// figures are from it; before the server at --url if there is one, whose results then carry
    /// what was found
    #[arg(long)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::workload::{Arrival, FirstWave};
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

    fn asked(line: &str) -> Asked {
        options(line)
            .asked()
            .unwrap_or_else(|_| panic!("{line} is refused"))
    }

    #[test]
    fn a_command_line_can_be_repeated_without_its_secrets() {
        let check = |line: &str, expected: &str| {
            let options = options(&format!(
                "--url http://user:sesame@host:8/x?token=sesame {line} --seed 7"
            ));
            let asked = options.asked().unwrap_or_else(|_| panic!("{line} is refused"));
            let line = options.command(&asked.workload);
            assert_eq!(line, format!("autotuner bench --url http://host:8/x {expected}"));
        };
        check(
            "--model a'b --scenario D(1,2) --concurrency 1 --concurrency 4 --param stop=[\"a\"] --api completions \
             --max-time 2.5 --html x.html",
            r#"--model 'a'\''b' --scenario 'D(1,2)' --concurrency 1 --concurrency 4 --max-requests 50 --max-time 2.5 --api completions --warmup 2 --seed 7 --param 'stop=["a"]'"#,
        );
        check(
            "--model m --arrival poisson:2 --first-wave together --salt 4 --dataset http://me:pw@h/set.csv?key=1",
            "--model m --dataset http://h/set.csv --scenario dataset --concurrency 1024 --arrival poisson:2 --first-wave \
             together --max-requests 90 --max-time 30 --api chat --warmup 2 --seed 7 --salt 4",
        );
        check(
            "--model m --find concurrency --slo ttft=0.5 --slo e2e:p90<=2s --to 64",
            "--model m --seed 7 --find concurrency --slo ttft=0.5 --slo 'e2e:p90<=2s' --to 64 --resolution 0.05",
        );
    }

    #[test]
    fn what_is_asked_is_the_workload() {
        let plain = asked("--url u --model m --seed 3 --param temperature=0 --max-requests 9").workload;
        assert_eq!((plain.seed, plain.max_requests_per_level), (3, 9));
        assert_eq!(plain.additional_params["temperature"], 0);
        assert_eq!(plain.content.salt, None);
        assert_eq!(asked("--url u --model m --salt 2").workload.content.salt, Some(2));
        assert_eq!(plain.concurrency, [1]);
        assert_eq!(plain.scenarios.len(), 1);
        let scheduled = asked("--url u --model m --arrival poisson:10,20 --first-wave together").workload;
        let rates = vec![10.0, 20.0];
        assert_eq!(scheduled.arrival, Arrival::Poisson { rates });
        assert_eq!(
            (scheduled.concurrency, scheduled.first_wave),
            (vec![asked::MOST_SCHEDULED], FirstWave::Together)
        );
        let recorded = asked("--url u --model m --arrival trace:t.jsonl --dataset s.csv").workload;
        let places = [recorded.sources.trace, recorded.sources.dataset];
        let places = places.map(|source| source.expect("a source").place);
        assert_eq!(places, ["t.jsonl", "s.csv"]);
        assert_eq!(recorded.scenarios, [Scenario::DataSet]);
        let embeddings = asked("--url u --model m --scenario E(10)").workload;
        assert_eq!(embeddings.api, autotuner_core::workload::Api::Embeddings);
    }

    #[test]
    fn a_search_has_bounds_and_looks_with_seeds_of_their_own() {
        let Asked { workload, search } =
            asked("--url u --model m --seed 3 --find concurrency --slo ttft=0.5 --slo p99.latency=2 --to 64");
        let search = search.expect("a search");
        assert_eq!((search.from, search.to, search.bounds.len()), (1.0, 64.0, 2));
        let look = search.look(&workload, 48.0, 5);
        assert_eq!((look.concurrency.as_slice(), look.seed), (&[48][..], 8));
        assert_eq!(look.max_requests_per_level, 480);
        assert_eq!(look.arrival, Arrival::Closed);
        let Asked { workload, search } = asked(
            "--url u --model m --arrival constant:1 --find rate --slo ttft=0.5 --max-time 10 --from 0.5",
        );
        let search = search.expect("a search");
        let look = search.look(&workload, 40.5, 0);
        assert_eq!(look.arrival, Arrival::Constant { rates: vec![40.5] });
        assert_eq!(look.concurrency, [asked::MOST_SCHEDULED]);
        assert_eq!(look.max_requests_per_level, 608);
        assert!(asked("--url u --model m").search.is_none());
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_flag() {
        let check = |line: &str, part: &str| {
            let told = match options(&format!("--url u --model m {line}")).asked() {
                Err(crate::cli::Refusal::Error(error)) => format!("{error:#}"),
                Err(crate::cli::Refusal::Problems { of, problems }) => format!("{of}: {}", problems[0]),
                _ => panic!("{line} is not refused"),
            };
            assert!(told.contains(part), "{line}: {told}");
        };
        check("--find concurrency", "give --slo");
        check("--find rate --slo ttft", "--slo: slo: \"ttft\" says no bound");
        check(
            "--find concurrency --slo ttft=1 --concurrency 4",
            "--from and --to",
        );
        check("--find concurrency --slo ttft=1 --from 1.5", "--from 1.5");
        check("--find rate --slo ttft=1 --to 0", "--to 0");
        check(
            "--find rate --slo ttft=1 --from 9 --to 8",
            "--from 9 is above --to 8",
        );
        check("--find rate --slo ttft=1 --to 200000", "--arrival");
        check("--find rate --slo ttft=1 --resolution 2", "--resolution 2");
        check("--find rate --slo ttft=1 --arrival stages:1x1", "--arrival");
        check(
            "--find concurrency --slo ttft=1 --arrival poisson:1",
            "--find rate",
        );
        check(
            "--find concurrency --slo ttft=1 --scenario D(1,2) --scenario D(2,2)",
            "one --scenario",
        );
        check("--find concurrency --slo tpot=1 --scenario D(1,1)", "D(1,1)");
        check(
            "--find concurrency --slo ttft=1 --max-requests 100",
            "2048 at least",
        );
        check("--scenario dataset", "--dataset");
        check("--dataset ftp://x/y", "--dataset: data sets are not fetched");
        check("--scenario E(10) --api chat", "--scenario: E(10) cannot be asked");
        check("--workload nowhere.yaml", "cannot read --workload nowhere.yaml");
    }

    #[test]
    fn a_server_is_named_unless_it_is_our_own() {
        let refused = |line: &str| {
            let words = std::iter::once("bench").chain(line.split_whitespace());
            Line::try_parse_from(words).expect_err(line).to_string()
        };
        assert!(refused("--url u").contains("--model"));
        assert!(refused("--model m").contains("--url"));
        assert!(refused("--selftest --url u").contains("--model"));
        assert!(refused("--selftest --selftest-itl-ms=-1").contains("milliseconds"));
        assert!(options("--selftest").selftest.selftest);
    }
}
