//! The engine over real sockets: what it answers, how it fails on demand, how it starts and ends.

// The attribute tells clippy that these are tests, helpers included.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod life;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod support;
