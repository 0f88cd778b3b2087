//! Remembers tasks and experiments.
