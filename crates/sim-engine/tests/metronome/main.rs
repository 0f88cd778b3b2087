//! The truth server over real sockets: what it answers, what it writes down, and whom it survives.

// The attribute tells clippy that these are tests, helpers included.
#[cfg(test)]
mod client;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod truth;
