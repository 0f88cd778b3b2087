//! Much at once: writers without mercy, readers that break off, logs larger than memory.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::support::{Fresh, PATIENCE};

/// Chance that can be repeated: SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than this.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

fn line(generation: u64, number: u64) -> String {
    let filler = "\u{e9}\u{1f600}x".repeat((number % 9) as usize);
    format!("{generation} {number} {filler}")
}

/// Where a reader is: generation and the number of the next line.
#[derive(Default)]
struct Seen {
    generation: AtomicU64,
    next: AtomicU64,
}

/// Writes so many lines in pieces that respect nothing, and empties the log now and then. Before
/// every second time, it waits until all was read. Returns the last generation and how many lines it has.
fn write(path: PathBuf, seed: u64, count: u64, seen: &Seen) -> (u64, u64) {
    let mut chance = Chance(seed);
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("opened");
    let (mut generation, mut number, mut bytes) = (0, 0, Vec::new());
    for written in 0..count {
        bytes.extend_from_slice(line(generation, number).as_bytes());
        bytes.push(b'\n');
        number += 1;
        if bytes.len() as u64 > chance.below(20_000) {
            let most = bytes.len() as u64 + 1;
            let rest = bytes.split_off(chance.below(most) as usize);
            log.write_all(&bytes).expect("written");
            bytes = rest;
        }
        if chance.one_in(500) {
            std::thread::sleep(Duration::from_millis(chance.below(8)));
        }
        if chance.one_in(4000) && written + 1 < count {
            if chance.one_in(2) {
                log.write_all(&bytes).expect("written");
                wait_until_read(seen, generation, number);
            }
            bytes.clear();
            log.set_len(0).expect("emptied");
            (generation, number) = (generation + 1, 0);
        }
    }
    log.write_all(&bytes).expect("written");
    (generation, number)
}

fn wait_until_read(seen: &Seen, generation: u64, number: u64) {
    // Some six thousand looks, each a hundredth of a second apart.
    for _ in 0..6000 {
        if seen.generation.load(Ordering::Acquire) == generation
            && seen.next.load(Ordering::Acquire) == number
        {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("line {number} of generation {generation} was not read in time");
}

async fn storm(seed: u64, is_batch: bool) {
    println!("seed {seed}");
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    let path = fresh.service.logs.task(task);
    std::fs::write(&path, "").expect("made");
    let seen = Arc::new(Seen::default());
    let writer = std::thread::spawn({
        let seen = Arc::clone(&seen);
        move || write(path, seed, 100_000, &seen)
    });
    let mut writer = Some(writer);
    let mut last = None;
    let mut chance = Chance(!seed);
    let batch = if is_batch { "&batch=1" } else { "" };
    let url = format!("/api/tasks/{task}/logs?follow=true{batch}");
    let mut id: Option<String> = None;
    let mut frames = fresh.stream(&url, None).await;
    let (mut generation, mut next, mut is_told) = (0, 0, false);
    let deadline = Instant::now() + 3 * PATIENCE;
    while last != Some((generation, next)) {
        assert!(
            Instant::now() < deadline,
            "seed {seed}: stuck at {generation} {next}, of {last:?}"
        );
        if writer.as_ref().is_some_and(std::thread::JoinHandle::is_finished) {
            last = writer
                .take()
                .map(|writer| writer.join().expect("the writer is well"));
            continue;
        }
        if chance.one_in(if is_batch { 5 } else { 3000 }) {
            frames = fresh.stream(&url, id.as_deref()).await;
        }
        let frame = frames.next().await.expect("no end");
        let lines: Vec<String> = match is_batch {
            true => serde_json::from_str(frame.line()).expect("texts"),
            false => vec![frame.line().to_owned()],
        };
        for text in lines {
            if text == "[Log file was truncated]" {
                is_told = true;
                continue;
            }
            if is_told {
                let later = text.split(' ').next().and_then(|word| word.parse().ok());
                let later: u64 = later.expect("a generation");
                assert!(later > generation, "seed {seed}: {text:?} after {generation}");
                (generation, next, is_told) = (later, 0, false);
            }
            assert_eq!(text, line(generation, next), "seed {seed}");
            next += 1;
        }
        id = frame.id;
        // The number first: it only counts together with its generation.
        seen.next.store(next, Ordering::Release);
        seen.generation.store(generation, Ordering::Release);
    }
    println!("generations {generation}, last {next}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_comes_once_and_in_order() {
    for seed in [1, 20_240_607] {
        storm(seed, false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_comes_once_and_in_order_in_batches() {
    for seed in [3, 0x5eed] {
        storm(seed, true).await;
    }
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.expect("a number") * 1024
}

#[tokio::test]
async fn a_log_of_200_megabytes_takes_little_memory() {
    const SIZE: usize = 200 * 1024 * 1024;
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    let line = "x".repeat(16 * 1024 - 1) + "\n";
    let mut log = std::fs::File::create(fresh.service.logs.task(task)).expect("made");
    for _ in 0..SIZE / line.len() {
        log.write_all(line.as_bytes()).expect("written");
    }
    let before = peak();
    let mut read = 0;
    let mut frames = fresh.stream("/api/tasks/1/logs?follow=true", None).await;
    while read < SIZE {
        read += frames.chunk().await;
    }
    let answer = fresh.get("/api/tasks/1/logs?tail=5").await;
    assert_eq!(answer.json()["logs"].as_str().map(str::len), Some(5 * line.len()));
    drop(answer);
    // Eight megabytes of text, and their JSON.
    let took = peak() - before;
    assert!(took < 40 * 1024 * 1024, "{took} bytes");
    let whole = fresh.get("/api/tasks/1/logs").await;
    assert!(whole.body.len() < 9 * 1024 * 1024 && whole.body.starts_with(br#"{"logs":"["#));
}
