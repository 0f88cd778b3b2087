//! A span of time in equal slices: which slice a moment lies in, and what falls into each.

use super::distribution::{count, seconds};
use super::rates::Span;
use super::request::{arrivals, has_served, in_flight_within};
use crate::measure::RequestRecord;

/// Equal parts of a span, at least one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slices {
    span: Span,
    count: usize,
}

impl Slices {
    /// So many parts; `None` of a span without length.
    pub(super) fn of(span: Span, count: usize) -> Option<Self> {
        (count > 0 && span.length() > 0.0).then_some(Self { span, count })
    }

    /// How many there are.
    pub(super) fn count(self) -> usize {
        self.count
    }

    /// How long each is, seconds.
    pub(super) fn length(self) -> f64 {
        self.span.length() / count(self.count)
    }

    /// In which one a moment lies; `None` outside of all.
    pub(super) fn at(self, at_ns: u64) -> Option<usize> {
        self.span.contains(at_ns).then(|| self.nearest(at_ns))
    }

    /// In which one a moment lies, or the nearest to it.
    pub(super) fn nearest(self, at_ns: u64) -> usize {
        let Span { from_ns, to_ns } = self.span;
        let into = u128::from(at_ns.saturating_sub(from_ns));
        let slices = self.count as u128;
        let index = into * slices / u128::from(to_ns - from_ns);
        usize::try_from(index.min(slices - 1)).unwrap_or(0)
    }

    /// Where one begins, and the last one ends.
    fn edge(self, index: usize) -> u64 {
        let Span { from_ns, to_ns } = self.span;
        let into = u128::from(to_ns - from_ns) * index as u128 / self.count as u128;
        from_ns + u64::try_from(into).unwrap_or(0)
    }

    /// Sums of amounts, each at its moment; what lies outside is left out.
    pub(super) fn sums(self, amounts: impl Iterator<Item = (u64, f64)>) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for (at_ns, amount) in amounts {
            if let Some(index) = self.at(at_ns) {
                sums[index] += amount;
            }
        }
        sums
    }

    /// Answer tokens that arrived.
    pub(super) fn output_tokens<'a>(self, requests: impl Iterator<Item = &'a RequestRecord>) -> Vec<f64> {
        let served = requests.filter(|request| has_served(request));
        self.sums(served.flat_map(arrivals))
    }

    /// Prompt tokens that arrived: all of a request's with its first content.
    pub(super) fn input_tokens<'a>(self, requests: impl Iterator<Item = &'a RequestRecord>) -> Vec<f64> {
        let served = requests.filter(|request| has_served(request));
        self.sums(served.filter_map(|request| {
            let tokens = f64::from(request.input_tokens.count);
            Some((*request.content_ns.first()?, tokens))
        }))
    }

    /// Requests in flight, on average over each.
    pub(super) fn in_flight<'a>(self, requests: impl Iterator<Item = &'a RequestRecord>) -> Vec<f64> {
        let mut together = vec![0; self.count];
        for request in requests {
            let (first, last) = (self.nearest(request.sent_ns), self.nearest(request.ended_ns));
            for (offset, sum) in together[first..=last.max(first)].iter_mut().enumerate() {
                let index = first + offset;
                *sum += in_flight_within(request, self.edge(index), self.edge(index + 1));
            }
        }
        together
            .into_iter()
            .map(|sum| seconds(sum) / self.length())
            .collect()
    }
}
