//! Words in queries: one of a few, several of them, or a text to look for.

use autotuner_core::problem::{Problem, closest};
use autotuner_store::Order;

use super::error::ApiError;

/// Longest text that is looked for, in characters: each of its words is one more condition.
const LONGEST_TEXT: usize = 200;

/// Which way lists are sorted, by its word.
pub(super) const ORDERS: [(&str, Order); 2] = [("asc", Order::Ascending), ("desc", Order::Descending)];

/// What a word of the parameter `path` stands for; `what` is what such a word is.
///
/// # Errors
/// 422: there is no such word.
pub(super) fn one_of<T: Copy>(
    path: &str,
    what: &str,
    word: &str,
    known: &[(&'static str, T)],
) -> Result<T, ApiError> {
    if let Some((_, meant)) = known.iter().find(|(other, _)| *other == word) {
        return Ok(*meant);
    }
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    let hint = match closest(word, words.iter().copied()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("use one of {}", words.join(", ")),
    };
    let short: String = word.chars().take(60).collect();
    let text = format!("unknown {what} \"{short}\"");
    let problem = Problem::new(path, text.clone()).with_hint(hint.clone());
    Err(ApiError::problems(text, vec![problem]).with_hint(hint))
}

/// The same where nothing may be said.
pub(super) fn said<T: Copy>(
    path: &str,
    what: &str,
    word: Option<&str>,
    known: &[(&'static str, T)],
) -> Result<Option<T>, ApiError> {
    let word = word.filter(|word| !word.is_empty());
    word.map(|word| one_of(path, what, word, known)).transpose()
}

/// The same for several, with commas between them; none where nothing is said.
pub(super) fn several<T: Copy>(
    path: &str,
    what: &str,
    words: Option<&str>,
    known: &[(&'static str, T)],
) -> Result<Vec<T>, ApiError> {
    let words = words.unwrap_or_default().split(',').map(str::trim);
    let said = words.filter(|word| !word.is_empty());
    said.map(|word| one_of(path, what, word, known)).collect()
}

/// A text to look for, without what is around it; `None` where it is empty.
///
/// # Errors
/// 422: it is too long.
pub(super) fn text(path: &str, given: Option<&str>) -> Result<Option<String>, ApiError> {
    let given = given.unwrap_or_default().trim();
    let length = given.chars().count();
    if length > LONGEST_TEXT {
        let message = format!("has {length} characters; {LONGEST_TEXT} at most");
        let detail = "The text to look for is too long";
        return Err(ApiError::problems(detail, vec![Problem::new(path, message)]));
    }
    Ok(Some(given.to_owned()).filter(|text| !text.is_empty()))
}
