//! The engine as a process of its own: what it prints, how it dies, what it leaves behind, and
//! whether the product understands why.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use autotuner_core::engine::EngineKind;
use autotuner_core::failure::FailureKind;
use hyper::{Method, StatusCode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::support::*;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sim-engine");

/// A running engine; dropped, it is killed.
struct Process {
    child: Child,
    address: std::net::SocketAddr,
    stderr: Lines<BufReader<ChildStderr>>,
    /// Lines of stderr that were read so far.
    said: Vec<String>,
}

fn program(flags: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(flags.split_whitespace());
    command
}

async fn start_command(mut command: Command) -> Process {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = within(stdout.next_line()).await.unwrap().unwrap_or_default();
    let address = first
        .strip_prefix("listening on http://")
        .expect("its first line");
    Process {
        address: address.parse().unwrap(),
        stderr: BufReader::new(child.stderr.take().unwrap()).lines(),
        child,
        said: Vec::new(),
    }
}

async fn start_process(flags: &str) -> Process {
    start_command(program(&format!("--time-scale 0.01 --noise 0 {flags}"))).await
}

impl Process {
    /// Reads lines until one contains `part`; that line.
    async fn until_said(&mut self, part: &str) -> String {
        loop {
            let line = within(self.stderr.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended without {part:?}: {:#?}", self.said));
            self.said.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    /// How it ended; everything that it said is read.
    async fn ended(&mut self) -> ExitStatus {
        while let Some(line) = within(self.stderr.next_line()).await.unwrap() {
            self.said.push(line);
        }
        within(self.child.wait()).await.unwrap()
    }

    async fn get(&self, path: &str) -> Read {
        send(self.address, Method::GET, path, String::new())
            .await
            .read()
            .await
    }

    /// Asks so many requests of so many tokens at once; how many answers came whole. An engine that is dead
    /// already refuses connections, which counts as none.
    async fn ask(&self, count: u32, max_tokens: u32) -> usize {
        let mut asked = tokio::task::JoinSet::new();
        for number in 0..count {
            let body = text(&format!("prompt {number}"), max_tokens, true).to_string();
            asked.spawn(try_send(self.address, body));
        }
        let mut whole = 0;
        while let Some(answer) = within(asked.join_next()).await {
            whole += usize::from(answer.unwrap());
        }
        whole
    }
}

/// Asks for a text answer; whether it came whole, with status 200.
async fn try_send(address: std::net::SocketAddr, body: String) -> bool {
    if tokio::net::TcpStream::connect(address).await.is_err() {
        return false;
    }
    let request = hyper::Request::post("/v1/completions")
        .header("host", "sim")
        .body(http_body_util::Full::from(body))
        .unwrap();
    match try_send_request(address, request).await {
        Some(reply) => reply.read().await.status_if_whole() == Some(StatusCode::OK),
        None => false,
    }
}

/// What the product makes of the lines.
#[track_caller]
fn check_diagnosis(said: &[String], kind: FailureKind, evidence: &str) {
    let diagnosis = EngineKind::Sim.engine().diagnose(said);
    let diagnosis = diagnosis.unwrap_or_else(|| panic!("no diagnosis of {said:#?}"));
    assert_eq!(diagnosis.kind, kind, "{diagnosis:?}");
    assert!(diagnosis.evidence.contains(evidence), "{diagnosis:?}");
}

#[tokio::test]
async fn each_phase_of_loading_is_told_in_its_order() {
    let mut process = start_process("--tensor-parallel-size 2").await;
    process.until_said("INFO ready").await;
    let expected = [
        "INFO engine identity sim-",
        "INFO loading the model sim on 2 device(s)",
        "INFO waiting for 2 devices to join",
        "INFO loading weights: 25 %, 1.56 of 6.24 GiB on each device",
        "INFO loading weights: 50 %",
        "INFO loading weights: 75 %",
        "INFO loading weights: 100 %, 6.24 of 6.24 GiB",
        "INFO 6.84 GiB for weights, activations and graphs",
        "INFO key/value cache: ",
        "INFO capturing graphs for batches of 1 to 4 sequences",
        "INFO warming up",
        "INFO ready",
    ];
    assert_eq!(process.said.len(), expected.len(), "{:#?}", process.said);
    for (said, expected) in process.said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}: {expected}");
    }
    assert_eq!(process.get("/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_is_not_healthy_while_any_phase_goes_on() {
    for (flags, phase) in [
        ("--startup-seconds 80000", "loading the model"),
        ("--startup-seconds 8", "loading weights: 25 %"),
    ] {
        let mut process = start_command(program(flags)).await;
        process.until_said(phase).await;
        assert_eq!(
            process.get("/health").await.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{phase}"
        );
    }
}

#[tokio::test]
async fn every_process_has_a_name_of_its_own() {
    let mut names = Vec::new();
    for _ in 0..2 {
        let mut process = start_process("--seed 1").await;
        let line = process.until_said("engine identity").await;
        let name = line.rsplit(' ').next().unwrap().to_owned();
        process.until_said("ready").await;
        assert_eq!(process.get("/sim/truth").await.json()["identity"], name.as_str());
        let asked = text("one", 2, true).to_string();
        let read = send(process.address, Method::POST, "/v1/completions", asked)
            .await
            .read()
            .await;
        for chunk in read.chunks() {
            assert_eq!(chunk["system_fingerprint"], name.as_str(), "{chunk}");
        }
        names.push(name);
    }
    assert_ne!(names[0], names[1]);
}

async fn check_dies(fault: &str, is_expected: fn(ExitStatus) -> bool, kind: FailureKind, evidence: &str) {
    // At full speed an answer takes longer than all requests take to come.
    let flags = format!("--max-num-seqs 8 --startup-seconds 0 --fault {fault}=3");
    let mut process = start_command(program(&flags)).await;
    process.until_said("ready").await;
    assert_eq!(process.ask(2, 5).await, 2, "{fault}: two are fine");
    assert_eq!(process.ask(3, 4000).await, 0, "{fault}");
    let status = process.ended().await;
    assert!(is_expected(status), "{fault}: {status:?} {:#?}", process.said);
    check_diagnosis(&process.said, kind, evidence);
}

#[tokio::test]
async fn it_dies_under_load_by_signal_or_for_want_of_memory() {
    check_dies(
        "crash-under-load",
        |status| status.signal() == Some(11),
        FailureKind::EngineCrashed,
        "Segmentation fault",
    )
    .await;
    check_dies(
        "abort-under-load",
        |status| status.signal() == Some(6),
        FailureKind::EngineCrashed,
        "terminate called",
    )
    .await;
    check_dies(
        "oom-under-load",
        |status| status.code() == Some(1),
        FailureKind::OutOfMemory,
        "CUDA out of memory",
    )
    .await;
}

async fn check_fails_to_load(flags: &str, kind: FailureKind, evidence: &str) {
    let mut process = start_process(flags).await;
    let status = process.ended().await;
    assert_eq!(status.code(), Some(1), "{flags}: {:#?}", process.said);
    check_diagnosis(&process.said, kind, evidence);
}

#[tokio::test]
async fn why_it_does_not_load_is_understood() {
    check_fails_to_load(
        "--kv-cache-dtype fp8 --block-size 8",
        FailureKind::EngineCrashed,
        "illegal memory access",
    )
    .await;
    check_fails_to_load(
        "--gpu-memory-utilization 0.999",
        FailureKind::OutOfMemory,
        "out of memory",
    )
    .await;
    check_fails_to_load(
        "--max-num-seqs 512 --max-num-batched-tokens 16384 --gpu-memory-utilization 0.7",
        FailureKind::OutOfMemory,
        "No available memory for the cache blocks",
    )
    .await;
    check_fails_to_load("--fault exit-at-load", FailureKind::EngineCrashed, "exit-at-load").await;
}

#[tokio::test]
async fn a_kernel_that_breaks_under_load_is_understood() {
    // At full speed an answer takes longer than all requests take to come.
    let flags = "--max-num-seqs 128 --block-size 128 --startup-seconds 0";
    let mut process = start_command(program(flags)).await;
    process.until_said("ready").await;
    assert_eq!(process.ask(8, 2).await, 8, "a few are fine");
    assert_eq!(process.ask(100, 4000).await, 0);
    assert_eq!(process.ended().await.code(), Some(1));
    check_diagnosis(
        &process.said,
        FailureKind::EngineCrashed,
        "illegal memory access was encountered",
    );
}

fn resident_mebibytes(process: &Process) -> u64 {
    let pid = process.child.id().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn memory_is_really_eaten_and_kept() {
    let mut lean = start_process("").await;
    let mut fat = start_process("--fault eat-memory=96").await;
    lean.until_said("ready").await;
    fat.until_said("ready").await;
    let (lean, fat) = (resident_mebibytes(&lean), resident_mebibytes(&fat));
    assert!(fat >= 96 && lean < 96, "{fat} MiB, {lean} MiB");
}

#[tokio::test]
async fn memory_that_the_machine_does_not_give_is_said() {
    let mut command = Command::new("sh");
    let script = format!("ulimit -v 700000; exec {PROGRAM} --time-scale 0.01 --fault eat-memory=8192");
    command.args(["-c", &script]);
    // However many cores there are, its threads shall not take what is left for it.
    command.envs([("TOKIO_WORKER_THREADS", "2"), ("MALLOC_ARENA_MAX", "1")]);
    let mut process = start_command(command).await;
    assert_eq!(process.ended().await.code(), Some(1), "{:#?}", process.said);
    check_diagnosis(
        &process.said,
        FailureKind::OutOfMemory,
        "cannot allocate memory: 8192 MiB",
    );
}

/// A process that must not outlive its test.
struct Killed(Pid);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
    }
}

/// One line of `/proc/<pid>/status`, while there is such a process and it is no zombie.
fn status_line(pid: Pid, name: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim().to_owned())
    };
    line("State:").filter(|state| !state.starts_with('Z'))?;
    line(name)
}

#[tokio::test]
async fn a_child_that_ran_away_outlives_its_parent() {
    let mut process = start_process("--fault forks-children").await;
    let line = process.until_said("started a worker process").await;
    let pid = Pid::from_raw(line.rsplit(' ').next().unwrap().parse().unwrap());
    let _killed = Killed(pid);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let own = pid.to_string();
    assert_eq!(
        (after_name[2], after_name[3]),
        (own.as_str(), own.as_str()),
        "a group and a session of its own"
    );
    let caught = u64::from_str_radix(&status_line(pid, "SigCgt:").unwrap(), 16).unwrap();
    assert_eq!(
        caught >> (Signal::SIGTERM as i32 - 1) & 1,
        1,
        "it does not die of SIGTERM"
    );
    kill(pid, Signal::SIGTERM).unwrap();
    process.until_said("ready").await;
    let parent = Pid::from_raw(process.child.id().unwrap().cast_signed());
    kill(parent, Signal::SIGTERM).unwrap();
    // Not `ended`: the child holds the pipe open.
    assert!(within(process.child.wait()).await.unwrap().success());
    assert!(status_line(pid, "Name:").is_some(), "it is gone");
    kill(pid, Signal::SIGKILL).unwrap();
    until(async || status_line(pid, "Name:").is_none()).await;
}

/// The truth says who speaks, so that whoever compares knows that it is the same engine.
#[tokio::test]
async fn the_truth_of_an_idle_engine_has_its_name_only() {
    let mut process = start_process("").await;
    process.until_said("ready").await;
    let truth = process.get("/sim/truth").await.json();
    assert_eq!(truth["requests"], Value::Array(vec![]));
    assert!(truth["identity"].as_str().unwrap().starts_with("sim-"));
}
