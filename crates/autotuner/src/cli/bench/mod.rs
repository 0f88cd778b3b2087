//! `autotuner bench`: measures a server that is already running, and compares what was measured.

mod compare;
mod find;
mod live;
mod measure;
mod options;
mod outputs;
mod selftest;
mod table;

use std::process::ExitCode;

use clap::Subcommand;

use self::options::Options;
use super::Refusal;
use crate::config::Config;

/// Load-test an OpenAI-compatible endpoint that is already running
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  autotuner bench --url http://127.0.0.1:8080 --model NAME
  autotuner bench --url http://127.0.0.1:8080 --model NAME --scenario 'D(100,128)' \\
       --concurrency 1 --concurrency 64 --max-requests 256 --max-time 60 --json
  autotuner bench --url http://127.0.0.1:8080 --model NAME --concurrency 1 --concurrency 8 \\
       --output before.json --html report.html --requests requests.jsonl.zst
  autotuner bench --url http://127.0.0.1:8080 --model NAME --format vllm --detailed -o vllm.json
  autotuner bench --url http://127.0.0.1:8080 --model NAME --arrival poisson:2,4,8 --max-time 60
  autotuner bench --url http://127.0.0.1:8080 --model NAME --dataset sharegpt.json --concurrency 16
  autotuner bench --url http://127.0.0.1:8080 --model NAME --workload task.yaml --arrival trace:trace.jsonl
  autotuner bench --url http://127.0.0.1:8080 --model NAME --find concurrency --slo p99.ttft=0.5 \\
       --slo tpot=50ms --to 256
  autotuner bench --url http://127.0.0.1:8080 --model NAME --find rate --slo p90.latency=5
  autotuner bench compare before.json after.json
  autotuner bench --selftest --concurrency 64     how exact are these figures on this machine?
  autotuner bench --selftest --url http://127.0.0.1:8080 --model NAME --concurrency 64

Exit codes: 0 a request succeeded (with --find, a load met the bounds), 1 none did, 2 it cannot be asked so, 130 cancelled"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Action {
    Compare(compare::Arguments),
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    match &arguments.action {
        Some(Action::Compare(arguments)) => compare::run(arguments),
        None => measure::run(&arguments.options, config),
    }
}
