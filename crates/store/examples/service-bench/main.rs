//! How fast `autotuner serve` answers where much is kept, how much memory it takes, how soon it is
//! there.
//!
//! `cargo run --release -p autotuner-store --example service-bench -- BINARY DATA_DIR [ROUNDS [PASSES]]`
//!
//! The data directory holds a database that `database-bench --fill` made. Each kind of request is
//! asked for ROUNDS times, one after the other over one connection, in each of PASSES passes; told
//! is the pass with the lowest 99th percentile, which is what the machine can do when nothing else
//! keeps it busy. Beside it stand figures that know of the load: the server's time on a processor
//! for one request, how long it waited for a processor, and the same query asked of SQLite directly.
//!
//! Fails where a 99th percentile is above the ceiling; a goal that is missed is only told.

mod http;
mod peer;
mod server;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use peer::Peer;
use server::{Memory, Server};
use tokio::time::Instant;

type Failure = Box<dyn std::error::Error>;

const CEILING_MS: f64 = 100.0;
const GOAL_MS: f64 = 10.0;
const IDLE_GOAL_MEBIBYTES: f64 = 60.0;
const START_GOAL_MS: f64 = 300.0;
const STARTS: usize = 10;
const SETTLED: Duration = Duration::from_secs(10);

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let usage = "service-bench BINARY DATA_DIR [ROUNDS [PASSES]]";
    let binary = PathBuf::from(arguments.next().ok_or(usage)?).canonicalize()?;
    let data = PathBuf::from(arguments.next().ok_or(usage)?);
    let mut number = |usual: u64| arguments.next().map_or(Ok(usual), |text| text.parse());
    let (rounds, passes) = (number(300)?, number(3)?);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(bench(&binary, &data, rounds, passes))
}

async fn bench(binary: &Path, data: &Path, rounds: u64, passes: u64) -> Result<(), Failure> {
    let empty = tempfile::tempdir()?;
    say(&format!(
        "load: {}",
        std::fs::read_to_string("/proc/loadavg")?.trim()
    ))?;
    starts(binary, empty.path(), "empty")?;
    starts(binary, data, "full")?;
    idle(binary, empty.path(), "empty")?;
    let server = idle(binary, data, "full")?;
    let mut peer = Peer::open(&data.join("autotuner.db")).await?;
    say(&format!(
        "{:<34} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}  {:<6} {:>8} {:>9}",
        "request (ms)", "p50", "p99", "busy", "queued", "sqlite", "/ sqlite", "goal", "/ health", "bytes"
    ))?;
    let (mut slow, mut floor) = (Vec::new(), None);
    for request in requests(&server)? {
        let timed = best(&server, &mut peer, &request, rounds, passes).await?;
        let floor = *floor.get_or_insert(timed.p50);
        say(&line(&request, &timed, floor))?;
        if timed.p99 > CEILING_MS {
            slow.push(request.name);
        }
    }
    let Memory { resident, highest } = server.memory()?;
    say(&format!(
        "memory after all that: {resident:.1} MiB, highest {highest:.1} MiB"
    ))?;
    say(&format!(
        "load: {}",
        std::fs::read_to_string("/proc/loadavg")?.trim()
    ))?;
    server.stop()?;
    if slow.is_empty() {
        Ok(())
    } else {
        Err(format!("99th percentile above {CEILING_MS} ms: {slow:?}").into())
    }
}

fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// Whether a goal is met, in a word.
fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

/// How soon a server answers, the median of a few starts.
fn starts(binary: &Path, data: &Path, what: &str) -> Result<(), Failure> {
    let (mut healthy, mut listed) = (Vec::new(), Vec::new());
    // The first finds files that no cache knows.
    for start in 0..=STARTS {
        let (server, started) = Server::start(binary, data)?;
        if start > 0 {
            healthy.push(started.healthy_ms);
            listed.push(started.listed_ms);
        }
        server.stop()?;
    }
    let (healthy, listed) = (percentile(&mut healthy, 50), percentile(&mut listed, 50));
    say(&format!(
        "start, {what} database: /healthz after {healthy:.1} ms, tasks after {listed:.1} ms (goal {START_GOAL_MS} ms: {})",
        met(listed <= START_GOAL_MS)
    ))
}

/// A server that has had nothing to do for a while, and what it holds then.
fn idle(binary: &Path, data: &Path, what: &str) -> Result<Server, Failure> {
    let (server, _) = Server::start(binary, data)?;
    let before = server.effort()?;
    std::thread::sleep(SETTLED);
    let busy = server.effort()?.busy_ms - before.busy_ms;
    let Memory { resident, .. } = server.memory()?;
    say(&format!(
        "idle, {what} database: {resident:.1} MiB (goal {IDLE_GOAL_MEBIBYTES} MiB: {}), {:.2} ms of a processor a second",
        met(resident <= IDLE_GOAL_MEBIBYTES),
        busy / SETTLED.as_secs_f64()
    ))?;
    Ok(server)
}

/// A kind of request.
struct Request {
    name: &'static str,
    /// What is asked for in a round.
    path: Box<dyn Fn(u64) -> String>,
    /// The same of SQLite, where there is such a query.
    query: Option<Box<dyn Fn(u64) -> String>>,
}

impl Request {
    fn new(name: &'static str, path: impl Fn(u64) -> String + 'static) -> Self {
        Self {
            name,
            path: Box::new(path),
            query: None,
        }
    }

    fn beside(mut self, query: impl Fn(u64) -> String + 'static) -> Self {
        self.query = Some(Box::new(query));
        self
    }
}

/// A fixed walk over everything: no two rounds ask for the same.
fn at(round: u64, size: u64) -> u64 {
    round * 7919 % 1009 * size / 1009
}

/// Every kind of request that is measured; the first one is the floor.
fn requests(server: &Server) -> Result<Vec<Request>, Failure> {
    let mut client = server.client()?;
    let mut total = |path: &str| -> Result<u64, Failure> {
        let total = client.get(path)?.total;
        Ok(total.ok_or_else(|| format!("{path} does not say how many there are"))?)
    };
    let (tasks, experiments) = (total("/api/tasks?limit=1")?, total("/api/experiments?limit=1")?);
    let mut all = vec![Request::new("health", |_| "/healthz".into())];
    all.push(page_of_tasks("tasks, first page", |_| 0));
    all.push(page_of_tasks("tasks, any page", move |round| at(round, tasks)));
    all.push(page_of_tasks("tasks, last page", move |_| {
        tasks.saturating_sub(100)
    }));
    all.push(page_of_experiments("experiments, first page", |_| 0));
    all.push(page_of_experiments("experiments, any page", move |round| {
        at(round, experiments)
    }));
    all.push(page_of_experiments("experiments, last page", move |_| {
        experiments.saturating_sub(100)
    }));
    all.extend(single(tasks, experiments));
    all.extend(dashboard());
    Ok(all)
}

fn page_of_tasks(name: &'static str, skip: impl Fn(u64) -> u64 + Copy + 'static) -> Request {
    let query = "SELECT * FROM tasks ORDER BY id DESC LIMIT 100 OFFSET";
    Request::new(name, move |round| format!("/api/tasks?skip={}", skip(round)))
        .beside(move |round| format!("{query} {}", skip(round)))
}

fn page_of_experiments(name: &'static str, skip: impl Fn(u64) -> u64 + Copy + 'static) -> Request {
    let query = "SELECT * FROM experiments e JOIN results r ON r.experiment = e.id \
                 ORDER BY e.id DESC LIMIT 100 OFFSET";
    Request::new(name, move |round| {
        format!("/api/experiments?skip={}", skip(round))
    })
    .beside(move |round| format!("{query} {}", skip(round)))
}

/// One task, one experiment, what belongs to one task.
fn single(tasks: u64, experiments: u64) -> Vec<Request> {
    let task = move |round| at(round, tasks.saturating_sub(3)) + 3;
    let experiment = move |round| at(round, experiments) + 1;
    let of_task = |task: u64| {
        format!(
            "SELECT * FROM experiments e JOIN results r ON r.experiment = e.id \
             WHERE e.task = {task} AND e.run = 1 ORDER BY e.number"
        )
    };
    vec![
        Request::new("task", move |round| format!("/api/tasks/{}", task(round)))
            .beside(move |round| format!("SELECT * FROM tasks WHERE id = {}", task(round))),
        Request::new("results of a task", move |round| {
            format!("/api/tasks/{}/results", task(round))
        })
        .beside(move |round| of_task(task(round))),
        Request::new("results of a task, usual ones", |_| "/api/tasks/1/results".into())
            .beside(move |_| of_task(1)),
        Request::new("experiments of a task, usual ones", |_| {
            "/api/experiments/task/1".into()
        })
        .beside(move |_| of_task(1)),
        Request::new("experiment", move |round| {
            format!("/api/experiments/{}", experiment(round))
        })
        .beside(move |round| {
            format!(
                "SELECT * FROM experiments e JOIN results r ON r.experiment = e.id WHERE e.id = {}",
                experiment(round)
            )
        }),
    ]
}

fn dashboard() -> Vec<Request> {
    let timeline = |name, hours: u64| {
        Request::new(name, move |_| {
            format!("/api/dashboard/experiment-timeline?hours={hours}")
        })
        .beside(move |_| {
            format!(
                "SELECT id, task, number, status, started_at_ms, ended_at_ms, objective_score FROM experiments \
                 WHERE started_at_ms >= (unixepoch() - {hours} * 3600) * 1000 \
                 ORDER BY started_at_ms, id LIMIT 10000"
            )
        })
    };
    vec![
        Request::new("statistics", |_| "/api/dashboard/db-statistics".into()),
        timeline("timeline of a day", 24),
        timeline("timeline of a year", 8760),
    ]
}

/// What one kind of request takes, milliseconds for one of them.
struct Timed {
    p50: f64,
    p99: f64,
    busy: f64,
    queued: f64,
    sqlite: Option<f64>,
    bytes: usize,
}

/// The pass with the lowest 99th percentile.
async fn best(
    server: &Server,
    peer: &mut Peer,
    request: &Request,
    rounds: u64,
    passes: u64,
) -> Result<Timed, Failure> {
    let mut best: Option<Timed> = None;
    for pass in 0..passes {
        let timed = timed(server, peer, request, pass * rounds..(pass + 1) * rounds).await?;
        if best.as_ref().is_none_or(|best| timed.p99 < best.p99) {
            best = Some(timed);
        }
    }
    Ok(best.ok_or("no pass at all")?)
}

async fn timed(
    server: &Server,
    peer: &mut Peer,
    request: &Request,
    rounds: std::ops::Range<u64>,
) -> Result<Timed, Failure> {
    let mut client = server.client()?;
    let (mut spent, mut sqlite, mut bytes) = (Vec::new(), Vec::new(), 0);
    // Both know where things are before they are timed.
    client.get(&(request.path)(rounds.start))?;
    let count = f64::from(u32::try_from(rounds.end - rounds.start)?);
    let before = server.effort()?;
    for round in rounds.clone() {
        let path = (request.path)(round);
        let begun = Instant::now();
        let answer = client.get(&path)?;
        spent.push(begun.elapsed().as_secs_f64() * 1000.0);
        bytes = bytes.max(answer.bytes);
    }
    let after = server.effort()?;
    if let Some(query) = &request.query {
        // A peer that counts a million rows off need not do it as often.
        for round in rounds.step_by(20) {
            sqlite.push(peer.time(&query(round)).await?);
        }
    }
    Ok(Timed {
        p50: percentile(&mut spent, 50),
        p99: percentile(&mut spent, 99),
        busy: (after.busy_ms - before.busy_ms) / count,
        queued: (after.queued_ms - before.queued_ms) / count,
        sqlite: (!sqlite.is_empty()).then(|| percentile(&mut sqlite, 50)),
        bytes,
    })
}

fn percentile(times: &mut [f64], share: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or(f64::NAN)
}

fn line(request: &Request, timed: &Timed, floor: f64) -> String {
    let Timed {
        p50,
        p99,
        busy,
        queued,
        sqlite,
        bytes,
    } = timed;
    let or_none = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
    format!(
        "{:<34} {p50:>8.2} {p99:>8.2} {busy:>8.2} {queued:>8.2} {:>8} {:>8}  {:<6} {:>8.1} {bytes:>9}",
        request.name,
        or_none(*sqlite),
        or_none(sqlite.map(|sqlite| p50 / sqlite)),
        met(*p99 <= GOAL_MS),
        p50 / floor
    )
}
