//! `autotuner tune`: a whole task from a few flags.
//!
//! The one idea: the flags are handed to [`tune`](autotuner_core::tune), and the task that
//! comes back runs through the same session as a task file, or is printed as one. What is
//! chosen is chosen there; this looks at the machine and at nothing else.

use std::process::ExitCode;

use autotuner_core::engine::EngineKind;
use autotuner_core::problem::Problem;
use autotuner_core::task::DeploymentMode;
use autotuner_core::tune::{Hardware, Request, Tuning, tune};
use clap::ValueEnum;

use super::engines::programs_here;
use super::session::{self, Telling};
use super::{Refusal, print, say};
use crate::config::Config;
use crate::host::Host;
use crate::report::words::quoted;

/// Tune a model without writing a task file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Workloads, with the lengths of prompts and answers in tokens:
  chat       N(512,256)/(256,128)     conversations
  rag        N(3072,1024)/(256,128)   long prompts, short answers
  code       N(1024,512)/(512,256)    prompts and answers of medium length
  summarise  N(6144,2048)/(384,128)   whole documents in, a paragraph out
  batch      U(128,2048)/(64,1024)    requests of every size, many at once
  or lengths of your own: D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max)

Examples:
  autotuner tune any-name --engine sim --slo ttft=0.5 --budget 8
  autotuner tune models/small.gguf --objective ttft --concurrency 1,4
  autotuner tune Qwen/Qwen2.5-7B-Instruct --engine vllm --workload rag --slo p99.latency=8
  autotuner tune Qwen/Qwen2.5-7B-Instruct --gpus 2 --print > task.yaml
  autotuner tune m.gguf --set threads=4,8 --fix ubatch-size=128 --unset cache-type-k

In a Kubernetes cluster (docs/kubernetes.md), where MODEL is a hub id or a path in the pod:
  autotuner tune any-name --engine sim --mode kubernetes --cpus 1 --memory 512MiB
  autotuner tune Qwen/Qwen2.5-7B-Instruct --mode kubernetes --gpus 1 --memory 32GiB
  autotuner tune /models/m.gguf --mode kubernetes --namespace tuning --image my/llama:1 \\
      --program /app/llama-server
Volumes, node selectors and secrets: --print the task, and add them.

Exit codes: 0 something was measured, 1 nothing was, 2 the task cannot be started, 130 cancelled")]
pub(super) struct Arguments {
    /// What to serve: a path, a directory below --model-dir, or a hub id
    #[arg(value_name = "MODEL")]
    model: String,
    /// vllm, sglang, tensorrt-llm, llamacpp or sim [default: llamacpp for GGUF, else vllm]
    #[arg(long, short, value_name = "ENGINE")]
    engine: Option<String>,
    /// What to improve: throughput, latency, ttft or tpot [default: throughput]
    #[arg(long, value_name = "OBJECTIVE")]
    objective: Option<String>,
    /// A bound, such as ttft=0.5, p99.latency=5 or tpot=50ms; may be given several times
    #[arg(long = "slo", value_name = "METRIC=TIME")]
    slos: Vec<String>,
    /// What is sent: a workload or lengths, see below; lengths may be given several times
    /// [default: chat]
    #[arg(long, short, value_name = "WORKLOAD")]
    workload: Vec<String>,
    /// Requests in flight at once, one level each, such as 1,8,32 [default: the workload's]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    concurrency: Vec<u32>,
    /// Most requests a level [default: 4 for each in flight, at least 100]
    #[arg(long, value_name = "N")]
    max_requests: Option<u32>,
    /// Longest measuring time of a level, seconds [default: 10 to 60, fewer with more levels]
    #[arg(long, value_name = "SECONDS")]
    max_time: Option<f64>,
    /// Configurations to measure at most, beside the engine's defaults [default: 20]
    #[arg(long, short, value_name = "N")]
    budget: Option<u32>,
    /// Where engines run [default: what the engine is usually installed as]
    #[arg(long)]
    mode: Option<Mode>,
    /// Another image than the engine's usual one, for docker and kubernetes
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Another program than the engine's usual one: of this machine for local, inside of the
    /// image for kubernetes
    #[arg(long, value_name = "PROGRAM")]
    program: Option<String>,
    /// GPUs to tune for; 0 for the CPU alone [default: those of this machine; to be given for
    /// kubernetes]
    #[arg(long, value_name = "N")]
    gpus: Option<u32>,
    /// Processors that each engine may use, possibly a fraction [default: no limit]
    #[arg(long, value_name = "N")]
    cpus: Option<f64>,
    /// Memory that each engine may use, such as 32GiB [default: no limit]
    #[arg(long, value_name = "AMOUNT")]
    memory: Option<String>,
    /// The namespace of the cluster, for kubernetes [default: the option kubernetes_namespace]
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Try these values: NAME=8,16,32 or NAME=8..64, 8..64:8, 8..64:log; may be given several times
    #[arg(long, value_name = "NAME=VALUES")]
    set: Vec<String>,
    /// The same in every configuration: FLAG=VALUE, env.NAME=VALUE, or a switch alone; may be
    /// given several times
    #[arg(long, value_name = "FLAG=VALUE")]
    fix: Vec<String>,
    /// Leave this parameter to the engine; may be given several times
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
    /// Seed of everything random [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The task's name [default: made from model, engine and workload]
    #[arg(long)]
    name: Option<String>,
    /// Longest time for one experiment once its engine is ready, seconds [default: 600, or more
    /// where the levels may take longer]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
    /// Print the task file and do nothing else
    #[arg(long, conflicts_with_all = ["json", "output", "quiet"])]
    print: bool,
    #[command(flatten)]
    telling: Telling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// As a child process
    Local,
    /// In a Docker container
    Docker,
    /// In pods of a Kubernetes cluster
    Kubernetes,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    let of = "the task";
    let refused = |problems: Vec<Problem>| Refusal::Problems {
        of: of.to_owned(),
        problems: problems.into_iter().map(with_flag).collect(),
    };
    let config = &with_namespace(arguments, config).map_err(|problem| refused(vec![problem]))?;
    let Tuning { spec, mut notes } = tune(&request(arguments, config)).map_err(refused)?;
    if arguments.print {
        if let Some(namespace) = &arguments.namespace {
            notes.push(format!(
                "no task chooses its namespace: run it with AUTOTUNER_KUBERNETES_NAMESPACE={namespace}"
            ));
        }
        print(&heading(&notes));
        print(spec.to_yaml().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let task = spec.resolve().map_err(|problems| Refusal::Problems {
        of: of.to_owned(),
        problems,
    })?;
    if !arguments.telling.quiet {
        say(&format!("{}: {}", task.name, super::validate::summary(&task)));
        for note in &notes {
            say(&format!("  {note}"));
        }
    }
    session::run(arguments.telling.session(of.to_owned(), &spec, task), config)
}

fn request(arguments: &Arguments, config: &Config) -> Request {
    Request {
        model: arguments.model.clone(),
        engine: arguments.engine.clone(),
        objective: arguments.objective.clone(),
        slos: arguments.slos.clone(),
        workload: arguments.workload.clone(),
        concurrency: arguments.concurrency.clone(),
        seconds_per_level: arguments.max_time,
        requests_per_level: arguments.max_requests,
        budget: arguments.budget,
        deployment: arguments.mode.map(|mode| match mode {
            Mode::Local => DeploymentMode::Local,
            Mode::Docker => DeploymentMode::Docker,
            Mode::Kubernetes => DeploymentMode::Kubernetes,
        }),
        image: image(arguments, config),
        program: arguments.program.clone(),
        cpus: arguments.cpus,
        memory: arguments.memory.clone(),
        gpus: arguments.gpus,
        seed: arguments.seed,
        name: arguments.name.clone(),
        timeout: arguments.timeout,
        set: arguments.set.clone(),
        fix: arguments.fix.clone(),
        unset: arguments.unset.clone(),
        hardware: hardware(config),
        programs_here: programs_here(config.search_path.as_deref()),
    }
}

/// The image that was named. In a cluster the simulated engine is the agent's own program, so any
/// image serves, and that one is there.
fn image(arguments: &Arguments, config: &Config) -> Option<String> {
    let is_sim = arguments.engine.as_deref() == Some(EngineKind::Sim.as_str());
    let is_own = is_sim && arguments.mode == Some(Mode::Kubernetes);
    let own = is_own.then(|| config.kubernetes.agent_image.clone());
    arguments.image.clone().or(own)
}

/// The configuration, with what the command line says of the cluster.
///
/// # Errors
/// It says something of a cluster that nothing runs in.
fn with_namespace(arguments: &Arguments, config: &Config) -> Result<Config, Problem> {
    let mut config = config.clone();
    if let Some(namespace) = &arguments.namespace {
        if arguments.mode != Some(Mode::Kubernetes) {
            let problem = Problem::new(
                "namespace",
                "is of a Kubernetes cluster, and no engine runs in one",
            );
            return Err(problem.with_hint("add --mode kubernetes, or leave it out"));
        }
        config.kubernetes.whereabouts.namespace = Some(namespace.clone());
    }
    Ok(config)
}

/// What this machine has.
fn hardware(config: &Config) -> Hardware {
    let host = Host::inspect(&config.gpus);
    Hardware {
        gpus: host.devices,
        cpus: u32::try_from(host.cpus).unwrap_or(u32::MAX),
        memory_bytes: host.memory_mib << 20,
    }
}

/// A problem of a part of the request under the name of its flag.
fn with_flag(mut problem: Problem) -> Problem {
    const FLAGS: [&str; 12] = [
        "engine",
        "objective",
        "slo",
        "workload",
        "image",
        "program",
        "gpus",
        "set",
        "fix",
        "unset",
        "budget",
        "namespace",
    ];
    for part in ["cpus", "memory"] {
        if problem.path == format!("resources.{part}") {
            problem.path = format!("--{part}");
        }
    }
    if FLAGS.contains(&problem.path.as_str()) {
        problem.path.insert_str(0, "--");
    }
    problem
}

/// What stands above a printed task file: the command that made it, and what was chosen.
fn heading(notes: &[String]) -> String {
    let words = std::env::args().skip(1).filter(|word| word != "--print");
    let command: Vec<String> = words.map(|word| quoted(&word)).collect();
    let lines = [format!("Made by: autotuner {}", command.join(" "))];
    let comments: Vec<String> = lines.iter().chain(notes).map(|line| comment(line)).collect();
    comments.join("\n")
}

/// A line of a comment, whatever characters the text holds.
fn comment(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    format!("# {}", text.replace(is_break, " "))
}

#[cfg(test)]
mod tests {
    use autotuner_core::tune::NamedWorkload;

    use super::*;

    #[test]
    fn the_help_names_every_workload() {
        use clap::Args as _;
        let command = Arguments::augment_args(clap::Command::new("tune"));
        let help = command.get_after_help().expect("there is one").to_string();
        for workload in NamedWorkload::ALL {
            let (word, lengths, about) = (workload.as_str(), workload.scenario(), workload.help());
            let line = format!("  {word:<10} {lengths:<24} {about}\n");
            assert!(help.contains(&line), "no {line:?} in {help}");
        }
    }
}
