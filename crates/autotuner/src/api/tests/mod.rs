//! Tasks and experiments as clients see them: the real routes over a real database.
//!
//! What a worker would do is done by its own verbs of the database, by hand.

mod actions;
mod best;
mod bulk;
mod documents;
mod errors;
mod files;
mod fixtures;
mod found;
mod lists;
mod pods;
mod support;
