//! What it costs to have many experiments in a cluster at once: the controller, and the API server.
//!
//! `cargo run --release -p autotuner-deploy --example jobs-bench -- KUBECONFIG [JOBS [SECONDS [PID]]]`
//!
//! The Jobs ask for a node that there is not, so their pods wait and no engine takes part: what is
//! left is making, hearing and removing them. PID is the API server's process, where its processor
//! time is to be told, too. Fails where a Job was refused, ended, or is left at the end.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::Limits;
use autotuner_core::task::ClusterSettings;
use autotuner_deploy::kubernetes::attend::{JobRun, News};
use autotuner_deploy::kubernetes::{Cluster, ClusterConfig, JobOrder, PodPolicy, Whereabouts, nonce};
use autotuner_deploy::{Instance, Label};
use futures_util::future::try_join_all;
use nix::sys::resource::{UsageWho, getrusage};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Longer than the bench: nothing is to end by itself.
const LONG: Duration = Duration::from_secs(7200);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: usize| arguments.get(at).map_or(Ok(usual), |text| text.parse());
    let Some(kubeconfig) = arguments.first() else {
        return Err("jobs-bench KUBECONFIG [JOBS [SECONDS [PID]]]".into());
    };
    let (jobs, seconds) = (number(1, 500)?, number(2, 30)?);
    let folder = tempfile::tempdir()?;
    let outcome = bench_in(
        folder.path(),
        kubeconfig,
        jobs,
        seconds,
        arguments.get(3).map(String::as_str),
    )
    .await;
    if outcome.is_err() {
        // What a process that is over has made is swept by the next one in its folder.
        let cluster = connect(folder.path(), kubeconfig, "jobs-bench-sweep").await?;
        let swept = cluster.sweep(Duration::ZERO, &CancellationToken::new()).await?;
        say(&format!(
            "removed {} Jobs, {} problems",
            swept.stopped.len(),
            swept.problems.len()
        ))?;
    }
    outcome
}

async fn connect(folder: &Path, kubeconfig: &str, name: &str) -> Result<Cluster, Failure> {
    let instance = Arc::new(Instance::claim(folder, name)?);
    let cluster = Cluster::connect(ClusterConfig {
        instance,
        whereabouts: Whereabouts {
            kubeconfig: Some(PathBuf::from(kubeconfig)),
            ..Whereabouts::default()
        },
        policy: PodPolicy {
            agent_image: "inference-autotuner/agent:none".into(),
            gpu_resource: "nvidia.com/gpu".into(),
        },
        schedule_timeout: LONG,
        is_autoscaled: true,
    })
    .await?;
    Ok(cluster)
}

async fn bench_in(
    folder: &Path,
    kubeconfig: &str,
    jobs: usize,
    seconds: usize,
    server: Option<&str>,
) -> Result<(), Failure> {
    let cluster = connect(folder, kubeconfig, "jobs-bench").await?;
    bench(&cluster, jobs, seconds, server).await
}

async fn bench(cluster: &Cluster, jobs: usize, seconds: usize, server: Option<&str>) -> Result<(), Failure> {
    let before = Costs::now(server)?;
    let begun = Instant::now();
    let starting = (0..jobs).map(|number| start(cluster, number));
    let mut runs = try_join_all(starting).await?;
    let made = begun.elapsed();
    let mut times: Vec<Duration> = runs.iter().map(|(_, took)| *took).collect();
    times.sort();
    say(&format!(
        "made     {jobs} Jobs in {:.1} s; one took p50 {:.2} s, p99 {:.2} s; {}",
        made.as_secs_f64(),
        times[jobs / 2].as_secs_f64(),
        times[jobs * 99 / 100].as_secs_f64(),
        Costs::now(server)?.since(&before, made, jobs),
    ))?;

    let begun = Instant::now();
    let hearing = runs.iter_mut().map(|(run, _)| until_told(run, begun));
    let mut told = try_join_all(hearing).await?;
    told.sort();
    say(&format!(
        "told     that no node takes them after p50 {:.1} s, p99 {:.1} s",
        told[jobs / 2].as_secs_f64(),
        told[jobs * 99 / 100].as_secs_f64(),
    ))?;

    let before = Costs::now(server)?;
    let begun = Instant::now();
    sleep(Duration::from_secs(u64::try_from(seconds)?)).await;
    for (run, _) in &mut runs {
        while let Ok(Some(news)) = timeout(Duration::ZERO, run.next()).await {
            if let News::Ended(ending) = news {
                return Err(format!("{} has ended: {ending:?}", run.name()).into());
            }
        }
    }
    say(&format!(
        "waiting  {seconds} s; {}",
        Costs::now(server)?.since(&before, begun.elapsed(), jobs)
    ))?;

    let before = Costs::now(server)?;
    let begun = Instant::now();
    let names: Vec<String> = runs.iter().map(|(run, _)| run.name().to_owned()).collect();
    drop(runs);
    try_join_all(names.iter().map(|name| cluster.remove(name, Duration::ZERO))).await?;
    say(&format!(
        "removed  all in {:.1} s; {}",
        begun.elapsed().as_secs_f64(),
        Costs::now(server)?.since(&before, begun.elapsed(), jobs)
    ))?;
    let left = cluster.sweep(Duration::ZERO, &CancellationToken::new()).await?;
    match left.stopped.len() {
        0 => Ok(()),
        left => Err(format!("{left} Jobs were left").into()),
    }
}

async fn start(cluster: &Cluster, number: usize) -> Result<(JobRun, Duration), Failure> {
    let order = JobOrder {
        label: Label {
            task: "jobs-bench".into(),
            experiment: u32::try_from(number)? + 1,
            attempt: 1,
            log_file: "/dev/null".into(),
        },
        image: "inference-autotuner/agent:none".into(),
        // About as long as a real one.
        order: vec![b' '; 6000],
        is_loader: false,
        gpus: 0,
        limits: Limits::default(),
        settings: ClusterSettings {
            node_selector: BTreeMap::from([("inference-autotuner".into(), "nowhere".into())]),
            ..ClusterSettings::default()
        },
        deadline: LONG,
        grace: Duration::ZERO,
    };
    let begun = Instant::now();
    let run = cluster.start(&order, &nonce()?).await?;
    Ok((run, begun.elapsed()))
}

/// How long it took until it was said that no node takes it.
async fn until_told(run: &mut JobRun, begun: Instant) -> Result<Duration, Failure> {
    loop {
        match run.next().await {
            Some(News::Waiting(what)) if what.contains("node") && !what.contains("yet") => {
                return Ok(begun.elapsed());
            }
            Some(News::Waiting(_)) => {}
            other => return Err(format!("{}: {other:?}", run.name()).into()),
        }
    }
}

/// Processor time and memory.
struct Costs {
    ours: Duration,
    server: Option<Duration>,
    memory_mib: u64,
}

impl Costs {
    fn now(server: Option<&str>) -> Result<Self, Failure> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let part = |time: nix::sys::time::TimeVal| -> Result<Duration, Failure> {
            let micros = u64::try_from(time.tv_usec())?;
            Ok(Duration::from_secs(u64::try_from(time.tv_sec())?) + Duration::from_micros(micros))
        };
        let status = std::fs::read_to_string("/proc/self/status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|rest| rest.split_whitespace().next());
        Ok(Self {
            ours: part(usage.user_time())? + part(usage.system_time())?,
            server: server.map(server_time).transpose()?,
            memory_mib: resident.unwrap_or("0").parse::<u64>()? / 1024,
        })
    }

    fn since(&self, before: &Self, elapsed: Duration, jobs: usize) -> String {
        let share = |time: Duration| 100.0 * time.as_secs_f64() / elapsed.as_secs_f64();
        let ours = self.ours - before.ours;
        let jobs = f64::from(u32::try_from(jobs).unwrap_or(u32::MAX));
        let mut text = format!(
            "controller {:.1} % of a processor ({:.2} ms a Job), {} MiB",
            share(ours),
            1000.0 * ours.as_secs_f64() / jobs,
            self.memory_mib
        );
        if let (Some(now), Some(then)) = (self.server, before.server) {
            let server = now - then;
            let each = 1000.0 * server.as_secs_f64() / jobs;
            text.push_str(&format!(
                "; API server {:.1} % ({each:.2} ms a Job)",
                share(server)
            ));
        }
        text
    }
}

/// User and system time of a process, from its `stat`: fields 14 and 15, in ticks.
fn server_time(id: &str) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').ok_or("an odd stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    // Ticks are hundredths of a second on every Linux that we know.
    Ok(Duration::from_millis(ticks * 10))
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
