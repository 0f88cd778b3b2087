//! How the lease table on PostgreSQL holds out while it grows: a thousand workers in several
//! processes claim tasks, renew their claims and put experiments on record, by the verbs that
//! workers use. No engine runs.
//!
//! `cargo run --release -p autotuner-store --example lease-bench -- URL [--fill] [EXPERIMENTS [SECONDS [WORKERS [PROCESSES]]]]`
//!
//! The database at that URL must be empty, and stays filled. Workers put experiments on record as
//! fast as they can until there are so many, or until the seconds are over. At 10,000, 100,000,
//! 300,000 and 1,000,000 on record, and at the end, they are watched twice: in a hurry, where all
//! wait for the server and the rate is what counts, and at ease, where an experiment takes half a
//! minute and the time that a verb takes is what counts. With `--fill`, tables grow from one such
//! place to the next by copies of a task that has ended instead.
//!
//! Prints two tables. Fails where two held a task at once, where an experiment is missing or there
//! twice, and where a count is wrong.

#[path = "../made/mod.rs"]
mod made;

mod crowd;
mod figures;
mod server;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use autotuner_store::Database;
use tokio::time::{Instant, sleep};

use crowd::{Crowd, Pace};
use figures::{Figures, Seen};
use server::Server;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// Where growth is looked at.
const PLACES: [u64; 4] = [10_000, 100_000, 300_000, 1_000_000];
/// How long each pace is watched.
const WATCHED: Duration = Duration::from_secs(15);
/// How long after a change of pace nothing is counted.
const SETTLING: Duration = Duration::from_secs(5);

struct Wanted {
    url: String,
    fill: bool,
    experiments: u64,
    limit: Duration,
    workers: usize,
    processes: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let wanted = wanted(std::env::args().skip(1))?;
    let mut databases = Vec::new();
    for _ in 0..wanted.processes {
        databases.push(Database::connect(&wanted.url).await?);
    }
    let mut server = Server::connect(&wanted.url).await?;
    if server.tasks().await? != 0 {
        return Err("the database is not empty".into());
    }
    let people = Database::connect(&wanted.url).await?;
    let crowd = Arc::new(Crowd::new(people, databases, wanted.workers));
    let hands = crowd.begin().await;
    let seen = watch(&crowd, &mut server, &wanted).await;
    crowd.stop(hands).await;
    let seen = seen?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", figures::table(&seen))?;
    let wrong = wrong(&crowd, &mut server).await?;
    crowd.close().await;
    if wrong.is_empty() {
        let (claims, tasks) = (
            crowd.claims.load(Ordering::Relaxed),
            crowd.ended.load(Ordering::Relaxed),
        );
        writeln!(
            out,
            "Of {claims} claims none was of a task that somebody held. {} experiments were put on record by the \
             verbs, {} are copies, and none is missing or there twice. {tasks} tasks have ended. \
             Told as busy: {}.",
            crowd.finished(),
            crowd.copied(),
            crowd.busy.load(Ordering::Relaxed)
        )?;
        return Ok(());
    }
    Err(wrong.join("; ").into())
}

fn wanted(arguments: impl Iterator<Item = String>) -> Result<Wanted, Failure> {
    let (flags, mut rest): (Vec<String>, Vec<String>) = arguments.partition(|word| word.starts_with("--"));
    let fill = match flags.as_slice() {
        [] => false,
        [flag] if flag == "--fill" => true,
        other => return Err(format!("unknown: {other:?}").into()),
    };
    if rest.is_empty() {
        return Err("the URL of an empty database on a PostgreSQL server is missing".into());
    }
    let url = rest.remove(0);
    let mut numbers = rest.iter().map(|word| word.parse::<u64>());
    let mut number = |usual: u64| numbers.next().unwrap_or(Ok(usual));
    Ok(Wanted {
        url,
        fill,
        experiments: number(10_000)?,
        limit: Duration::from_secs(number(120)?),
        workers: usize::try_from(number(1000)?)?,
        processes: usize::try_from(number(8)?)?.max(1),
    })
}

/// Lets the tables grow and watches at each place.
async fn watch(crowd: &Crowd, server: &mut Server, wanted: &Wanted) -> Result<Vec<Seen>, Failure> {
    let begun = Instant::now();
    let mut places: Vec<u64> = PLACES
        .into_iter()
        .filter(|place| *place < wanted.experiments)
        .collect();
    places.push(wanted.experiments);
    let mut seen = Vec::new();
    for place in places {
        // Copies are of what workers have ended.
        let by_copies = wanted.fill && crowd.ended.load(Ordering::Relaxed) > 0;
        crowd.set(if by_copies { Pace::Ease } else { Pace::Hurry });
        while crowd.on_record() < place && begun.elapsed() < wanted.limit {
            if by_copies {
                let copied = server.copy(place - crowd.on_record()).await?;
                crowd.copied.fetch_add(copied, Ordering::Relaxed);
            } else {
                sleep(Duration::from_millis(100)).await;
            }
        }
        if wanted.fill {
            server.analyze().await?;
        }
        let hurry = at_pace(crowd, server, Pace::Hurry).await?;
        let ease = at_pace(crowd, server, Pace::Ease).await?;
        let tables = server.tables().await?;
        let on_record = crowd.on_record();
        seen.push(Seen {
            on_record,
            hurry,
            ease,
            tables,
        });
        writeln!(
            std::io::stderr(),
            "{on_record} experiments on record after {} s",
            begun.elapsed().as_secs()
        )?;
        if begun.elapsed() >= wanted.limit {
            break;
        }
    }
    Ok(seen)
}

/// What is seen at one pace.
async fn at_pace(crowd: &Crowd, server: &mut Server, pace: Pace) -> Result<Figures, Failure> {
    crowd.set(pace);
    sleep(SETTLING).await;
    crowd.forget_times();
    let before = server.work().await?;
    let begun = Instant::now();
    sleep(WATCHED).await;
    let seconds = begun.elapsed().as_secs_f64();
    let work = server.work().await?.since(&before);
    Ok(Figures::of(crowd.take_times(), seconds, work))
}

/// What is not as it must be at the end.
async fn wrong(crowd: &Crowd, server: &mut Server) -> Result<Vec<String>, Failure> {
    let mut wrong = crowd.wrong();
    let kept = server.successes().await?;
    if kept != crowd.on_record() {
        wrong.push(format!("{kept} successes are kept of {}", crowd.on_record()));
    }
    wrong.extend(server.uneven().await?);
    wrong.extend(crowd.database().check().await?);
    Ok(wrong)
}
