//! What reading and checking a document found, collected in one place.
//!
//! Nothing stops at its first problem: readers and rules both report here and go on with
//! a stand-in value. A rule that meets such a stand-in must not complain about it, so
//! rules ask whether reading already spoilt the place they look at.

use std::cell::{Cell, RefCell};

use crate::problem::Problem;

/// Problems reported at most; a document with more is beyond advice.
const MOST_PROBLEMS: usize = 200;

/// Problems and warnings, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    left_out: Cell<usize>,
    found_by_reading: Cell<usize>,
}

impl Findings {
    /// Reports a problem.
    pub(super) fn report(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MOST_PROBLEMS {
            problems.push(problem);
        } else {
            self.left_out.set(self.left_out.get() + 1);
        }
    }

    /// From here on, problems come from rules.
    pub(super) fn reading_is_done(&self) {
        self.found_by_reading.set(self.problems.borrow().len());
    }

    /// Reports a rule's problem, unless reading already complained about this place.
    pub(super) fn refuse(&self, problem: Problem) {
        if !self.is_spoilt(&problem.path) {
            self.report(problem);
        }
    }

    /// Reports something that is accepted but worth saying.
    pub(super) fn warn(&self, warning: Problem) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < MOST_PROBLEMS {
            warnings.push(warning);
        }
    }

    /// Whether reading found a problem at this path, above it or below it, so that the
    /// value there is not what the user wrote.
    pub(super) fn is_spoilt(&self, path: &str) -> bool {
        let problems = self.problems.borrow();
        problems
            .iter()
            .take(self.found_by_reading.get())
            .any(|problem| contains(&problem.path, path) || contains(path, &problem.path))
    }

    /// How many problems there are so far.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len() + self.left_out.get()
    }

    /// Whether there is no problem so far.
    pub(super) fn is_sound(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Problems and warnings.
    pub(super) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>) {
        let mut problems = self.problems.into_inner();
        if self.left_out.get() > 0 {
            let count = self.left_out.get();
            problems.push(Problem::new(
                "",
                format!("{count} further problems are not listed"),
            ));
        }
        (problems, self.warnings.into_inner())
    }
}

/// Whether the place `inner` is `outer` itself or lies inside it.
fn contains(outer: &str, inner: &str) -> bool {
    outer.is_empty()
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_silent_where_reading_failed_and_only_there() {
        let findings = Findings::default();
        findings.report(Problem::new("optimization.seed", "is text"));
        findings.report(Problem::new("benchmark.num_concurrency[1]", "is text"));
        findings.reading_is_done();
        let check = |path: &str, spoilt: bool| assert_eq!(findings.is_spoilt(path), spoilt, "{path}");
        check("optimization.seed", true);
        check("optimization", true);
        check("optimization.seeds", false);
        check("optimization.strategy", false);
        check("benchmark.num_concurrency", true);
        check("benchmark.num_concurrency[1].x", true);
        check("benchmark.num_concurrency[0]", false);

        findings.refuse(Problem::new("optimization.seed", "is too large"));
        findings.refuse(Problem::new("task_name", "is empty"));
        findings.refuse(Problem::new("task_name", "is long"));
        let (problems, _) = findings.into_parts();
        assert_eq!(problems.len(), 4);
    }

    #[test]
    fn endless_problems_are_counted_not_listed() {
        let findings = Findings::default();
        for index in 0..1_000 {
            findings.report(Problem::new(format!("key{index}"), "is unknown"));
        }
        let (problems, _) = findings.into_parts();
        assert_eq!(problems.len(), MOST_PROBLEMS + 1);
        assert_eq!(
            problems[MOST_PROBLEMS].message,
            "800 further problems are not listed"
        );
    }
}
