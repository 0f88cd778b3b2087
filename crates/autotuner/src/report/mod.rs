//! What a run is told as: a file for programs, tables and sentences for people.

pub(crate) mod bench;
pub(crate) mod claims;
pub(crate) mod command;
pub(crate) mod compose;
pub(crate) mod files;
pub(crate) mod manifest;
pub(crate) mod metrics;
pub(crate) mod package;
pub(crate) mod pareto;
pub(crate) mod progress;
pub(crate) mod requests;
pub(crate) mod results;
pub(crate) mod table;
pub(crate) mod words;
mod worth;

/// A tree as YAML in which every text is in quotes: what one reader takes for text, another that
/// goes by an older YAML takes for a switch or a number.
pub(crate) fn yaml(tree: &serde_json::Value) -> String {
    let options = serde_saphyr::ser_options! { quote_all: true };
    serde_saphyr::to_string_with_options(tree, options).expect("every key of the tree is text")
}
