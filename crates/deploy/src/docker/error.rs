//! What the daemon's refusals mean.
