//! How much of the daemon's own pace is left of a container's log by the time it has passed through
//! `autotuner serve`.
//!
//! `cargo run --release -p autotuner-deploy --example log-bench -- BINARY IMAGE [LINES [PASSES]]`
//!
//! IMAGE has this very program as its entrypoint (`scripts/bench-containers.sh` makes it): in a
//! container it is what prints. The peer is a bare reader of the daemon's socket that counts lines
//! and does nothing else; it and the service take turns, and medians are told. Fails where less than
//! the floor of the peer's pace is left, where a line is missing or comes twice, or where a viewer
//! that does not read costs more memory than it may; a goal that is missed is only told.

mod container;
mod reader;
mod server;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use container::Container;
use reader::{Count, Source, ask, read, stall};
use server::Server;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const FLOOR: f64 = 0.70;
const LIVE_GOAL: f64 = 0.90;
const AT_REST_GOAL: f64 = 0.85;
const VIEWERS: usize = 20;
const STALLED_GOAL_MEBIBYTES: f64 = 10.0;
const STALLED_CEILING_MEBIBYTES: f64 = 32.0;
const OTHERS_GOAL_MS: f64 = 50.0;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--version"] => writeln!(io::stdout(), "log-bench 1.0.0").map_err(Failure::from),
        ["print", count] => print(count.parse()?),
        ["count", address, id, count] => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(async {
                let source = Source::Service(address.to_owned());
                let count = read(source, id.to_owned(), false, count.parse()?).await?;
                say(&format!("{} lines, {:.0} a second", count.lines, count.rate()))
            }),
        [binary, image, ref rest @ ..] if rest.len() <= 2 => {
            let number = |at: usize, usual: usize| rest.get(at).map_or(Ok(usual), |text| text.parse());
            let bench = Bench {
                binary: PathBuf::from(binary).canonicalize()?,
                image: image.to_owned(),
                lines: number(0, 150_000)?,
                passes: number(1, 5)?,
            };
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?
                .block_on(bench.run())
        }
        _ => Err("log-bench BINARY IMAGE [LINES [PASSES]]".into()),
    }
}

/// Prints lines of a hundred bytes as fast as they are taken.
fn print(count: usize) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let rest = "x".repeat(85);
    for line in 0..count {
        writeln!(out, "line {line:08} {rest}")?;
    }
    Ok(out.flush()?)
}

struct Bench {
    binary: PathBuf,
    image: String,
    lines: usize,
    passes: usize,
}

impl Bench {
    async fn run(self) -> Result<(), Failure> {
        let data = tempfile::tempdir()?;
        let server = Server::start(&self.binary, data.path()).await?;
        say(&format!(
            "load: {}",
            std::fs::read_to_string("/proc/loadavg")?.trim()
        ))?;
        say(&format!(
            "{} lines of 100 bytes, medians of {} passes in turns",
            self.lines, self.passes
        ))?;
        let mut failures = Vec::new();
        failures.extend(self.live(&server).await?);
        failures.extend(self.at_rest(&server).await?);
        failures.extend(self.together(&server).await?);
        failures.extend(self.stalled(&server).await?);
        match failures.is_empty() {
            true => Ok(()),
            false => Err(failures.join("; ").into()),
        }
    }

    /// A container that prints while it is read.
    async fn live(&self, server: &Server) -> Result<Option<String>, Failure> {
        let (mut peer, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..self.passes {
            peer.push(self.one_live(&Source::Daemon).await?);
            ours.push(self.one_live(&Source::Service(server.address())).await?);
        }
        tell("live", &peer, &ours, self.lines, LIVE_GOAL)
    }

    async fn one_live(&self, source: &Source) -> Result<Count, Failure> {
        let container = Container::create(&self.image, self.lines).await?;
        let reading = tokio::spawn(read(source.clone(), container.id.clone(), true, self.lines));
        // Whoever follows a container that was not started is told of no end by the daemon.
        if matches!(source, Source::Service(_)) {
            sleep(Duration::from_millis(300)).await;
        }
        container.start().await?;
        let count = reading.await??;
        container.remove().await?;
        Ok(count)
    }

    /// One that has ended.
    async fn at_rest(&self, server: &Server) -> Result<Option<String>, Failure> {
        let container = self.filled().await?;
        let (mut peer, mut ours, mut files) = (Vec::new(), Vec::new(), Vec::new());
        let service = Source::Service(server.address());
        let file = Source::Download(server.address());
        for _ in 0..self.passes {
            peer.push(read(Source::Daemon, container.id.clone(), false, self.lines).await?);
            ours.push(read(service.clone(), container.id.clone(), false, self.lines).await?);
            files.push(read(file.clone(), container.id.clone(), false, self.lines).await?);
        }
        container.remove().await?;
        let failed = tell("at rest", &peer, &ours, self.lines, AT_REST_GOAL)?;
        Ok(failed.or(tell(
            "at rest, as a file",
            &peer,
            &files,
            self.lines,
            AT_REST_GOAL,
        )?))
    }

    async fn filled(&self) -> Result<Container, Failure> {
        let container = Container::create(&self.image, self.lines).await?;
        container.start().await?;
        container.ended().await?;
        Ok(container)
    }

    /// Many who look at one container.
    async fn together(&self, server: &Server) -> Result<Option<String>, Failure> {
        let alone = self.one_live(&Source::Service(server.address())).await?;
        let container = Container::create(&self.image, self.lines).await?;
        let source = Source::Service(server.address());
        let readings: Vec<_> = (0..VIEWERS)
            .map(|_| tokio::spawn(read(source.clone(), container.id.clone(), true, self.lines)))
            .collect();
        sleep(Duration::from_millis(500)).await;
        container.start().await?;
        let (mut slowest, mut missing, mut gaps) = (f64::INFINITY, 0, 0);
        for reading in readings {
            let count = reading.await??;
            slowest = slowest.min(count.rate());
            missing += self.lines.abs_diff(count.lines);
            gaps += count.gaps;
        }
        container.remove().await?;
        say(&format!(
            "{VIEWERS} viewers of one container: the slowest {:.0} lines/s, {:.2} of one alone (goal 0.90: {}), \
             {missing} lines missing, {gaps} gaps",
            slowest,
            slowest / alone.rate(),
            met(slowest / alone.rate() >= 0.9),
        ))?;
        Ok((missing > 0 && gaps == 0).then(|| format!("{missing} lines missing of {VIEWERS} viewers")))
    }

    /// One who does not read, beside one who does, and somebody who asks for something else.
    async fn stalled(&self, server: &Server) -> Result<Option<String>, Failure> {
        let count = self.lines * 16;
        let container = Container::create(&self.image, count).await?;
        let stalled = stall(&server.address(), &container.id).await?;
        sleep(Duration::from_millis(500)).await;
        let before = server.resident_mebibytes()?;
        let reading = tokio::spawn(read(
            Source::Service(server.address()),
            container.id.clone(),
            true,
            count,
        ));
        // It follows from the first line on only where it is there before that.
        sleep(Duration::from_millis(500)).await;
        container.start().await?;
        let (mut most, mut waited) = (before, Vec::new());
        let begun = Instant::now();
        while !reading.is_finished() && begun.elapsed() < Duration::from_secs(60) {
            let asked = Instant::now();
            ask(&server.address(), "/api/tasks/?limit=10").await?;
            waited.push(asked.elapsed().as_secs_f64() * 1e3);
            most = most.max(server.resident_mebibytes()?);
            sleep(Duration::from_millis(20)).await;
        }
        let seconds = begun.elapsed().as_secs_f64();
        reading.abort();
        drop(stalled);
        container.remove().await?;
        waited.sort_by(f64::total_cmp);
        let p99 = waited[waited.len() * 99 / 100];
        let grown = most - before;
        say(&format!(
            "a viewer that does not read, {seconds:.0} s of flood: memory grew by {grown:.1} MiB (goal {STALLED_GOAL_MEBIBYTES}: {})",
            met(grown <= STALLED_GOAL_MEBIBYTES)
        ))?;
        say(&format!(
            "other calls meanwhile: p50 {:.1} ms, p99 {p99:.1} ms of {} (goal {OTHERS_GOAL_MS}: {})",
            waited[waited.len() / 2],
            waited.len(),
            met(p99 <= OTHERS_GOAL_MS)
        ))?;
        Ok((grown > STALLED_CEILING_MEBIBYTES)
            .then(|| format!("a viewer that does not read costs {grown:.0} MiB")))
    }
}

/// Tells a comparison. What failed of it, if anything has.
fn tell(
    what: &str,
    peer: &[Count],
    ours: &[Count],
    lines: usize,
    goal: f64,
) -> Result<Option<String>, Failure> {
    let (peer_rate, our_rate) = (median(peer), median(ours));
    let ratio = our_rate / peer_rate;
    let wrong: usize = ours
        .iter()
        .map(|count| count.lines.abs_diff(lines) + count.out_of_order)
        .sum();
    let peers_wrong: usize = peer.iter().map(|count| count.lines.abs_diff(lines)).sum();
    say(&format!(
        "{what}: bare reader {peer_rate:.0} lines/s, service {our_rate:.0} lines/s: {ratio:.2} (floor {FLOOR}: {}, goal {goal}: {}); \
         lines missing or out of place: service {wrong}, bare reader {peers_wrong}",
        met(ratio >= FLOOR),
        met(ratio >= goal),
    ))?;
    if wrong > 0 {
        return Ok(Some(format!("{what}: {wrong} lines missing or out of place")));
    }
    Ok((ratio < FLOOR).then(|| format!("{what}: {ratio:.2} of the bare reader's pace")))
}

fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

fn median(counts: &[Count]) -> f64 {
    let mut rates: Vec<f64> = counts.iter().map(Count::rate).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
