//! The lines of the live view as text. Data in, text out: nothing here knows a terminal.

use std::time::Duration;

use autotuner_load::Progress;

use crate::report::metrics::error_word;
use crate::report::words;

/// What the lines are made of.
pub(super) struct Frame<'a> {
    pub(super) progress: &'a Progress,
    /// What is said instead of the level's number, and below it; both empty as a rule.
    pub(super) look: &'a Look,
    /// How long this phase of the level has lasted.
    pub(super) elapsed: Duration,
    /// How long a window may last.
    pub(super) limit: Duration,
    pub(super) rates: &'a Rates,
    pub(super) is_coloured: bool,
    /// Columns.
    pub(super) width: usize,
}

/// Where a search is.
#[derive(Debug, Default)]
pub(in crate::cli::bench) struct Look {
    /// Which look it is: `look 3`.
    pub(in crate::cli::bench) number: String,
    /// What is known so far.
    pub(in crate::cli::bench) known: String,
}

/// Output tokens per second, second by second.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// Seconds since the phase began, and all tokens until then; one a second, the last still
    /// moving.
    totals: Vec<(f64, f64)>,
}

impl Rates {
    /// Adds what is known now: `mean` over the whole time so far.
    pub(super) fn add(&mut self, elapsed: f64, mean: f64) {
        let now = (elapsed, mean * elapsed);
        let is_same_second = |last: &(f64, f64)| last.0.floor() >= elapsed.floor();
        match self.totals.last_mut().filter(|last| is_same_second(last)) {
            Some(last) => *last = now,
            None => self.totals.push(now),
        }
    }

    /// The rates of the last seconds, at most so many, oldest first.
    fn last(&self, most: usize) -> Vec<f64> {
        let from_start = std::iter::once(&(0.0, 0.0)).chain(&self.totals);
        let rates = from_start.zip(&self.totals).map(|(before, after)| {
            let seconds = after.0 - before.0;
            // The mean is of a moment ago, so a total may seem to shrink.
            if seconds > 0.0 {
                ((after.1 - before.1) / seconds).max(0.0)
            } else {
                0.0
            }
        });
        rates.skip(self.totals.len().saturating_sub(most)).collect()
    }
}

/// Four lines, of which a narrow terminal shows the beginnings.
pub(super) fn frame(frame: &Frame<'_>) -> Vec<String> {
    let Frame {
        progress,
        look,
        elapsed,
        limit,
        rates,
        is_coloured,
        width,
    } = frame;
    let paint = Paint(*is_coloured);
    let dot = paint.faint(" · ");
    let level = match look.number.as_str() {
        "" => format!("level {} of {}", progress.level + 1, progress.levels),
        number => number.to_owned(),
    };
    let known = match look.known.as_str() {
        "" => String::new(),
        known => format!("{dot}{known}"),
    };
    let title = format!("{}{dot}{}{known}", paint.strong(&level), progress.label);
    let seconds = elapsed.as_secs();
    let in_flight = format!("{} in flight", progress.in_flight);
    if progress.warming_up {
        return vec![
            title,
            format!("warming up{dot}{seconds} s{dot}{in_flight}"),
            String::new(),
            String::new(),
        ];
    }
    let ended = progress.completed + progress.failed;
    let counts = format!("{ended}/{} requests", progress.planned);
    let failed = match progress.failed {
        0 => String::new(),
        failed => format!(
            "{dot}{}",
            paint.bad(&format!("{failed} failed{}", classes(progress)))
        ),
    };
    let time = match elapsed > limit {
        true => format!("{seconds} s, the last answers"),
        false => format!("{seconds} s of at most {}", words::duration(limit.as_secs_f64())),
    };
    let bar = bar(
        share(ended, progress.planned),
        width.saturating_sub(52).min(40),
        paint,
    );
    let figures = match &progress.live {
        None => format!("{in_flight}{dot}{}", paint.faint("no answer yet")),
        Some(live) => {
            let tpot = live
                .tpot
                .map(|tpot| format!("TPOT {}{dot}", words::duration(tpot)));
            format!(
                "{in_flight}{dot}TTFT p50 {}, p99 {}{dot}{}{} output tok/s",
                words::duration(live.ttft_p50),
                words::duration(live.ttft_p99),
                tpot.unwrap_or_default(),
                words::three_digits(live.output_tokens_per_second)
            )
        }
    };
    let line = sparkline(&rates.last(width.saturating_sub(20).min(60)));
    let line = match line.is_empty() {
        true => String::new(),
        false => format!("{}{}", paint.accent(&line), paint.faint(" tok/s each second")),
    };
    vec![title, format!("{bar}{counts}{failed}{dot}{time}"), figures, line]
}

/// Failures by class: ` (429: 3, timeout: 1)`, the most frequent first.
fn classes(progress: &Progress) -> String {
    let mut errors = progress.errors.clone();
    errors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let told = errors
        .iter()
        .map(|(error, count)| format!("{}: {count}", error_word(*error)));
    match told.collect::<Vec<_>>().join(", ") {
        told if told.is_empty() => told,
        told => format!(" ({told})"),
    }
}

fn share(part: u32, whole: u32) -> f64 {
    (f64::from(part) / f64::from(whole.max(1))).min(1.0)
}

/// A bar with a blank after it; none where there is no room for one that says something.
fn bar(share: f64, width: usize, paint: Paint) -> String {
    const LEAST: usize = 8;
    if width < LEAST {
        return String::new();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few dozen columns"
    )]
    let full = ((share * width as f64).floor() as usize).min(width);
    let (done, rest) = ("━".repeat(full), "─".repeat(width - full));
    format!("{}{} ", paint.accent(&done), paint.faint(&rest))
}

/// A column a value, as high as its share of the greatest.
fn sparkline(values: &[f64]) -> String {
    const COLUMNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().fold(0.0, f64::max);
    let column = |value: &f64| {
        let share = if most > 0.0 { value / most } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 7"
        )]
        let index = (share * 7.0).round() as usize;
        COLUMNS[index.min(7)]
    };
    values.iter().map(column).collect()
}

/// Colours, where they are wanted.
#[derive(Debug, Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self.0 && !text.is_empty() {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn accent(self, text: &str) -> String {
        self.with("36", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("31", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::measure::RequestError;
    use autotuner_load::Live;

    fn progress() -> Progress {
        Progress {
            level: 1,
            levels: 4,
            label: "D(100,128), concurrency 8".into(),
            warming_up: false,
            completed: 127,
            failed: 1,
            planned: 256,
            in_flight: 8,
            errors: vec![(RequestError::Status(429), 1)],
            live: Some(Live {
                ttft: 0.012_34,
                ttft_p50: 0.012,
                ttft_p99: 0.034,
                tpot: Some(0.0045),
                output_tokens_per_second: 1234.0,
            }),
        }
    }

    fn told(progress: &Progress, seconds: u64, width: usize, is_coloured: bool) -> Vec<String> {
        let mut rates = Rates::default();
        for (elapsed, mean) in [(0.5, 100.0), (1.2, 100.0), (2.2, 200.0), (3.2, 300.0)] {
            rates.add(elapsed, mean);
        }
        frame(&Frame {
            progress,
            look: &Look::default(),
            elapsed: Duration::from_secs(seconds),
            limit: Duration::from_secs(30),
            rates: &rates,
            is_coloured,
            width,
        })
    }

    #[test]
    fn a_level_is_told_in_four_lines() {
        let lines = told(&progress(), 12, 72, false);
        assert_eq!(
            lines,
            [
                "level 2 of 4 · D(100,128), concurrency 8",
                "━━━━━━━━━━────────── 128/256 requests · 1 failed (429: 1) · 12 s of at most 30.0 s",
                "8 in flight · TTFT p50 12.0 ms, p99 34.0 ms · TPOT 4.50 ms · 1234 output tok/s",
                "▂▂▅█ tok/s each second",
            ]
        );
        let late = told(&progress(), 31, 72, false);
        assert!(late[1].ends_with("31 s, the last answers"), "{late:?}");
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let coloured = told(&progress(), 12, 72, true).join("\n");
        let plain: String = coloured
            .split('\u{1b}')
            .enumerate()
            .map(|(index, part)| match index {
                0 => part,
                _ => part.split_once('m').map_or("", |(_, text)| text),
            })
            .collect();
        assert_ne!(plain, coloured);
        assert_eq!(plain, told(&progress(), 12, 72, false).join("\n"));
    }

    #[test]
    fn a_narrow_terminal_has_no_bar_and_a_short_line() {
        let lines = told(&progress(), 12, 22, false);
        assert!(lines[1].starts_with("128/256"), "{lines:?}");
        assert!(lines[3].starts_with("▅█ "), "{lines:?}");
    }

    #[test]
    fn before_the_first_answer_nothing_is_claimed() {
        let mut progress = progress();
        progress.live = None;
        assert_eq!(told(&progress, 1, 80, false)[2], "8 in flight · no answer yet");
        progress.warming_up = true;
        assert_eq!(told(&progress, 1, 80, false)[1], "warming up · 1 s · 8 in flight");
    }

    #[test]
    fn failures_are_told_by_class_and_a_look_by_its_number() {
        let mut progress = progress();
        progress.failed = 4;
        progress.errors = vec![(RequestError::Status(503), 1), (RequestError::Timeout, 3)];
        let look = Look {
            number: "look 3".into(),
            known: "4 meet, 16 miss".into(),
        };
        let lines = frame(&Frame {
            progress: &progress,
            look: &look,
            elapsed: Duration::from_secs(1),
            limit: Duration::from_secs(30),
            rates: &Rates::default(),
            is_coloured: false,
            width: 72,
        });
        assert_eq!(lines[0], "look 3 · D(100,128), concurrency 8 · 4 meet, 16 miss");
        assert!(lines[1].contains("4 failed (timeout: 3, 503: 1)"), "{lines:?}");
    }

    #[test]
    fn a_shrinking_total_is_no_rate_below_nothing() {
        let mut rates = Rates::default();
        rates.add(1.5, 100.0);
        rates.add(2.5, 10.0);
        assert_eq!(rates.last(9), [100.0, 0.0]);
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
    }
}
