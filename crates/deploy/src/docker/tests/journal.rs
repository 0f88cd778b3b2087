//! A journal against the real daemon, which must hold everything exactly once.

use std::fs;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::proxy::{Gate, Proxy};
use super::*;
use crate::DeployError;
use crate::docker::journal::{Journal, copy_all};

const DAEMON: &str = "/var/run/docker.sock";

/// A folder for a log, and the log's name in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn log_file(&self) -> PathBuf {
        self.0.path().join("logs/engine.log")
    }

    fn read(&self) -> String {
        String::from_utf8(fs::read(self.log_file()).unwrap()).unwrap()
    }

    fn start(&self, docker: &Docker, id: &str) -> Journal {
        Journal::start(docker.clone(), id.to_owned(), self.log_file()).unwrap()
    }
}

fn numbers(last: usize) -> String {
    (1..=last).map(|number| format!("{number}\n")).collect()
}

/// Compares without printing megabytes.
fn expect_same(found: &str, expected: &str) {
    let agree = found
        .bytes()
        .zip(expected.bytes())
        .take_while(|(one, other)| one == other)
        .count();
    let around = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[agree.saturating_sub(40)..(agree + 40).min(text.len())])
            .into_owned()
    };
    assert!(
        found == expected,
        "{} bytes instead of {}; they part at {agree}: {:?} instead of {:?}",
        found.len(),
        expected.len(),
        around(found),
        around(expected),
    );
}

/// Runs the script to its end with a journal, and checks what the journal has.
async fn check(world: &World, script: &str, expected: &str) {
    let desk = Desk::new();
    let id = world.create(script).await;
    let journal = desk.start(&world.docker, &id);
    world.start(&id).await;
    world.ended(&id).await;
    journal.complete(PATIENCE).await.unwrap();
    expect_same(&desk.read(), expected);
    journal.complete(PATIENCE).await.unwrap();
    expect_same(&desk.read(), expected);
    assert_eq!(journal.interruption(), None);
    world.remove(&id).await;
    journal.complete(PATIENCE).await.unwrap();
    expect_same(&desk.read(), expected);
}

#[tokio::test]
async fn a_log_has_the_first_byte_and_the_last() {
    let Some(world) = World::new().await else { return };
    check(&world, "", "").await;
    check(&world, "echo one; echo two", "one\ntwo\n").await;
    check(&world, "printf 'no end'", "no end").await;
    check(&world, "echo one; printf 'no end' >&2", "one\nno end").await;
    check(&world, r"printf 'a\n\n \tb\r\n'", "a\n\n \tb\r\n").await;
    check(
        &world,
        r"printf ' 0%%\r'; printf ' 50%%\r'; printf '100%%\n'; printf 'x\r'",
        " 0%\r 50%\r100%\nx\r",
    )
    .await;
}

#[tokio::test]
async fn long_lines_are_whole() {
    let Some(world) = World::new().await else { return };
    for length in [16_383, 16_384, 16_385, 32_768, 3_000_000] {
        let script = |end: &str| format!("head -c {length} /dev/zero | tr '\\0' y; printf '{end}'");
        let line = "y".repeat(length);
        check(&world, &script("\\n"), &format!("{line}\n")).await;
        check(&world, &script(""), &line).await;
    }
}

#[tokio::test]
async fn long_lines_of_both_streams_do_not_mix() {
    let Some(world) = World::new().await else { return };
    let desk = Desk::new();
    // Each line is a number, a letter 40 000 times, and the number again.
    let program = |letter: &str| {
        format!(
            "mawk 'BEGIN {{ s = \"{letter}\"; while (length(s) < 40000) s = s s; s = substr(s, 1, 40000); \
             for (i = 0; i < 100; i++) print i s i }}'"
        )
    };
    let script = format!("({} & {} >&2; wait)", program("o"), program("e"));
    let id = world.create(&script).await;
    world.start(&id).await;
    let journal = desk.start(&world.docker, &id);
    world.ended(&id).await;
    journal.complete(PATIENCE).await.unwrap();
    let log = desk.read();
    for letter in ["o", "e"] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(letter)).collect();
        let expected: Vec<String> = (0..100)
            .map(|number| format!("{number}{}{number}", letter.repeat(40_000)))
            .collect();
        assert!(lines == expected, "{} lines of {letter}", lines.len());
    }
    assert_eq!(log.lines().count(), 200);
}

#[tokio::test]
async fn what_is_printed_at_once_before_the_end_is_whole() {
    let Some(world) = World::new().await else { return };
    let world = Arc::new(world);
    let expected = Arc::new(numbers(50_000));
    // Four at a time: they are to be hard on the daemon, not on the machine's memory.
    for _ in 0..5 {
        let mut set = JoinSet::new();
        for _ in 0..4 {
            let (world, expected) = (Arc::clone(&world), Arc::clone(&expected));
            set.spawn(async move {
                let desk = Desk::new();
                let id = world.create("seq 1 50000").await;
                world.start(&id).await;
                let journal = desk.start(&world.docker, &id);
                world.ended(&id).await;
                journal.complete(PATIENCE).await.unwrap();
                expect_same(&desk.read(), &expected);
                world.remove(&id).await;
            });
        }
        set.join_all().await;
    }
}

/// A journal that reaches the daemon through a gate.
struct Gated {
    desk: Desk,
    proxy: Proxy,
    journal: Journal,
}

impl Gated {
    fn new(id: &str) -> Self {
        let desk = Desk::new();
        let socket = desk.0.path().join("docker.sock");
        let proxy = Proxy::unix(&socket, DAEMON.into());
        let docker =
            Docker::connect_with_unix(&socket.display().to_string(), 120, bollard::API_DEFAULT_VERSION)
                .unwrap();
        let journal = desk.start(&docker, id);
        Self { desk, proxy, journal }
    }

    async fn until_it_has(&self, bytes: u64) {
        let log_file = self.desk.log_file();
        until("the log grows", || async {
            fs::metadata(&log_file).unwrap().len() >= bytes
        })
        .await;
    }
}

#[tokio::test]
async fn a_reader_that_lags_loses_nothing() {
    let Some(world) = World::new().await else { return };
    for stalls_after in [1, 50_000, 400_000] {
        let id = world.create("seq 1 60000").await;
        let gated = Gated::new(&id);
        gated.proxy.set(Gate::Stalls { after: stalls_after });
        world.start(&id).await;
        world.ended(&id).await;
        gated.proxy.set(Gate::Open);
        gated.journal.complete(PATIENCE).await.unwrap();
        expect_same(&gated.desk.read(), &numbers(60_000));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_again_and_again_is_taken_up_again() {
    let Some(world) = World::new().await else { return };
    let id = world
        .create("for i in $(seq 1 40); do seq 1 500; seq 501 1000; sleep 0.1; done; printf end")
        .await;
    let gated = Gated::new(&id);
    assert_eq!(gated.journal.interruption(), None);
    world.start(&id).await;
    for cut in 1..=8 {
        gated.until_it_has(cut * 2000).await;
        gated.proxy.set(Gate::Broken);
        until("all is broken off", || async { gated.proxy.connections() == 0 }).await;
        until("it is seen", || async { gated.journal.interruption().is_some() }).await;
        gated.proxy.set(Gate::Open);
    }
    world.ended(&id).await;
    gated.journal.complete(PATIENCE).await.unwrap();
    expect_same(&gated.desk.read(), &format!("{}end", numbers(1000).repeat(40)));
}

#[tokio::test]
async fn a_daemon_that_is_away_is_waited_for_until_the_deadline() {
    let Some(world) = World::new().await else { return };
    let id = world.create("seq 1 100; printf end").await;
    let gated = Gated::new(&id);
    gated.proxy.set(Gate::Broken);
    world.start(&id).await;
    world.ended(&id).await;
    let result = gated.journal.complete(Duration::from_secs(3)).await;
    assert!(
        matches!(result, Err(DeployError::TargetGone { .. })),
        "{result:?}"
    );
    assert!(gated.journal.interruption().is_some());
    gated.proxy.set(Gate::Open);
    gated.journal.complete(PATIENCE).await.unwrap();
    expect_same(&gated.desk.read(), &format!("{}end", numbers(100)));
}

#[tokio::test]
async fn a_silent_container_is_followed_without_an_end() {
    let Some(world) = World::new().await else { return };
    let id = world
        .create("read line < /dev/null; sleep 4; echo late; sleep 600")
        .await;
    let gated = Gated::new(&id);
    world.start(&id).await;
    gated.until_it_has(5).await;
    assert_eq!(gated.journal.interruption(), None);
    assert_eq!(gated.desk.read(), "late\n");
    // Dropped, it lets go of the daemon.
    drop(gated.journal);
    until("nobody follows", || async { gated.proxy.connections() == 0 }).await;
}

#[tokio::test]
async fn a_container_that_is_gone_leaves_what_there_is() {
    let Some(world) = World::new().await else { return };
    let id = world.create("echo here; printf 'and here'; sleep 600").await;
    let desk = Desk::new();
    let journal = desk.start(&world.docker, &id);
    world.start(&id).await;
    until("the first line is there", || async {
        desk.read().starts_with("here\n")
    })
    .await;
    world.remove(&id).await;
    journal.complete(PATIENCE).await.unwrap();
    assert!(
        ["here\n", "here\nand here"].contains(&desk.read().as_str()),
        "{}",
        desk.read()
    );
    assert_eq!(journal.interruption(), None);

    let desk = Desk::new();
    let journal = desk.start(&world.docker, "0123456789abcdef");
    journal.complete(PATIENCE).await.unwrap();
    assert_eq!(desk.read(), "");
}

#[tokio::test]
async fn a_terminals_output_is_refused() {
    let Some(world) = World::new().await else { return };
    let id = world.create_as("echo hello", true).await;
    let desk = Desk::new();
    let journal = desk.start(&world.docker, &id);
    world.start(&id).await;
    world.ended(&id).await;
    let error = journal.complete(PATIENCE).await.unwrap_err();
    assert!(matches!(error, DeployError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("terminal"), "{error}");
}

#[tokio::test]
async fn a_log_that_was_there_is_appended_to() {
    let Some(world) = World::new().await else { return };
    let desk = Desk::new();
    fs::create_dir(desk.log_file().parent().unwrap()).unwrap();
    fs::write(desk.log_file(), "before\n").unwrap();
    let id = world.create("echo after").await;
    world.start(&id).await;
    world.ended(&id).await;
    desk.start(&world.docker, &id).complete(PATIENCE).await.unwrap();
    assert_eq!(desk.read(), "before\nafter\n");
}

#[tokio::test]
async fn a_dead_owners_log_is_made_whole() {
    let Some(world) = World::new().await else { return };
    let desk = Desk::new();
    let id = world.create("seq 1 1000; printf end").await;
    world.start(&id).await;
    world.ended(&id).await;
    let whole = format!("{}end", numbers(1000));
    copy_all(&world.docker, &id, &desk.log_file()).await.unwrap();
    expect_same(&desk.read(), &whole);

    fs::write(desk.log_file(), "1\n2\n").unwrap();
    copy_all(&world.docker, &id, &desk.log_file()).await.unwrap();
    expect_same(&desk.read(), &whole);

    let longer = "x".repeat(whole.len() + 1);
    fs::write(desk.log_file(), &longer).unwrap();
    copy_all(&world.docker, &id, &desk.log_file()).await.unwrap();
    expect_same(&desk.read(), &longer);

    world.remove(&id).await;
    copy_all(&world.docker, &id, &desk.log_file()).await.unwrap();
    expect_same(&desk.read(), &longer);
    let files = fs::read_dir(desk.log_file().parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "nothing is left beside it");
}
