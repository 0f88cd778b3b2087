//! The load generator against a server that answers from a script.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod closed_loop;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod lead_in;
#[cfg(test)]
mod open_loop;
#[cfg(test)]
mod origins;
#[cfg(test)]
mod precision;
