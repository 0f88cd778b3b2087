//! `autotuner doctor`

mod cluster;
mod orphans;

use std::process::ExitCode;

use autotuner_deploy::docker::describe;
use autotuner_deploy::find_program;
use autotuner_deploy::gpu::SeenGpu;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use self::orphans::{instances, run_sweep};
use super::{NOTHING, Refusal, print, runtime};
use crate::config::Config;
use crate::host::Host;
use crate::report::words::counted;
use crate::targets::gpu_pool;
use crate::worker::chain;

/// Look at this machine: what tuning here needs, and what an earlier run left behind
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner doctor
  autotuner doctor --sweep          stop engines whose owner is dead, and nothing else")]
pub(super) struct Arguments {
    /// Stop engines that killed runs of ours left behind, also in the cluster
    #[arg(long)]
    sweep: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Noted,
    Bad,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Noted => "note",
            Self::Bad => "BAD",
        }
    }
}

/// One thing that was looked at.
struct Check {
    what: &'static str,
    state: State,
    found: String,
    next_step: Option<String>,
}

impl Check {
    fn new(what: &'static str, state: State, found: impl Into<String>) -> Self {
        Self {
            what,
            state,
            found: found.into(),
            next_step: None,
        }
    }

    fn with_next_step(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = Some(next_step.into());
        self
    }
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if arguments.sweep {
        return runtime()?.block_on(run_sweep(config, arguments.json));
    }
    let checks = vec![
        machine(config),
        gpus(config)?,
        data_directory(config),
        free_space(config),
        open_files(),
        engines(config),
        docker(config)?,
        cluster::check(config)?,
        instances(config)?,
    ];
    if arguments.json {
        let values: Vec<_> = checks
            .iter()
            .map(|check| {
                json!({
                    "check": check.what,
                    "state": check.state.word().to_lowercase(),
                    "found": check.found,
                    "next_step": check.next_step,
                })
            })
            .collect();
        print(&format!("{:#}", serde_json::Value::Array(values)));
    } else {
        for check in &checks {
            print(&format!(
                "{:<5} {:<16} {}",
                check.state.word(),
                check.what,
                check.found
            ));
            if let Some(next_step) = &check.next_step {
                print(&format!("{:<22} → {next_step}", ""));
            }
        }
    }
    let is_bad = checks.iter().any(|check| check.state == State::Bad);
    Ok(if is_bad {
        ExitCode::from(NOTHING)
    } else {
        ExitCode::SUCCESS
    })
}

fn machine(config: &Config) -> Check {
    let host = Host::inspect(&config.gpus);
    let found = format!(
        "{}, {} CPUs, {} MiB, {} (fingerprint {})",
        host.cpu, host.cpus, host.memory_mib, host.system, host.fingerprint
    );
    Check::new("machine", State::Good, found)
}

fn gpus(config: &Config) -> Result<Check, Refusal> {
    const WHAT: &str = "GPUs";
    let seen = runtime()?.block_on(gpu_pool(config).survey(&CancellationToken::new()));
    Ok(match seen {
        Ok(seen) if seen.is_empty() => Check::new(
            WHAT,
            State::Noted,
            "none that we can see; engines that run on the CPU can be tuned",
        ),
        Ok(seen) => {
            let found: Vec<String> = seen.iter().map(in_words).collect();
            let is_free = |gpu: &SeenGpu| gpu.obstacle.is_none();
            let check = Check::new(WHAT, State::Good, found.join("; "));
            if seen.iter().any(is_free) {
                check
            } else {
                check.with_next_step("experiments that need a GPU wait until one is free")
            }
        }
        Err(error) => Check::new(WHAT, State::Noted, chain(&error))
            .with_next_step("see that `nvidia-smi` works; a driver that was updated needs a reboot"),
    })
}

fn in_words(gpu: &SeenGpu) -> String {
    let device = &gpu.state.device;
    let memory = match device.memory_bytes >> 20 {
        0 => String::new(),
        mebibytes => format!(", {mebibytes} MiB"),
    };
    let state = match &gpu.obstacle {
        None => "free".to_owned(),
        Some(obstacle) => obstacle.to_string(),
    };
    format!("{} {}{memory}: {state}", device.index, device.name)
}

fn data_directory(config: &Config) -> Check {
    let directory = &config.data_dir;
    let probe = directory.join(format!(".probe-{}", std::process::id()));
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => Check::new("data directory", State::Good, directory.display().to_string()),
        Err(error) => Check::new(
            "data directory",
            State::Bad,
            format!("{} cannot be written: {error}", directory.display()),
        )
        .with_next_step("make it writable, or choose another with --data-dir"),
    }
}

fn free_space(config: &Config) -> Check {
    const LEAST_MIB: u64 = 1024;
    match statvfs(&config.data_dir) {
        Ok(space) => {
            let free = space.blocks_available().saturating_mul(space.fragment_size()) / (1024 * 1024);
            let found = format!("{free} MiB free in {}", config.data_dir.display());
            if free < LEAST_MIB {
                Check::new("disk", State::Noted, found).with_next_step("logs may fill it: free some space")
            } else {
                Check::new("disk", State::Good, found)
            }
        }
        Err(error) => Check::new("disk", State::Noted, format!("cannot be asked: {error}")),
    }
}

fn open_files() -> Check {
    const ENOUGH: u64 = 4096;
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, _)) if soft >= ENOUGH => Check::new("open files", State::Good, format!("up to {soft}")),
        Ok((soft, hard)) => Check::new(
            "open files",
            State::Noted,
            format!("up to {soft} (at most {hard})"),
        )
        .with_next_step(format!(
            "for more than about {} requests in flight: ulimit -n 65536",
            soft / 2
        )),
        Err(error) => Check::new("open files", State::Noted, format!("cannot be asked: {error}")),
    }
}

fn engines(config: &Config) -> Check {
    let found: Vec<&str> = ["vllm", "trtllm-serve", "llama-server"]
        .into_iter()
        .filter(|program| find_program(program, config.search_path.as_deref()).is_ok())
        .collect();
    if found.is_empty() {
        Check::new("engines", State::Noted, "none on PATH but the simulated one").with_next_step(
            "install an engine, name its program in a task's engine.program, or run its image in Docker",
        )
    } else {
        Check::new(
            "engines",
            State::Good,
            format!("{} and the simulated one", found.join(", ")),
        )
    }
}

fn docker(config: &Config) -> Result<Check, Refusal> {
    const WHAT: &str = "Docker";
    let told = runtime()?.block_on(describe(config.docker_host.as_deref()));
    Ok(match told {
        Ok(facts) => {
            let gpus = match facts.gpu_ways.as_slice() {
                [] => "no way to give GPUs to containers".to_owned(),
                ways => format!("GPUs for containers by {}", ways.join(", ")),
            };
            let found = format!(
                "{}, {} running, {gpus}, images in {}",
                facts.version,
                counted(facts.running.into(), "container"),
                facts.root
            );
            Check::new(WHAT, State::Good, found)
        }
        Err(error) => Check::new(WHAT, State::Noted, chain(&error))
            .with_next_step("start it, or run engines as local processes: deployment_mode: local"),
    })
}
