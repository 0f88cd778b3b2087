//! A search for the highest load that meets its bounds, as sentences, a table and JSON.
//!
//! Nothing here decides: what came of each look, and which load is the highest, came from others.

use autotuner_core::capacity::{Behind, BoundSeen, Look};
use autotuner_core::score::{Percentile, Slo, SloMetric, Statistic};
use autotuner_core::workload::knee::{End, Found, LookVerdict};
use serde_json::{Value, json};

use crate::report::words::{self, counted, duration, three_digits};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought {
    /// Requests in flight at once.
    Concurrency,
    /// Requests started in a second.
    Rate,
}

/// A search, whether it came to its end or not.
#[derive(Debug)]
pub(crate) struct LoadSearch {
    /// What was looked for.
    pub(crate) sought: Sought,
    /// What must hold.
    pub(crate) bounds: Vec<Slo>,
    /// The least load that might be looked at.
    pub(crate) from: f64,
    /// The most.
    pub(crate) to: f64,
    /// How close the answer was to come.
    pub(crate) resolution: f64,
    /// The looks, in their order.
    pub(crate) looks: Vec<SearchLook>,
    /// How it ended.
    pub(crate) end: SearchEnd,
}

/// One look.
#[derive(Debug)]
pub(crate) struct SearchLook {
    /// The load.
    pub(crate) load: f64,
    /// What was seen; `None` where no request at all was answered.
    pub(crate) seen: Option<Look>,
    /// Why nothing was seen; empty where something was.
    pub(crate) failure: String,
}

/// How a search ended.
#[derive(Debug)]
pub(crate) enum SearchEnd {
    /// With an answer.
    Found(Found),
    /// The load generator was the limit of the last look.
    ClientLimited,
    /// Somebody stopped it.
    Cancelled,
    /// The server could not be asked any more: why.
    Broken(String),
}

impl Sought {
    /// The word that asks for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Rate => "rate",
        }
    }

    /// A load, for people: `48 requests in flight`, `7.07 requests/s`.
    pub(crate) fn load(self, load: f64) -> String {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole, and above 0"
            )]
            Self::Concurrency => format!("{} in flight", counted(load as u128, "request")),
            Self::Rate => format!("{load} requests/s"),
        }
    }

    /// The same in brief: `48`, `7.07/s`.
    fn brief(self, load: f64) -> String {
        match self {
            Self::Concurrency => load.to_string(),
            Self::Rate => format!("{load}/s"),
        }
    }
}

impl SearchLook {
    /// What came of it; `None` where the load generator was the limit.
    pub(crate) fn verdict(&self) -> Option<LookVerdict> {
        match &self.seen {
            Some(seen) => seen.verdict(),
            None => Some(LookVerdict::OverSaturated),
        }
    }

    /// What came of it, in a word or two.
    pub(crate) fn word(&self) -> &'static str {
        match self.verdict() {
            Some(LookVerdict::Meets) => "meets",
            Some(LookVerdict::Misses) => "misses",
            Some(LookVerdict::OverSaturated) => "over-saturated",
            None => "client-limited",
        }
    }

    /// Everything that keeps it from meeting the bounds, in short; empty where nothing does.
    pub(crate) fn why(&self) -> String {
        let Some(seen) = &self.seen else {
            return self.failure.clone();
        };
        let missed = seen.bounds.iter().filter(|bound| !bound.is_met()).map(missed);
        let lost = seen.has_lost_many().then(|| {
            let started = counted(seen.started.into(), "request");
            format!("{} of {started} did not succeed", seen.lost)
        });
        let behind = seen.behind.as_ref().map(behind);
        let limits = seen.client_limits.iter().cloned();
        let limits = limits.filter(|_| self.verdict().is_none());
        let all: Vec<String> = missed.chain(lost).chain(behind).chain(limits).collect();
        all.join("; ")
    }

    /// The whole look in one line.
    pub(crate) fn line(&self, sought: Sought) -> String {
        let held = self.seen.iter().flat_map(|seen| &seen.bounds);
        let held: Vec<String> = held
            .filter(|bound| bound.is_met())
            .map(|bound| {
                format!(
                    "{} {} ≤ {}",
                    name(bound.metric),
                    told(bound),
                    duration(bound.threshold)
                )
            })
            .collect();
        let why = match self.why() {
            why if why.is_empty() => held.join(", "),
            why => why,
        };
        format!("{}: {}: {why}", sought.load(self.load), self.word())
    }
}

impl LoadSearch {
    /// The highest load that met every bound.
    pub(crate) fn highest_met(&self) -> Option<f64> {
        match &self.end {
            SearchEnd::Found(found) => found.highest_met,
            // Below the lowest miss, as a finished search would have it.
            _ => {
                let of = |is_met: bool| {
                    let looks = self.looks.iter();
                    let looks =
                        looks.filter(move |look| (look.verdict() == Some(LookVerdict::Meets)) == is_met);
                    looks
                        .filter(|look| look.verdict().is_some())
                        .map(|look| look.load)
                };
                let missed = of(false).min_by(f64::total_cmp).unwrap_or(f64::INFINITY);
                of(true).filter(|load| *load < missed).max_by(f64::total_cmp)
            }
        }
    }

    /// The bounds, for people: `p99 TTFT ≤ 500 ms and mean TPOT ≤ 50.0 ms`.
    pub(crate) fn terms(&self) -> String {
        let terms: Vec<String> = self
            .bounds
            .iter()
            .map(|slo| format!("{} ≤ {}", name(slo.metric), duration(slo.threshold)))
            .collect();
        terms.join(" and ")
    }

    /// What came of the search, in one or two sentences.
    pub(crate) fn answer(&self) -> String {
        let terms = self.terms();
        let until_now = match self.highest_met() {
            Some(load) => format!(
                "the highest load that met {terms} until then: {}",
                self.sought.load(load)
            ),
            None => format!("no load had met {terms} until then"),
        };
        match &self.end {
            SearchEnd::Found(found) => self.found(found, &terms),
            SearchEnd::ClientLimited => {
                let last = self.looks.last();
                let load = last.map_or(String::new(), |look| self.sought.load(look.load));
                let why = last.map(SearchLook::why).unwrap_or_default();
                format!(
                    "the search ended at {load}, where the load generator and not the server was the limit ({why}); \
                     {until_now}"
                )
            }
            SearchEnd::Cancelled => {
                format!(
                    "cancelled after {}; {until_now}",
                    counted(self.looks.len() as u128, "look")
                )
            }
            SearchEnd::Broken(why) => format!("the search broke off: {why}; {until_now}"),
        }
    }

    fn found(&self, found: &Found, terms: &str) -> String {
        let missed = found.lowest_missed.map(|load| {
            let look = self.looks.iter().find(|look| look.load == load);
            let why = look.map(SearchLook::why).unwrap_or_default();
            let word = look.map_or("misses", SearchLook::word);
            let verb = match word {
                "over-saturated" => "over-saturates",
                word => word,
            };
            (load, verb, why)
        });
        match (found.end, found.highest_met, missed) {
            (End::MostMeets, Some(met), _) => format!(
                "all met up to the limit of {}: {terms}; raise --to to look further",
                self.sought.load(met)
            ),
            (End::Resolution, Some(met), Some((load, verb, why))) => format!(
                "highest load that meets {terms}: {} ({} {verb}: {why})",
                self.sought.load(met),
                self.sought.brief(load)
            ),
            (_, _, Some((load, _, why))) => {
                let closest = self.sought.load(load);
                format!(
                    "none met {terms}: the closest is {closest} ({why}); lower --from to look further down"
                )
            }
            (_, _, None) => format!("nothing was looked at for {terms}"),
        }
    }

    /// The heads of a table of looks, after `load`.
    pub(crate) fn heads(&self) -> Vec<String> {
        let bounds = self.bounds.iter();
        let bounds = bounds.map(|slo| format!("{} ≤ {}", name(slo.metric), duration(slo.threshold)));
        let rest = ["total tok/s", "failed", "outcome"].map(str::to_owned);
        bounds.chain(rest).collect()
    }

    /// A look's cells below [`LoadSearch::heads`].
    pub(crate) fn cells(&self, look: &SearchLook) -> Vec<String> {
        let nothing = || "–".to_owned();
        let bounds = |index: usize| {
            let bound = look.seen.as_ref().and_then(|seen| seen.bounds.get(index));
            bound.map_or_else(nothing, told)
        };
        let mut cells: Vec<String> = (0..self.bounds.len()).map(bounds).collect();
        let seen = look.seen.as_ref();
        cells.push(seen.map_or_else(nothing, |seen| three_digits(seen.throughput)));
        cells.push(seen.map_or_else(nothing, |seen| format!("{} of {}", seen.lost, seen.started)));
        cells.push(look.word().to_owned());
        cells
    }

    /// Whether any look's percentile rests on too few requests.
    pub(crate) fn has_low_n(&self) -> bool {
        let seen = self.looks.iter().filter_map(|look| look.seen.as_ref());
        seen.flat_map(|seen| &seen.bounds).any(|bound| bound.is_low_n)
    }

    /// The search in a summary.
    pub(crate) fn json(&self) -> Value {
        let end = match &self.end {
            SearchEnd::Found(found) => match found.end {
                End::Resolution => "found",
                End::LeastMisses => "none_met",
                End::MostMeets => "all_met",
            },
            SearchEnd::ClientLimited => "client_limited",
            SearchEnd::Cancelled => "cancelled",
            SearchEnd::Broken(_) => "broken",
        };
        let lowest = match &self.end {
            SearchEnd::Found(found) => found.lowest_missed,
            _ => None,
        };
        let bounds = self.bounds.iter();
        let bounds =
            bounds.map(|slo| json!({"metric": slo.metric.to_string(), "threshold_seconds": slo.threshold}));
        json!({
            "find": self.sought.as_str(),
            "bounds": bounds.collect::<Vec<_>>(),
            "from": self.from,
            "to": self.to,
            "resolution": self.resolution,
            "end": end,
            "highest_met": self.highest_met(),
            "lowest_missed": lowest,
            "answer": self.answer(),
            "looks": self.looks.iter().map(look_json).collect::<Vec<_>>(),
        })
    }
}

fn look_json(look: &SearchLook) -> Value {
    let bounds = look.seen.iter().flat_map(|seen| &seen.bounds).map(|bound| {
        json!({
            "metric": bound.metric.to_string(),
            "actual_seconds": bound.actual.filter(|actual| actual.is_finite()),
            "is_met": bound.is_met(),
            "is_low_n": bound.is_low_n,
        })
    });
    json!({
        "load": look.load,
        "outcome": look.word().replace('-', "_"),
        "why": look.why(),
        "bounds": bounds.collect::<Vec<_>>(),
        "requests": look.seen.as_ref().map(|seen| seen.started),
        "failed_requests": look.seen.as_ref().map(|seen| seen.lost),
        "total_throughput": look.seen.as_ref().map(|seen| seen.throughput),
    })
}

/// What was measured of a bound, with a mark where few requests carry it.
fn told(bound: &BoundSeen) -> String {
    let mark = if bound.is_low_n { "*" } else { "" };
    match bound.actual {
        Some(actual) => format!("{}{mark}", duration(actual)),
        None => "–".into(),
    }
}

fn missed(bound: &BoundSeen) -> String {
    let name = name(bound.metric);
    match bound.actual {
        Some(actual) => format!("{name} {} > {}", duration(actual), duration(bound.threshold)),
        None => format!("{name} was not measured"),
    }
}

fn behind(behind: &Behind) -> String {
    match behind {
        Behind::HeldBack { held_back } => format!(
            "{} had to wait until fewer were in flight",
            counted((*held_back).into(), "request")
        ),
        Behind::Backlog { growth } => format!(
            "the server falls behind: each second of load made answers {} later",
            duration(*growth)
        ),
        Behind::NoMoreThroughput {
            than,
            throughput,
            latency,
        } => format!(
            "the server does no more than with {than}: {} throughput, {} latency",
            words::percent(*throughput),
            words::percent(*latency)
        ),
    }
}

/// A bounded metric, for people: `p99 TTFT`.
fn name(metric: SloMetric) -> String {
    let (what, statistic) = match metric {
        SloMetric::Latency(percentile) => ("latency", Statistic::At(percentile)),
        SloMetric::Ttft(statistic) => ("TTFT", statistic),
        SloMetric::Tpot(statistic) => ("TPOT", statistic),
    };
    let which = match statistic {
        Statistic::Mean => "mean",
        Statistic::At(percentile) => Percentile::as_str(percentile),
    };
    format!("{which} {what}")
}

#[cfg(test)]
mod tests;
