//! Lines that are hard to get right: each kind byte by byte, by every way to a log.

use autotuner_deploy::containers::Containers;
use futures_util::TryStreamExt as _;

use super::{Talker, containers, everything, from_the_start, next, to_the_end};

/// What a container prints and what its log must be.
struct Kind {
    name: &'static str,
    steps: Vec<String>,
    has_terminal: bool,
    expected: Vec<u8>,
}

fn kind(name: &'static str, steps: &[&str], expected: impl Into<Vec<u8>>) -> Kind {
    Kind {
        name,
        steps: steps.iter().map(|step| (*step).to_owned()).collect(),
        has_terminal: false,
        expected: expected.into(),
    }
}

fn on_terminal(name: &'static str, steps: &[&str], expected: impl Into<Vec<u8>>) -> Kind {
    Kind {
        has_terminal: true,
        ..kind(name, steps, expected)
    }
}

fn long(bytes: usize) -> String {
    format!("{}\n", "x".repeat(bytes))
}

/// Every kind that was seen to go wrong somewhere.
fn kinds() -> Vec<Kind> {
    let longs = [16_383, 16_384, 16_385, 32_768, 40_000, 2 * 1024 * 1024 + 5];
    let mut kinds = vec![
        kind("nothing", &[], ""),
        kind("plain", &["out:a line\\n"], "a line\n"),
        kind("blank lines", &["out:\\n\\na\\n\\n"], "\n\na\n\n"),
        kind("only blanks", &["out:  \\n \\n"], "  \n \n"),
        kind(
            "written in parts",
            &["out:par", "sleep:300", "out:tial\\n"],
            "partial\n",
        ),
        kind("no end", &["out:a\\nno end"], "a\nno end"),
        kind("no end on standard error", &["err:no end"], "no end"),
        kind("progress", &["out:  0%\\r 50%\\r100%\\n"], "  0%\r 50%\r100%\n"),
        kind(
            "carriage returns",
            &["out:dos\\r\\nline\\r\\n"],
            "dos\r\nline\r\n",
        ),
        kind(
            "colours",
            &["out:\\x1b[31mred\\x1b[0m\\n"],
            "\x1b[31mred\x1b[0m\n",
        ),
        kind("nul", &["out:a\\x00b\\n"], "a\0b\n"),
        kind(
            "other controls",
            &["out:\\x07\\x08\\x0b\\x0c\\x7f\\n"],
            "\x07\x08\x0b\x0c\x7f\n",
        ),
        kind(
            "markup",
            &["out:<script>alert('1')</script> & \"\\n"],
            "<script>alert('1')</script> & \"\n",
        ),
        kind(
            "json",
            &["out:{\"log\":\"a\\\\n\",\"time\":\"0001\"}\\n"],
            "{\"log\":\"a\\n\",\"time\":\"0001\"}\n",
        ),
        kind(
            "like an event",
            &["out:data: x\\nid: 5\\nevent: gap\\n: c\\n"],
            "data: x\nid: 5\nevent: gap\n: c\n",
        ),
        kind(
            "like a time stamp",
            &["out:2026-11-23T10:33:51.885661153Z x\\n"],
            "2026-11-23T10:33:51.885661153Z x\n",
        ),
        kind("other scripts", &["out:模型 héllo 🚀\\n"], "模型 héllo 🚀\n"),
        kind(
            "line separators",
            &["out:a\u{2028}b\u{85}c\\n"],
            "a\u{2028}b\u{85}c\n",
        ),
        // The daemon itself has put three signs of damage there.
        kind(
            "no utf-8",
            &["out:\\xff\\xfe\\x80\\n"],
            "\u{fffd}\u{fffd}\u{fffd}\n",
        ),
        on_terminal(
            "terminal",
            &["out:one\\ntwo\\n", "err:three\\n"],
            "one\r\ntwo\r\nthree\r\n",
        ),
        on_terminal("terminal, no end", &["out:one\\nno end"], "one\r\nno end"),
        on_terminal(
            "terminal, long",
            &["long:out:40000"],
            format!("{}\r\n", "x".repeat(40_000)),
        ),
    ];
    for (bytes, name) in
        longs
            .into_iter()
            .zip(["long 1", "long 2", "long 3", "long 4", "long 5", "very long"])
    {
        kinds.push(kind(name, &[&format!("long:out:{bytes}")], long(bytes)));
    }
    kinds
}

async fn check(containers: &Containers, kind: &Kind) {
    let steps: Vec<&str> = kind.steps.iter().map(String::as_str).collect();
    let talker = Talker::create(&steps, kind.has_terminal)
        .await
        .expect("the daemon answered before");
    let name = kind.name;
    // Once while it runs, by somebody who was there before it began.
    let container = talker.seen_by(containers).await;
    let mut live = containers.follow_log(&container, from_the_start()).await.unwrap();
    talker.go().await;
    let (lines, _) = to_the_end(&mut live).await;
    assert_bytes(name, "followed", &joined(&lines), &kind.expected);
    talker.ended().await;
    // When it has ended, by every way.
    let container = talker.seen_by(containers).await;
    let whole = containers
        .whole_log(&container, &everything(), false)
        .await
        .unwrap();
    let whole: Vec<_> = whole.try_collect().await.unwrap();
    assert_bytes(name, "whole", &whole.concat(), &kind.expected);
    let found = containers.find_in_log(&container, &everything()).await.unwrap();
    assert_bytes(name, "found", &joined(&found.lines), &kind.expected);
    let mut late = containers.follow_log(&container, from_the_start()).await.unwrap();
    let (late, _) = to_the_end(&mut late).await;
    assert_bytes(name, "followed late", &joined(&late), &kind.expected);
}

/// Lines as they were printed: an end where there was one.
fn joined(lines: &[autotuner_deploy::containers::Line]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(&line.text);
        if line.has_end {
            bytes.push(b'\n');
        }
    }
    bytes
}

#[track_caller]
fn assert_bytes(name: &str, way: &str, found: &[u8], expected: &[u8]) {
    let short = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    assert!(
        found == expected,
        "{name}, {way}: {} bytes {:?}, not {} bytes {:?}",
        found.len(),
        short(found),
        expected.len(),
        short(expected)
    );
}

#[tokio::test]
async fn every_kind_of_line_comes_byte_by_byte() {
    if crate::support::docker().await.is_none() {
        return;
    }
    let containers = containers();
    let kinds = kinds();
    for kind in &kinds {
        check(&containers, kind).await;
    }
    println!("{} kinds of lines, each by four ways: exact", kinds.len());
}

#[tokio::test]
async fn a_sign_that_the_daemon_cut_in_two_is_damaged_as_the_daemon_has_it_and_no_more() {
    // 16,383 bytes and a sign of three: its first byte is the last that fits into a piece.
    let text = format!("out:{}模z\\n", "x".repeat(16_383));
    let Some(talker) = Talker::start(&[&text]).await else {
        return;
    };
    talker.ended().await;
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let found = containers.find_in_log(&container, &everything()).await.unwrap();
    let expected = format!("{}\u{fffd}\u{fffd}\u{fffd}z", "x".repeat(16_383));
    assert_eq!(found.lines.len(), 1);
    assert!(found.lines[0].text == expected.as_bytes());
}

#[tokio::test]
async fn long_lines_of_two_streams_do_not_damage_each_other() {
    let Some(talker) = Talker::start(&["threads:30:40000"]).await else {
        return;
    };
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    let (lines, _) = to_the_end(&mut viewer).await;
    let expected = |letter: &str, line: usize| format!("{line} {}", letter.repeat(40_000));
    let (mut next, mut damaged) = ([0, 0], 0);
    for line in &lines {
        let place = usize::from(line.stream == autotuner_deploy::containers::LogStream::Errors);
        let letter = ["o", "e"][place];
        damaged += usize::from(line.text != expected(letter, next[place]).as_bytes());
        next[place] += 1;
    }
    println!(
        "{} long lines of two streams at once: {damaged} damaged",
        lines.len()
    );
    assert_eq!((next, damaged), ([30, 30], 0));
}

#[tokio::test]
async fn an_unfinished_line_and_the_next_life_are_two_lines() {
    let Some(talker) = Talker::start(&["out:begun\\nno end"]).await else {
        return;
    };
    talker.ended().await;
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    let (first, _) = to_the_end(&mut viewer).await;
    talker.go().await;
    let (second, others) = to_the_end(&mut viewer).await;
    assert_eq!(joined(&first), b"begun\nno end");
    assert_eq!(joined(&second), b"begun\nno end");
    assert!(
        matches!(
            &others[0],
            autotuner_deploy::containers::Item::Life(autotuner_deploy::containers::Life::Started { .. })
        ),
        "{others:?}"
    );
    let container = talker.seen_by(&containers).await;
    let whole = containers
        .whole_log(&container, &everything(), false)
        .await
        .unwrap();
    let whole: Vec<_> = whole.try_collect().await.unwrap();
    assert_eq!(whole.concat(), b"begun\nno end\nbegun\nno end");
    drop(talker);
    while let Some(items) = next(&mut viewer).await {
        assert!(
            matches!(
                items[..],
                [autotuner_deploy::containers::Item::Life(
                    autotuner_deploy::containers::Life::Removed
                )]
            ),
            "{items:?}"
        );
    }
}
