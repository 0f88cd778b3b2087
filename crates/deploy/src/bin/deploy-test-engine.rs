//! An engine for the tests of this crate, with the manners a check asks for, and the little
//! programs around it: the launcher, and an owner that can be killed.
//!
//! It serves no model and reads no configuration: the first argument says what to be.

#![expect(clippy::print_stdout, reason = "what it prints is what the tests look at")]

#[path = "deploy-test-engine/printer.rs"]
mod printer;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::{Arg, LaunchPlan, Limits, Program};
use autotuner_deploy::conformance::{FIRST_WORDS, LAST_WORDS};
use autotuner_deploy::docker::{DockerConfig, DockerDeployer, Policy};
use autotuner_deploy::gpu::{FixedGpus, GpuPool};
use autotuner_deploy::process::{ProcessConfig, ProcessDeployer};
use autotuner_deploy::{DeployError, Deployer as _, Instance, Label, Placement, run_launcher};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some((role, rest)) = arguments.split_first() else {
        return ExitCode::from(64);
    };
    if role == "launch" {
        return run_launcher(rest);
    }
    let rest: Vec<&str> = rest.iter().filter_map(|argument| argument.to_str()).collect();
    match (role.to_str().unwrap_or_default(), &rest[..]) {
        ("serve", [host, port, name]) => serve(host, port, name).await,
        ("stubborn", [host, port, name]) => {
            ignore_sigterm();
            serve(host, port, name).await
        }
        // One that heeds the signal also where it is the first process of a container.
        ("polite", []) => polite().await,
        ("parent", [host, port, name]) => {
            start_runaway();
            serve(host, port, name).await
        }
        ("leave-child", []) => {
            start_runaway();
            ExitCode::SUCCESS
        }
        // Started by `parent`: a session of its own, and deaf.
        ("runaway", []) => {
            let _ = nix::unistd::setsid();
            ignore_sigterm();
            std::future::pending().await
        }
        ("sleep", _) => std::future::pending().await,
        ("exit", [code]) => ExitCode::from(code.parse::<u8>().unwrap_or(70)),
        ("print", [code]) => {
            print_words();
            ExitCode::from(code.parse::<u8>().unwrap_or(70))
        }
        ("environment", [name]) => {
            print_variable(name);
            ExitCode::SUCCESS
        }
        ("hold-gpus", [folder, count, wanted]) => hold_gpus(folder, count, wanted).await,
        ("count", _) => count().await,
        ("script", steps) => printer::print(steps).await,
        ("eat-memory", []) => eat_memory(),
        ("own", [instances, log_file, behaviour, guard]) => {
            own(deploy(instances, log_file, behaviour, *guard == "guarded").await).await
        }
        ("own-container", [instances, log_file, host, image, behaviour]) => {
            own(deploy_container(instances, log_file, host, image, behaviour).await).await
        }
        _ => ExitCode::from(64),
    }
}

async fn serve(host: &str, port: &str, name: &str) -> ExitCode {
    let listener = match TcpListener::bind(format!("{host}:{port}")).await {
        Ok(listener) => listener,
        Err(error) => {
            println!("cannot listen: {error}");
            return ExitCode::from(98);
        }
    };
    println!("{name} listens");
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            continue;
        };
        let mut request = [0; 2048];
        let length = stream.read(&mut request).await.unwrap_or(0);
        let request = String::from_utf8_lossy(&request[..length]);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let is_known = path == "/health" || path == format!("/iam/{name}");
        let status = if is_known { "200 OK" } else { "404 Not Found" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn polite() -> ExitCode {
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            signals.recv().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("cannot wait for SIGTERM: {error}");
            ExitCode::FAILURE
        }
    }
}

/// With a handler in place the signal no longer kills; nobody reads what it delivers.
fn ignore_sigterm() {
    if let Err(error) = signal(SignalKind::terminate()) {
        println!("cannot ignore SIGTERM: {error}");
    }
}

/// Starts a child that leaves the group and the session, and waits until it has.
fn start_runaway() {
    let Ok(own) = std::env::current_exe() else {
        return;
    };
    let child = Command::new(own).arg("runaway").stdin(Stdio::null()).spawn();
    let Ok(child) = child else {
        println!("cannot start a child");
        return;
    };
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    while nix::unistd::getpgid(Some(pid)).is_ok_and(|group| group != pid) {
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("child {pid}");
}

fn print_words() {
    println!("{FIRST_WORDS}");
    for line in 0..1000 {
        println!("line {line}");
    }
    let _ = io::stdout().flush();
    let _ = write!(io::stderr(), "{LAST_WORDS}");
}

/// From `/proc`, where our own environment is data like any other.
fn print_variable(name: &str) {
    let environ = std::fs::read("/proc/self/environ").unwrap_or_default();
    let environ = String::from_utf8_lossy(&environ);
    let start = format!("{name}=");
    let value = environ.split('\0').find_map(|entry| entry.strip_prefix(&start));
    println!("{name}: {}", value.unwrap_or("not set"));
}

/// Holds some of so many GPUs that do not exist, says which, and waits to be killed.
async fn hold_gpus(folder: &str, count: &str, wanted: &str) -> ExitCode {
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let pool = GpuPool::new(Arc::new(FixedGpus::idle(number(count))), folder.into());
    let told = |news: &str| println!("{news}");
    let patience = Duration::from_secs(60);
    match pool
        .hold(number(wanted), &told, patience, &CancellationToken::new())
        .await
    {
        Ok(held) => {
            let numbers: Vec<u32> = held.devices().iter().map(|device| device.index).collect();
            println!("holds {numbers:?}");
            let _ = io::stdout().flush();
            std::future::pending().await
        }
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints numbered lines until it is killed.
async fn count() -> ExitCode {
    let mut line = 0;
    loop {
        println!("line {line}");
        line += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Takes memory until there is none left, but not all of a machine that sets no limit.
fn eat_memory() -> ExitCode {
    let mut eaten = Vec::new();
    for _ in 0..64 {
        // Other than zero, so that the pages are really taken.
        eaten.push(vec![1_u8; 8 << 20]);
    }
    println!("{} pieces were not too many", eaten.len());
    ExitCode::FAILURE
}

/// Says whether an engine was deployed, and waits to be killed.
async fn own<D>(deployed: Result<D, Box<dyn std::error::Error>>) -> ExitCode {
    match deployed {
        Ok(deployer) => {
            println!("deployed");
            let _ = io::stdout().flush();
            let () = std::future::pending().await;
            drop(deployer);
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn deploy_container(
    instances: &str,
    log_file: &str,
    host: &str,
    image: &str,
    behaviour: &str,
) -> Result<DockerDeployer, Box<dyn std::error::Error>> {
    let deployer = DockerDeployer::connect(DockerConfig {
        instance: claim(instances)?,
        host: Some(host.to_owned()),
        hub_cache: None,
        environment: Vec::new(),
        shm_bytes: 1 << 20,
        policy: Policy::anything(),
    })
    .await?;
    let program = Program::Image {
        reference: image.to_owned(),
        entrypoint: None,
    };
    let plan = plan(program, behaviour);
    deployer
        .launch(&plan, &Placement::default(), &label(log_file))
        .await?;
    Ok(deployer)
}

async fn deploy(
    instances: &str,
    log_file: &str,
    behaviour: &str,
    is_guarded: bool,
) -> Result<ProcessDeployer, Box<dyn std::error::Error>> {
    let own = std::env::current_exe()?;
    let deployer = ProcessDeployer::new(ProcessConfig {
        instance: claim(instances)?,
        search_path: None,
        launcher: is_guarded.then(|| vec![own.clone().into_os_string(), "launch".into()]),
        withheld_variables: Vec::new(),
    })?;
    let plan = plan(Program::Local(own.to_string_lossy().into_owned()), behaviour);
    deployer
        .launch(&plan, &Placement::default(), &label(log_file))
        .await?;
    Ok(deployer)
}

fn claim(instances: &str) -> Result<Arc<Instance>, DeployError> {
    let name = format!("owner-{}", std::process::id());
    Instance::claim(&PathBuf::from(instances), &name).map(Arc::new)
}

fn plan(program: Program, behaviour: &str) -> LaunchPlan {
    LaunchPlan {
        program,
        args: vec![behaviour.into(), Arg::Host, Arg::Port, "owned".into()],
        env: Default::default(),
        gpus: 0,
        ready_paths: vec!["/health".to_owned()],
        served_model_name: "owned".to_owned(),
        start_timeout: Duration::from_secs(60),
        mounts: vec![],
        uses_hub: false,
        limits: Limits::default(),
    }
}

fn label(log_file: &str) -> Label {
    Label {
        task: "owned task".to_owned(),
        experiment: 7,
        attempt: 1,
        log_file: log_file.into(),
    }
}
