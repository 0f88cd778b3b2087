//! What may be asked of a container's log, read strictly.

use autotuner_core::problem::Problem;
use autotuner_deploy::containers::{LogQuery as Wanted, LogStream};
use jiff::Timestamp;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::api::error::ApiError;
use crate::api::extract::truth;

/// Lines that are given where nothing is said.
const USUAL_TAIL: u32 = 1_000;

/// Lines that a stream begins with where nothing is said.
const USUAL_HISTORY: u32 = 500;

/// Lines in one answer at most.
const MOST_LINES: u32 = 100_000;

/// Characters of an expression at most.
const LONGEST_SEARCH: usize = 1_000;

/// Bytes of a compiled expression at most.
const LARGEST_SEARCH: usize = 1024 * 1024;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct LogQuery {
    /// So many of the last lines: 1000 unless said, 500 while following.
    #[param(maximum = 100_000)]
    tail: Option<u32>,
    /// Whether each line begins with its time.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    pub(in crate::api) timestamps: bool,
    /// Only what was printed at this time or later: RFC 3339, or seconds since the Unix epoch.
    since: Option<String>,
    /// Only what was printed until this time.
    until: Option<String>,
    /// Only what was printed to `stdout`, or to `stderr`.
    stream: Option<String>,
    /// Only lines that match this regular expression. Not while following.
    search: Option<String>,
    /// Whether to go on with what comes, as server-sent events.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    pub(in crate::api) follow: bool,
    /// Lines as JSON, with their time and stream; while following, many in one event.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    pub(in crate::api) batch: bool,
    /// While following: the id after which to go on, for clients that cannot set `Last-Event-ID`.
    pub(in crate::api) last_event_id: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct RangeQuery {
    /// Whether each line begins with its time.
    #[serde(default, deserialize_with = "truth")]
    #[param(default = false)]
    pub(in crate::api) timestamps: bool,
    /// Only what was printed at this time or later: RFC 3339, or seconds since the Unix epoch.
    since: Option<String>,
    /// Only what was printed until this time.
    until: Option<String>,
    /// Only what was printed to `stdout`, or to `stderr`.
    stream: Option<String>,
}

/// What is asked, read.
#[derive(Debug)]
pub(in crate::api) struct Asked {
    pub(in crate::api) query: Wanted,
    pub(in crate::api) stream: Option<LogStream>,
}

impl Asked {
    /// # Errors
    /// 422 with every problem.
    pub(in crate::api) fn read(query: &LogQuery) -> Result<Self, ApiError> {
        let mut problems = Vec::new();
        let usual = if query.follow { USUAL_HISTORY } else { USUAL_TAIL };
        let tail = query.tail.unwrap_or(usual);
        if tail > MOST_LINES {
            let problem = Problem::new("tail", format!("is {tail}; {MOST_LINES} at most"));
            problems.push(problem.with_hint("download the log to have all of it"));
        }
        let stream = stream(query.stream.as_deref(), &mut problems);
        let search = query.search.as_deref().filter(|text| !text.is_empty());
        let search = search.and_then(|text| search_of(text, &mut problems));
        if query.follow && search.is_some() {
            problems.push(Problem::new("search", "is for what is there, not for what comes"));
        }
        if query.follow && query.until.is_some() {
            problems.push(Problem::new("until", "is for what is there, not for what comes"));
        }
        let wanted = Wanted {
            tail: tail as usize,
            since: time("since", query.since.as_deref(), &mut problems),
            until: time("until", query.until.as_deref(), &mut problems),
            search,
            // A stream's places are of the whole log, so there it is left out where it is shown.
            stream: stream.filter(|_| !query.follow),
        };
        match problems.is_empty() {
            true => Ok(Self {
                query: wanted,
                stream,
            }),
            false => Err(ApiError::problems("The log cannot be read so", problems)),
        }
    }
}

impl RangeQuery {
    /// # Errors
    /// 422 with every problem.
    pub(in crate::api) fn read(&self) -> Result<Wanted, ApiError> {
        let mut problems = Vec::new();
        let wanted = Wanted {
            since: time("since", self.since.as_deref(), &mut problems),
            until: time("until", self.until.as_deref(), &mut problems),
            stream: stream(self.stream.as_deref(), &mut problems),
            ..Wanted::default()
        };
        match problems.is_empty() {
            true => Ok(wanted),
            false => Err(ApiError::problems("The log cannot be read so", problems)),
        }
    }
}

/// An id that no stream of a log has given.
pub(in crate::api) fn no_place(id: &str) -> ApiError {
    let short: String = id.chars().take(80).collect();
    let problem = Problem::new("Last-Event-ID", format!("{short:?} is no id of such a log"))
        .with_hint("begin again without it");
    ApiError::problems("The log cannot be followed from there", vec![problem])
}

fn stream(word: Option<&str>, problems: &mut Vec<Problem>) -> Option<LogStream> {
    match word {
        None | Some("" | "both") => None,
        Some("stdout") => Some(LogStream::Output),
        Some("stderr") => Some(LogStream::Errors),
        Some(other) => {
            let short: String = other.chars().take(40).collect();
            problems.push(Problem::new(
                "stream",
                format!("{short:?} is none: stdout, stderr or both"),
            ));
            None
        }
    }
}

fn search_of(text: &str, problems: &mut Vec<Problem>) -> Option<Regex> {
    if text.chars().count() > LONGEST_SEARCH {
        problems.push(Problem::new(
            "search",
            format!("is longer than {LONGEST_SEARCH} characters"),
        ));
        return None;
    }
    let built = RegexBuilder::new(text).size_limit(LARGEST_SEARCH).build();
    built
        .map_err(|error| problems.push(Problem::new("search", in_one_line(&error.to_string()))))
        .ok()
}

/// The last line of what is wrong with an expression says what it is.
fn in_one_line(text: &str) -> String {
    let last = text.lines().next_back().unwrap_or(text);
    last.trim_start_matches("error: ").to_owned()
}

fn time(name: &str, text: Option<&str>, problems: &mut Vec<Problem>) -> Option<Timestamp> {
    let text = text.filter(|text| !text.is_empty())?;
    let read = text.parse::<Timestamp>().ok().or_else(|| seconds(text));
    if read.is_none() {
        let short: String = text.chars().take(60).collect();
        let problem = Problem::new(name, format!("{short:?} is no time"));
        problems.push(problem.with_hint("2026-11-23T10:33:51Z, or seconds since the Unix epoch"));
    }
    read
}

/// Seconds since the Unix epoch, with or without a fraction of up to nine digits.
fn seconds(text: &str) -> Option<Timestamp> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty()
        || fraction.is_empty()
        || fraction.len() > 9
        || !is_digits(whole)
        || !is_digits(fraction)
    {
        return None;
    }
    let nanosecond: i32 = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(whole.parse().ok()?, nanosecond).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Asked, String> {
        let uri = format!("/?{query}").parse().unwrap();
        let query =
            axum::extract::Query::<LogQuery>::try_from_uri(&uri).map_err(|error| error.body_text())?;
        Asked::read(&query.0).map_err(|error| {
            let problems = error.body.problems.iter();
            problems
                .map(|problem| format!("{}: {}", problem.path, problem.message))
                .collect::<Vec<_>>()
                .join("; ")
        })
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_never_everything() {
        for (query, expected) in [
            ("tail=abc", "tail"),
            ("tail=-1", "tail"),
            ("tail=1.5", "tail"),
            ("tail=", "tail"),
            ("tail=all", "tail"),
            ("tail=100001", "tail: is 100001; 100000 at most"),
            ("since=abc", "since: \"abc\" is no time"),
            (
                "since=yesterday&until=2026-13-01T00:00:00Z",
                "since: \"yesterday\" is no time; until:",
            ),
            ("since=-5", "since"),
            ("since=1.2.3", "since"),
            ("since=1e9", "since"),
            ("since=99999999999999999999", "since"),
            ("search=(", "search: unclosed group"),
            ("search=(%3F!a)", "search: look-around"),
            ("search=((a{1000}){1000}){1000}", "search: "),
            ("search=a&follow=true", "search: is for what is there"),
            ("until=1&follow=true", "until: is for what is there"),
            ("stream=stdin", "stream: \"stdin\" is none"),
            ("follow=maybe", "expected true or false"),
        ] {
            let error = read(query).unwrap_err();
            assert!(error.contains(expected), "{query}: {error}");
        }
        let long = "a".repeat(1001);
        assert!(
            read(&format!("search={long}"))
                .unwrap_err()
                .contains("longer than 1000")
        );
    }

    #[test]
    fn what_is_not_said_is_usual() {
        assert_eq!(read("").unwrap().query.tail, 1000);
        assert_eq!(read("follow=true").unwrap().query.tail, 500);
        assert_eq!(read("tail=0").unwrap().query.tail, 0);
        let asked =
            read("tail=7&since=1764384000.5&until=2026-11-29T02:40:00.25Z&stream=stderr&search=a.b").unwrap();
        assert_eq!(asked.query.tail, 7);
        assert_eq!(asked.query.since.unwrap().to_string(), "2025-11-29T02:40:00.5Z");
        assert_eq!(asked.query.until.unwrap().to_string(), "2026-11-29T02:40:00.25Z");
        assert_eq!(asked.query.stream, Some(LogStream::Errors));
        assert!(asked.query.search.unwrap().is_match(b"axb"));
    }
}
