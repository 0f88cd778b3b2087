//! The one program, as people meet it: started as a process, judged by what it prints, what it
//! exits with, what it writes and what it leaves behind.
//!
//! One test binary, so that linking is paid for once. Every test has a sandbox of its own
//! (home, data directory, environment); engines are real child processes. Nothing here looks
//! inside the program, and nothing asserts how long anything takes.

mod bench;
mod bench_search;
mod cancel;
mod commands;
mod failures;
mod llamacpp;
mod orphans;
mod run;
mod support;
mod tune;
