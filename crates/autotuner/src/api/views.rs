//! What records look like on the wire.
