//! What a person sees while a benchmark runs: a few lines redrawn in place on a terminal, plain
//! lines elsewhere.

mod frame;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use async_trait::async_trait;
use autotuner_core::measure::LevelRecords;
use autotuner_core::metrics::level_metrics;
use autotuner_core::workload::Workload;
use autotuner_load::{Observer, Progress, Verdict};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(super) use self::frame::Look;
use self::frame::{Frame, Rates, frame};
use crate::cli::say;
use crate::report::words;

/// The view of one benchmark, on standard error.
pub(super) struct View {
    talk: Talk,
    lines: Vec<ProgressBar>,
    label: Arc<str>,
    limit: Duration,
    is_coloured: bool,
    phase: Option<Phase>,
    look: Look,
}

/// Says lines that stay, above those that are redrawn.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    bars: MultiProgress,
}

impl Talk {
    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        if self.bars.is_hidden() {
            say(line);
        } else {
            drop(self.bars.println(line));
        }
    }
}

/// One phase of one level.
struct Phase {
    begun: Instant,
    is_warm_up: bool,
    rates: Rates,
}

impl View {
    /// The view of this workload's benchmark; `is_plain` redraws nothing.
    pub(super) fn new(workload: &Workload, is_plain: bool, is_coloured: bool) -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr()) && !is_plain;
        let target = match is_terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        Self {
            talk: Talk {
                bars: MultiProgress::with_draw_target(target),
            },
            lines: Vec::new(),
            label: Arc::default(),
            limit: workload.max_time_per_level,
            is_coloured,
            phase: None,
            look: Look::default(),
        }
    }

    /// From now on this look of a search is measured.
    pub(super) fn begin_look(&mut self, look: Look) {
        self.look = look;
        self.label = Arc::default();
        self.phase = None;
    }

    /// For whoever else has something to say meanwhile.
    pub(super) fn talk(&self) -> Talk {
        self.talk.clone()
    }

    /// Takes the lines away.
    pub(super) fn clear(&mut self) {
        for line in self.lines.drain(..) {
            line.finish_and_clear();
        }
        drop(self.talk.bars.clear());
    }

    fn draw(&mut self, progress: &Progress) {
        if self.talk.bars.is_hidden() {
            return;
        }
        let now = Instant::now();
        let is_other = self
            .phase
            .as_ref()
            .is_none_or(|phase| phase.is_warm_up != progress.warming_up);
        if is_other {
            self.phase = None;
        }
        let phase = self.phase.get_or_insert_with(|| Phase {
            begun: now,
            is_warm_up: progress.warming_up,
            rates: Rates::default(),
        });
        let elapsed = now.saturating_duration_since(phase.begun);
        if let Some(live) = &progress.live {
            phase
                .rates
                .add(elapsed.as_secs_f64(), live.output_tokens_per_second);
        }
        let texts = frame(&Frame {
            progress,
            look: &self.look,
            elapsed,
            limit: self.limit,
            rates: &phase.rates,
            is_coloured: self.is_coloured,
            width: terminal_width(),
        });
        while self.lines.len() < texts.len() {
            let style =
                ProgressStyle::with_template("{wide_msg}").expect("the template is a constant that parses");
            self.lines
                .push(self.talk.bars.add(ProgressBar::new_spinner().with_style(style)));
        }
        for (line, text) in self.lines.iter().zip(texts) {
            line.set_message(text);
        }
    }
}

/// Columns of the terminal on standard error; a common number where it does not say.
fn terminal_width() -> usize {
    const COMMON: u16 = 80;
    comfy_table::Table::new()
        .use_stderr()
        .width()
        .unwrap_or(COMMON)
        .into()
}

#[async_trait]
impl Observer for View {
    fn progress(&mut self, progress: &Progress) {
        if *self.label != *progress.label {
            self.label = progress.label.as_str().into();
            self.phase = None;
            if self.talk.bars.is_hidden() {
                let Progress {
                    level, levels, label, ..
                } = progress;
                say(&match self.look.number.as_str() {
                    "" => format!("level {} of {levels}: {label}", level + 1),
                    number => format!("{number}: {label}"),
                });
            }
        }
        self.draw(progress);
    }

    async fn level_done(&mut self, records: &LevelRecords) -> Verdict {
        self.talk.say(&done(records));
        Verdict::Continue
    }
}

/// A level that has ended, in one line.
fn done(records: &LevelRecords) -> String {
    let level = level_metrics(records, &[]);
    let mut line = format!(
        "{}: {}",
        level.label(),
        words::counted(level.counts.started.into(), "request")
    );
    let lost = level.counts.failed + level.counts.cut_off;
    if lost > 0 {
        line += &format!(", {lost} failed");
    }
    if let Some(ttft) = &level.ttft {
        line += &format!(", TTFT {}", words::duration(ttft.mean));
    }
    if let Some(tpot) = &level.tpot {
        line += &format!(", TPOT {}", words::duration(tpot.mean));
    }
    line + &format!(
        ", {} output tok/s",
        words::three_digits(level.rates.output_tokens)
    )
}
