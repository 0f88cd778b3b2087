//! Reading an engine's last lines: what went wrong, and what to do about it.
//!
//! The one idea: the most specific cause found anywhere wins over whatever was printed last,
//! for an engine that runs out of memory ends in a dozen lines about something else. Without
//! a known cause, the exception that ended a Python program is quoted; without that, nothing
//! is said. How the process ended is [`super::diagnose_exit`]'s matter.

use super::Diagnosis;
use super::advice::Advice;
use super::rules::{Cause, RULES, shows};
use super::text::{plain, shorten};

/// What the lines say, with the engine's own remedies.
pub(crate) fn diagnose(advice: &Advice, log_tail: &[String]) -> Option<Diagnosis> {
    let lines: Vec<String> = log_tail
        .iter()
        .map(|line| plain(line))
        .filter(|line| !line.is_empty() && !is_harmless(line) && !is_source(line))
        .collect();
    let lower: Vec<String> = lines.iter().map(|line| line.to_lowercase()).collect();
    let known = RULES.iter().find_map(|(cause, texts)| {
        let at = lower
            .iter()
            .position(|line| texts.iter().any(|text| shows(line, text)))?;
        Some((*cause, lines.get(at)?))
    });
    if let Some((cause, line)) = known {
        return Some(Diagnosis {
            kind: cause.kind(),
            evidence: shorten(line),
            advice: advice.on(cause).map(str::to_owned),
        });
    }
    let exception = last_exception(&lines)?;
    Some(Diagnosis {
        kind: Cause::Crash.kind(),
        evidence: shorten(exception),
        advice: None,
    })
}

/// Whether a line carries a level below error, as engines mark them.
fn is_harmless(line: &str) -> bool {
    const MARKS: [&str; 8] = [
        " INFO ",
        " WARNING ",
        " DEBUG ",
        "[INFO]",
        "[WARNING]",
        "[DEBUG]",
        "[I]",
        "[W]",
    ];
    const BEGINNINGS: [&str; 6] = ["INFO ", "INFO:", "WARNING ", "WARNING:", "DEBUG ", "DEBUG:"];
    // Levels stand near the beginning; further on the word is part of the message.
    let head: String = line.chars().take(60).collect();
    let has_level = MARKS.iter().any(|mark| head.contains(mark))
        || BEGINNINGS.iter().any(|word| head.starts_with(word))
        || has_letter_level(&head);
    has_level && !head.contains("ERROR")
}

/// Whether a line is a traceback's quotation of the program's own text.
fn is_source(line: &str) -> bool {
    let text = unlogged(line).trim_start();
    ["raise ", "\"", "f\"", "'", "f'"]
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

/// The line without what a logger put before it.
fn unlogged(line: &str) -> &str {
    match line.rfind("] ") {
        Some(at) if line.contains("ERROR") || line.starts_with('[') => &line[at + 2..],
        _ => line,
    }
}

/// llama.cpp's `0.01.234.567 W message`.
fn has_letter_level(head: &str) -> bool {
    let mut words = head.split(' ');
    let is_stamp = words.next().is_some_and(|word| {
        word.starts_with(|first: char| first.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || c == '.')
    });
    is_stamp && words.next().is_some_and(|level| ["I", "W", "D"].contains(&level))
}

/// Says only that another process failed, whose exception stands above.
const WRAPPERS: [&str; 5] = [
    "Engine core initialization failed",
    "Engine process failed to start",
    "See stack trace",
    "EngineDeadError",
    "SystemExit",
];

fn last_exception(lines: &[String]) -> Option<&str> {
    let exceptions = || lines.iter().rev().filter_map(|line| exception(line));
    exceptions()
        .find(|text| !WRAPPERS.iter().any(|wrapper| text.contains(wrapper)))
        .or_else(|| exceptions().next())
}

/// The line's exception, `some.module.SomeError: message`, without what a logger put before it.
fn exception(line: &str) -> Option<&str> {
    let text = unlogged(line);
    let name = text.split(':').next()?;
    let class = name.rsplit('.').next()?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || "._".contains(c));
    let is_class = ["Error", "Exception", "Interrupt", "Exit"]
        .iter()
        .any(|end| class.ends_with(end));
    (is_name && is_class && class.starts_with(char::is_uppercase)).then_some(text)
}
