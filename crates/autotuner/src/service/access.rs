//! Who may do what: tokens, sessions, and the shape of a caller.

use autotuner_store::{Act, Role};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Name of the token; `local` where nobody was asked.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// From where.
    pub(crate) address: Option<String>,
}

impl Caller {
    /// The caller's act at this time.
    pub(crate) fn act(&self, at_ms: i64) -> Act {
        Act {
            actor: self.name.clone(),
            role: self.role,
            address: self.address.clone(),
            at_ms,
        }
    }
}

/// How callers are recognised.
#[derive(Debug, Default)]
pub(crate) struct Access {}
