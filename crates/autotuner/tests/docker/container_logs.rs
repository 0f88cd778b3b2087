//! Logs of containers over the REST API of a server that runs: parts, streams, files.
//!
//! What containers print is numbered or known byte by byte, so that a line that is lost or given
//! twice is seen.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harbour::{docker, sim_image, sim_task};
use crate::served::{DEADLINE, Image, Made, Reply, Server};
use crate::support::wait_for;

/// A shell in a container that runs.
fn printing(image: &Image, script: &str) -> Made {
    let made = Made::new(image, &[], &["/usr/bin/bash", "-c", script]);
    docker(&["start", &made.id]).expect("started");
    made
}

/// A shell that has ended, all of whose output the daemon has.
fn printed(image: &Image, script: &str) -> Made {
    let made = printing(image, script);
    docker(&["wait", &made.id]).expect("it ends");
    made
}

fn path(made: &Made, rest: &str) -> String {
    format!("/api/docker/containers/{}/logs{rest}", made.name)
}

fn encoded(text: &str) -> String {
    text.replace('+', "%2B").replace(':', "%3A")
}

/// The lines of a part of a log, which counts them right.
#[track_caller]
fn lines(reply: Reply) -> Vec<String> {
    let log = reply.is(200).json();
    let text = log["logs"].as_str().expect("a text");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(log["lines"], lines.len());
    assert_eq!(log["is_preserved"], false);
    lines
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    name: Option<String>,
    id: Option<String>,
    data: String,
}

impl Event {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A stream that was asked for.
struct Stream {
    status: u16,
    head: Vec<String>,
    lines: std::io::Lines<BufReader<TcpStream>>,
}

impl Stream {
    fn open(server: &Server, path: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(&server.address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let last = last.map_or_else(String::new, |id| format!("last-event-id: {id}\r\n"));
        let token = &server.tokens["viewer"];
        // Of the older protocol a body is what follows, not chunks of it.
        let request = format!(
            "GET {path} HTTP/1.0\r\nhost: {}\r\nauthorization: Bearer {token}\r\n{last}\r\n",
            server.address
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().expect("an answer").expect("a line");
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
        let head = lines.by_ref().map(|line| line.expect("a line"));
        let head = head.take_while(|line| !line.is_empty());
        Self {
            status: status.unwrap_or_else(|| panic!("{path}: {first}")),
            head: head.map(|line| line.to_lowercase()).collect(),
            lines,
        }
    }

    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}", self.head);
        self
    }

    /// The next whole event; none where the stream ends or breaks.
    fn event(&mut self) -> Option<Event> {
        let (mut name, mut id, mut data) = (None, None, None);
        loop {
            let line = match self.lines.next()? {
                Ok(line) => line,
                // Only a stream whose server was killed breaks; one that is silent is an error.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("waited for an event: {error}"),
            };
            match line.split_once(": ") {
                Some(("event", text)) => name = Some(text.to_owned()),
                Some(("id", text)) => id = Some(text.to_owned()),
                Some(("data", text)) => {
                    assert!(data.is_none(), "an event of two lines: {text}");
                    data = Some(text.to_owned());
                }
                _ if line.is_empty() && data.is_some() => {
                    let data = data.unwrap_or_default();
                    return Some(Event { name, id, data });
                }
                _ => assert!(line.is_empty() || line.starts_with(": "), "{line:?}"),
            }
        }
    }

    fn rest(mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.event()).collect()
    }
}

#[test]
fn a_part_is_what_was_asked_for() {
    let Some(image) = Image::new() else { return };
    let server = Server::new(&[]);
    let made = printed(
        &image,
        "for ((i = 1; i <= 200; i++)); do echo \"line $i\"; done; sleep 0.2; echo oops >&2; \
         sleep 0.2; printf 'wide \\xc3\\xa9\\n\\nlast'",
    );
    let get = |rest: &str| server.get(&path(&made, rest));
    let numbered = |from: usize, to: usize| (from..=to).map(|i| format!("line {i}"));
    let rest = ["oops", "wide é", "", "last"].map(str::to_owned);
    let all: Vec<String> = numbered(1, 200).chain(rest).collect();
    assert_eq!(lines(get("")), all);
    assert_eq!(lines(get("?tail=5")), all[199..]);
    assert_eq!(get("?tail=3").json()["is_cut"], true);
    assert_eq!(lines(get("?tail=0")), Vec::<String>::new());
    assert_eq!(lines(get("?stream=stderr")), ["oops"]);
    assert_eq!(lines(get("?stream=stdout&tail=3")), ["wide é", "", "last"]);
    assert_eq!(
        lines(get("?search=%5Eline+1..%24&tail=2")),
        ["line 198", "line 199"]
    );
    let found = get("?search=%5Eline+1..%24&tail=2").json();
    assert_eq!(
        (&found["matching"], &found["looked_at"]),
        (&json!(100), &json!(204))
    );
    assert_eq!(lines(get("?search=nowhere")), Vec::<String>::new());

    let log = get("?batch=true&timestamps=true").json();
    let entries = log["entries"].as_array().expect("lines one by one");
    let text = |entry: &Value, key: &str| entry[key].as_str().expect("a text").to_owned();
    let stamps: Vec<String> = entries.iter().map(|entry| text(entry, "t")).collect();
    let texts: Vec<String> = entries.iter().map(|entry| text(entry, "l")).collect();
    assert_eq!(texts, all);
    assert_eq!(
        (&entries[199]["s"], &entries[200]["s"]),
        (&json!("o"), &json!("e"))
    );
    let stamped: Vec<String> = stamps
        .iter()
        .zip(&texts)
        .map(|(t, l)| format!("{t} {l}"))
        .collect();
    assert_eq!(log["logs"].as_str().expect("a text"), stamped.join("\n"));
    // All have nine digits, so their order is that of the times.
    let middle = &stamps[200];
    let those = |is: &dyn Fn(&String) -> bool| -> Vec<String> {
        let pairs = stamps.iter().zip(&texts);
        pairs
            .filter(|(stamp, _)| is(stamp))
            .map(|(_, text)| text.clone())
            .collect()
    };
    let since = those(&|stamp| stamp >= middle);
    assert_eq!(lines(get(&format!("?since={}", encoded(middle)))), since);
    let until = those(&|stamp| stamp <= middle);
    assert_eq!(lines(get(&format!("?until={}", encoded(middle)))), until);
    assert_eq!(lines(get("?since=4102444800")), Vec::<String>::new());
    assert_eq!(lines(get("?since=0&tail=1")), ["last"]);
    server.end();
}

#[test]
fn what_cannot_be_read_is_refused_and_an_unknown_container_before_a_stream_begins() {
    let Some(image) = Image::new() else { return };
    let server = Server::new(&[]);
    let made = printed(&image, "echo canary");
    for wrong in [
        "tail=abc",
        "tail=all",
        "tail=-1",
        "tail=",
        "tail=100001",
        "since=yesterday",
        "until=2026-13-01T00:00:00Z",
        "stream=stdin",
        "search=(",
        "timestamps=perhaps",
        "follow=perhaps",
        "follow=true&search=a",
        "follow=true&until=1",
        "follow=true&tail=abc",
        "follow=true&last_event_id=nonsense",
        "follow=true&batch=true&since=abc",
    ] {
        let refused = server.get(&path(&made, &format!("?{wrong}"))).is(422);
        assert!(!refused.text.contains("canary"), "{wrong}: {}", refused.text);
        assert!(refused.json()["detail"].is_string(), "{wrong}");
    }
    for wrong in ["since=yesterday", "until=x", "stream=stdin", "timestamps=perhaps"] {
        let refused = server.get(&path(&made, &format!("/download?{wrong}"))).is(422);
        assert!(!refused.text.contains("canary"), "{wrong}: {}", refused.text);
    }
    for rest in ["", "?follow=true", "?follow=true&batch=true", "/download"] {
        let path = format!("/api/docker/containers/no-such-container/logs{rest}");
        let unknown = Stream::open(&server, &path, None).is(404);
        assert!(
            unknown
                .head
                .iter()
                .any(|line| line == "content-type: application/json"),
            "{:?}",
            unknown.head
        );
        let body = server.get(&path).is(404).json();
        assert!(
            body["detail"]
                .as_str()
                .expect("a text")
                .contains("no-such-container"),
            "{body}"
        );
    }
    server.end();
}

#[test]
fn lines_that_are_followed_come_as_events_until_the_container_ends_and_from_any_place() {
    let Some(image) = Image::new() else { return };
    let server = Server::new(&[]);
    let made = printing(
        &image,
        "trap 'go=1' USR1; printf 'first\\na\\rb\\x01c\\n\\n\\ttab\\ncrlf\\r\\n  spaces \\ndata: x\\n'; \
         while [ -z \"$go\" ]; do sleep 0.1; done; printf '\\n\\x1b[31mred\\x1b[0m\\nno end'",
    );
    let follow = path(&made, "?follow=true");
    let expected = [
        "first",
        "a\\rb\\x01c",
        "",
        "\ttab",
        "crlf",
        "  spaces ",
        "data: x",
        "",
        "\x1b[31mred\x1b[0m",
        "no end",
    ];
    let mut stream = Stream::open(&server, &follow, None).is(200);
    for header in [
        "content-type: text/event-stream",
        "cache-control: no-cache",
        "x-accel-buffering: no",
    ] {
        assert!(stream.head.iter().any(|line| line == header), "{:?}", stream.head);
    }
    let mut events: Vec<Event> = (0..7).map(|_| stream.event().expect("it goes on")).collect();
    docker(&["kill", "--signal", "USR1", &made.id]).expect("told");
    events.extend(stream.rest());
    let texts: Vec<&str> = events.iter().map(|event| event.data.as_str()).collect();
    assert_eq!(texts, expected);
    assert!(events.iter().all(|event| event.name.is_none()), "{events:?}");
    let ids: Vec<&str> = events
        .iter()
        .map(|event| event.id.as_deref().expect("an id"))
        .collect();

    for (index, id) in ids.iter().enumerate().take(ids.len() - 1) {
        let rest = Stream::open(&server, &follow, Some(id)).is(200).rest();
        assert_eq!(rest, events[index + 1..], "after {id}");
        let asked = format!("{follow}&last_event_id={id}");
        assert_eq!(Stream::open(&server, &asked, None).is(200).rest(), rest);
    }
    let last = ids.last().expect("there were lines");
    Stream::open(&server, &follow, Some(last)).is(204);
    let tail = path(&made, "?follow=true&tail=2&timestamps=true");
    let tail = Stream::open(&server, &tail, None).is(200).rest();
    let texts: Vec<&str> = tail
        .iter()
        .filter_map(|event| event.data.split_once("Z ").map(|(_, text)| text))
        .collect();
    // What is no whole line comes behind the two that are.
    assert_eq!(texts, expected[7..]);
    server.end();
}

/// What a stream of batches has told: the lines of each life, and all else in words.
#[derive(Debug, Default)]
struct Told {
    lives: Vec<Vec<u64>>,
    others: Vec<String>,
    last: Option<String>,
}

impl Told {
    fn hear(&mut self, event: &Event) {
        let data = event.json();
        match event.name.as_deref().expect("a name") {
            "log" => {
                let numbers = data.as_array().expect("lines").iter().map(|line| {
                    assert_eq!(line["s"], "o");
                    let text = line["l"].as_str().expect("a text");
                    text.parse::<u64>().expect("a number")
                });
                self.lives.last_mut().expect("it was started").extend(numbers);
            }
            "life" => {
                let word = data["life"].as_str().expect("a word");
                if word == "started" {
                    self.lives.push(Vec::new());
                }
                self.others.push(word.to_owned());
            }
            other => self.others.push(format!("{other} {data}")),
        }
        if event.id.is_some() {
            self.last.clone_from(&event.id);
        }
    }

    /// Hears what comes until `is_enough`.
    fn hear_until(&mut self, stream: &mut Stream, is_enough: impl Fn(&Self) -> bool) {
        while !is_enough(self) {
            let event = stream.event().unwrap_or_else(|| panic!("it broke: {self:?}"));
            self.hear(&event);
        }
    }

    fn count(&self) -> usize {
        self.lives.last().map_or(0, Vec::len)
    }
}

#[test]
fn batches_outlive_the_server_s_restart_and_tell_of_the_container_s() {
    let Some(image) = Image::new() else { return };
    let mut server = Server::new(&[]);
    let made = printing(
        &image,
        "i=0; while :; do for ((j = 0; j < 50; j++)); do echo $((++i)); done; sleep 0.02; done",
    );
    let follow = path(&made, "?follow=true&batch=true&tail=100000");
    // The stream begins in the middle of a life, whose start nobody tells.
    let mut told = Told {
        lives: vec![Vec::new()],
        ..Told::default()
    };
    let mut stream = Stream::open(&server, &follow, None).is(200);
    told.hear_until(&mut stream, |told| told.count() >= 1000);
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        server.restart(signal);
        // What was on its way still counts.
        stream.rest().iter().for_each(|event| told.hear(event));
        let reached = told.count() + 1000;
        stream = Stream::open(&server, &follow, told.last.as_deref()).is(200);
        told.hear_until(&mut stream, |told| told.count() >= reached);
    }
    docker(&["restart", "--time", "0", &made.id]).expect("restarted");
    told.hear_until(&mut stream, |told| told.lives.len() == 2 && told.count() >= 1000);
    docker(&["rm", "--force", &made.id]).expect("removed");
    stream.rest().iter().for_each(|event| told.hear(event));
    for life in &told.lives {
        let expected: Vec<u64> = (1..=life.len() as u64).collect();
        assert_eq!(*life, expected, "{:?}", told.others);
    }
    // An end that the next start or the removal follows at once need not be seen.
    told.others.retain(|word| word != "stopped");
    assert_eq!(
        told.others,
        ["started", "removed", "end {}"],
        "gaps are told only where lines may be missing"
    );
    server.end();
}

#[test]
fn a_download_is_what_was_printed_byte_by_byte() {
    let Some(image) = Image::new() else { return };
    let server = Server::new(&[]);
    let made = printed(
        &image,
        "printf 'a\\rb\\x01c\\r\\n\\n\\x1b[1mé\\x1b[0m\\n'; \
         for ((i = 1; i <= 20000; i++)); do echo \"line $i of many, each of which is a little long\"; done; \
         printf 'no end'",
    );
    let mut expected = "a\rb\u{1}c\r\n\n\u{1b}[1mé\u{1b}[0m\n".to_owned();
    for i in 1..=20_000 {
        expected.push_str(&format!("line {i} of many, each of which is a little long\n"));
    }
    expected.push_str("no end");
    let whole = server.get(&path(&made, "/download")).is(200);
    assert!(whole.text == expected, "{} bytes", whole.text.len());
    let (status, answer) = server.ask_raw("viewer", "GET", &path(&made, "/download"));
    assert_eq!(status, 200);
    let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
    let head = head.to_lowercase();
    for line in [
        "transfer-encoding: chunked",
        "content-type: text/plain; charset=utf-8",
        &format!("content-disposition: attachment; filename=\"{}.log\"", made.name),
    ] {
        assert!(head.lines().any(|found| found == line), "no {line}: {head}");
    }
    server.end();
}

#[test]
fn the_log_of_an_engine_s_container_that_is_gone_was_kept() {
    let Some(image) = sim_image() else { return };
    let server = Server::new(&[]);
    let mut task = sim_task(&image, &json!({"max-num-seqs": [4]}));
    task["task_name"] = "kept".into();
    let task = server
        .ask("admin", "POST", "/api/tasks", Some(&task))
        .is(201)
        .json();
    server
        .post("operator", &format!("/api/tasks/{}/start", task["id"]))
        .is(200);
    wait_for("the task's end", || {
        let found = server.get(&format!("/api/tasks/{}", task["id"])).is(200).json();
        (found["status"] == "completed").then_some(())
    });
    let experiments = server
        .get(&format!("/api/experiments/task/{}", task["id"]))
        .is(200)
        .json();
    let id = experiments[0]["container_id"].as_str().expect("it ran in one");
    assert!(docker(&["inspect", id]).is_err(), "it is gone");
    let at = |rest: &str| format!("/api/docker/containers/{id}/logs{rest}");

    let whole = server.get(&at("/download")).is(200).text;
    let log = server.get(&at("")).is(200).json();
    assert_eq!(log["is_preserved"], true);
    let text = log["logs"].as_str().expect("a text");
    assert!(!text.is_empty());
    assert_eq!(text.trim_end(), whole.trim_end());
    let found = server.get(&at("?search=listening&tail=1")).is(200).json();
    assert_eq!(
        (&found["is_preserved"], &found["lines"]),
        (&json!(true), &json!(1))
    );
    assert!(
        whole.contains(found["logs"].as_str().expect("a text").trim_end()),
        "{found}"
    );
    server.get(&at("?since=0")).is(422);
    server.get(&at("?follow=true")).is(404);
    server.end();
}

#[test]
fn the_command_prints_a_log_and_follows_it_to_its_end() {
    let Some(image) = Image::new() else { return };
    let mut server = Server::new(&[]);
    let made = printing(
        &image,
        "trap 'go=1' USR1; echo one; echo two; while [ -z \"$go\" ]; do sleep 0.1; done; echo three",
    );
    wait_for("two lines", || {
        (lines(server.get(&path(&made, ""))).len() == 2).then_some(())
    });
    let start = |server: &Server, more: &[&str]| {
        let arguments = [&["containers", "logs", &made.name], more].concat();
        server.harbour.start(&arguments)
    };
    let run = |more: &[&str]| start(&server, more).wait();
    assert_eq!(run(&[]).expect(0).stdout, "one\ntwo\n");
    assert_eq!(run(&["--tail", "1"]).expect(0).stdout, "two\n");
    assert_eq!(run(&["--search", "^o"]).expect(0).stdout, "one\n");
    assert_eq!(run(&["--since", "4102444800"]).expect(0).stdout, "");
    assert_eq!(run(&["--json"]).expect(0).json()["lines"], 2);
    let stamped = run(&["--timestamps", "--tail", "1"]).expect(0).stdout;
    assert!(stamped.ends_with("Z two\n"), "{stamped}");
    run(&["--since", "yesterday"]).expect(2).says(&["yesterday"]);
    run(&["--search", "a", "--follow"]).expect(2);

    let mut following = start(&server, &["-f"]);
    following.wait_for("what there is", |following| {
        (following.stdout() == "one\ntwo\n").then_some(())
    });
    server.restart(Signal::SIGTERM);
    docker(&["kill", "--signal", "USR1", &made.id]).expect("told");
    assert_eq!(following.wait().expect(0).stdout, "one\ntwo\nthree\n");
    let late = start(&server, &["--follow", "--tail", "1"]).wait().expect(0);
    assert_eq!(late.stdout, "three\n", "its end is told to who comes late");
    server.end();
}
