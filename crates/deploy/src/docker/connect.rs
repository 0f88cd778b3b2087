//! Reaches the daemon: where it is, and which API it speaks.
