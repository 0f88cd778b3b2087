//! Who an engine is: a name of its own for every start.
//!
//! The one idea: whoever reads an answer can tell whether the engine that he started gave it,
//! or another one that happened to listen there. So the name must differ from start to start,
//! also with equal flags and an equal seed; it is the one thing here that cannot be replayed,
//! and nothing is computed from it.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

/// The name of one started engine: `sim-` and 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity(Arc<str>);

impl Identity {
    /// A new name. The keys of the standard library's hash maps are drawn from the system's
    /// own randomness, and no two of one thread are equal.
    pub(crate) fn draw() -> Self {
        let process = RandomState::new().hash_one(std::process::id());
        Self(format!("sim-{process:016x}").into())
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_draw_is_a_new_name_of_one_shape() {
        let names: Vec<Identity> = (0..100).map(|_| Identity::draw()).collect();
        for (index, name) in names.iter().enumerate() {
            let digits = name.as_str().strip_prefix("sim-").expect("its beginning");
            assert!(
                digits.len() == 16 && digits.chars().all(|c| c.is_ascii_hexdigit()),
                "{name}"
            );
            assert!(!names[..index].contains(name), "{name} twice");
        }
    }
}
