//! The documentation page, offline.
