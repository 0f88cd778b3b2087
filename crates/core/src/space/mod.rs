//! What may vary: parameters, the space they span, and points in it.
//!
//! A [`Space`] knows its size and any of its points by number, without ever listing them.
//! It knows nothing of engines: which flag a parameter becomes is [`crate::engine`]'s matter.

mod candidate;
mod conditions;
mod constraint;
mod parameter;
#[expect(clippy::module_inception, reason = "the space is this module's main type")]
mod space;
mod value;

pub use candidate::{Candidate, CandidateKey};
pub use constraint::{Constraint, ConstraintError};
pub use parameter::{Domain, Parameter, ParameterName, Target};
pub use space::{Size, Space};
pub use value::Value;
