//! What was seen, as tables.

use std::fmt::Write as _;

use crate::crowd::{Times, Verb};
use crate::server::{Table, Work};

/// What was seen at one pace.
pub(crate) struct Figures {
    times: Times,
    seconds: f64,
    work: Work,
}

/// What was seen at one place.
pub(crate) struct Seen {
    pub(crate) on_record: u64,
    pub(crate) hurry: Figures,
    pub(crate) ease: Figures,
    pub(crate) tables: Vec<Table>,
}

impl Figures {
    pub(crate) fn of(mut times: Times, seconds: f64, work: Work) -> Self {
        for spent in times.values_mut() {
            spent.sort_unstable();
        }
        Self { times, seconds, work }
    }

    fn sorted(&self, verb: Verb) -> &[u64] {
        self.times.get(&verb).map_or(&[], Vec::as_slice)
    }

    fn rate(&self, verb: Verb) -> String {
        format!("{:.1}", self.sorted(verb).len() as f64 / self.seconds)
    }

    /// Median and 99th percentile, in milliseconds.
    fn spent(&self, verb: Verb) -> String {
        let sorted = self.sorted(verb);
        let at = |share: usize| {
            let index = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
            sorted
                .get(index)
                .map_or(f64::NAN, |micros| *micros as f64 / 1000.0)
        };
        format!("{:.1} / {:.1}", at(50), at(99))
    }

    fn of_an_experiment(&self, amount: i64) -> f64 {
        amount as f64 / self.sorted(Verb::Finish).len().max(1) as f64
    }
}

/// All of it.
pub(crate) fn table(all: &[Seen]) -> String {
    let mut text = String::from(
        "| experiments on record | pace | experiments/s | claims/s | claim p50 / p99, ms | renew | begin | move | finish \
         | transactions of an experiment | WAL of an experiment, kB |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for seen in all {
        for (pace, figures) in [("hurry", &seen.hurry), ("ease", &seen.ease)] {
            let _ = writeln!(
                text,
                "| {} | {pace} | {} | {} | {} | {} | {} | {} | {} | {:.1} | {:.1} |",
                thousands(seen.on_record),
                figures.rate(Verb::Finish),
                figures.rate(Verb::Claim),
                figures.spent(Verb::Claim),
                figures.spent(Verb::Renew),
                figures.spent(Verb::Begin),
                figures.spent(Verb::Move),
                figures.spent(Verb::Finish),
                figures.of_an_experiment(figures.work.commits),
                figures.of_an_experiment(figures.work.wal_bytes) / 1000.0,
            );
        }
    }
    text.push_str(
        "\n| experiments on record | table | rows | dead rows | table, MB | its indexes, MB | updates in place, % \
         | vacuums | whole scans |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for seen in all {
        for table in &seen.tables {
            let _ = writeln!(
                text,
                "| {} | `{}` | {} | {} | {:.1} | {:.1} | {:.1} | {} | {} |",
                thousands(seen.on_record),
                table.name,
                table.rows,
                table.dead,
                table.bytes as f64 / 1e6,
                table.index_bytes as f64 / 1e6,
                table.in_place as f64 * 100.0 / table.updates.max(1) as f64,
                table.vacuums,
                table.scans,
            );
        }
    }
    text
}

fn thousands(amount: u64) -> String {
    let digits = amount.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
