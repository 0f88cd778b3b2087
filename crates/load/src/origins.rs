//! Who has answered, all requests of a benchmark together.
//!
//! The one idea: one benchmark measures one engine, so every answer that names its sender must
//! name the same. Where two did, figures of two engines are mixed, and that must be told: a
//! port may be taken by another program, an engine may have been replaced while it was
//! measured. A server that names itself by its build only (llama.cpp) or not at all (vLLM)
//! cannot be told apart so.
//!
//! It does not say what such a measurement is worth.

use std::sync::{Mutex, PoisonError};

use crate::delta::Origin;

/// Most fingerprints that are kept: with as many, there may be more.
pub const MOST_FINGERPRINTS: usize = 5;

/// Those who have answered.
#[derive(Debug)]
pub(crate) struct Origins(Mutex<Seen>);

/// What answers have said of their sender.
#[derive(Debug, Default)]
struct Seen {
    /// In the order in which they were first seen, [`MOST_FINGERPRINTS`] at most.
    fingerprints: Vec<String>,
    /// Whether an answer named no sender.
    has_unnamed: bool,
    /// The first model name of an answer that is not the one asked for.
    other_model: Option<String>,
    asked_model: String,
}

impl Origins {
    /// Nobody yet; this model is asked for.
    pub(crate) fn new(asked_model: &str) -> Self {
        Self(Mutex::new(Seen {
            asked_model: asked_model.to_owned(),
            ..Seen::default()
        }))
    }

    /// Notes who sent one answer.
    pub(crate) fn note(&self, origin: &Origin) {
        let Origin { fingerprint, model } = origin;
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match fingerprint {
            None => seen.has_unnamed = true,
            Some(fingerprint)
                if seen.fingerprints.len() < MOST_FINGERPRINTS
                    && !seen.fingerprints.contains(fingerprint) =>
            {
                seen.fingerprints.push(fingerprint.clone());
            }
            Some(_) => {}
        }
        if let Some(model) = model
            && seen.other_model.is_none()
            && *model != seen.asked_model
        {
            seen.other_model = Some(model.clone());
        }
    }

    /// The distinct fingerprints, in the order in which they were first seen.
    pub(crate) fn fingerprints(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.fingerprints.clone()
    }

    /// What a reader should know of it, in sentences.
    pub(crate) fn notes(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes = Vec::new();
        match seen.fingerprints.as_slice() {
            [] => {}
            [only] if seen.has_unnamed => notes.push(format!(
                "answers may have come from more than one engine: some are from {only}, some do not say from whom"
            )),
            [_] => {}
            several => {
                let shown = several.len().min(MOST_FINGERPRINTS - 1);
                let (shown, more) = several.split_at(shown);
                let more = if more.is_empty() { "" } else { " and more" };
                notes.push(format!(
                    "answers came from more than one engine: {}{more}",
                    shown.join(", ")
                ));
            }
        }
        if let Some(other) = &seen.other_model {
            notes.push(format!(
                "the server answers as model {other} where {} was asked for",
                seen.asked_model
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answers: &[(Option<&str>, &str)], fingerprints: &[&str], notes: &[&str]) {
        let origins = Origins::new("asked");
        for (fingerprint, model) in answers {
            origins.note(&Origin {
                fingerprint: fingerprint.map(str::to_owned),
                model: Some((*model).to_owned()),
            });
        }
        assert_eq!(origins.fingerprints(), fingerprints);
        assert_eq!(origins.notes(), notes);
    }

    #[test]
    fn one_engine_or_nobody_is_no_news() {
        check(&[], &[], &[]);
        check(&[(None, "asked"), (None, "asked")], &[], &[]);
        check(&[(Some("a"), "asked"), (Some("a"), "asked")], &["a"], &[]);
    }

    #[test]
    fn several_engines_are_told() {
        check(
            &[(Some("a"), "asked"), (Some("b"), "asked"), (Some("a"), "asked")],
            &["a", "b"],
            &["answers came from more than one engine: a, b"],
        );
        let six = ["a", "b", "c", "d", "e", "f"].map(|name| (Some(name), "asked"));
        check(
            &six,
            &["a", "b", "c", "d", "e"],
            &["answers came from more than one engine: a, b, c, d and more"],
        );
        check(
            &[(Some("a"), "asked"), (None, "asked")],
            &["a"],
            &["answers may have come from more than one engine: some are from a, some do not say from whom"],
        );
    }

    #[test]
    fn another_models_name_is_told_once() {
        check(
            &[(None, "asked"), (None, "x"), (None, "y")],
            &[],
            &["the server answers as model x where asked was asked for"],
        );
    }
}
