//! What is wrong with a document: where, what, and what to do about it.

use std::fmt;

/// One thing wrong with what a user wrote.
///
/// Checks collect problems and return them all at once; they never stop at the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a dotted path into the document, for example `optimization.strategy`
    /// or `benchmark.traffic_scenarios[1]`. Empty for the document as a whole.
    pub path: String,
    /// What is wrong, naming the offending value.
    pub message: String,
    /// What to do about it, where we know.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at `path` without a hint.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same problem, with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}", self.message)?;
        } else {
            write!(f, "{}: {}", self.path, self.message)?;
        }
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The entry of `known` closest to `word`, if any is close enough to be a misspelling of it.
///
/// Close means at most a third of the letters (at least one, at most three) inserted,
/// dropped or replaced, with `-` and `_` held to be the same letter.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let normal = |text: &str| text.to_lowercase().replace('_', "-");
    let word = normal(word);
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (edit_distance(&word, &normal(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_finds_its_word_and_a_stranger_does_not() {
        let known = ["grid_search", "random_search", "bayesian"];
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(closest(word, known), expected, "{word}");
        };
        check("baysian", Some("bayesian"));
        check("grid-search", Some("grid_search"));
        check("Random_Serch", Some("random_search"));
        check("annealing", None);
        check("", None);
    }

    #[test]
    fn a_problem_reads_as_path_message_and_hint() {
        let problem = Problem::new("optimization.strategy", "unknown strategy \"baysian\"")
            .with_hint("did you mean \"bayesian\"?");
        assert_eq!(
            problem.to_string(),
            "optimization.strategy: unknown strategy \"baysian\"; did you mean \"bayesian\"?"
        );
        assert_eq!(Problem::new("", "empty document").to_string(), "empty document");
    }
}
