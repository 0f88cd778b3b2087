//! The database, on each engine: the same tests, twice. What is true of files or of servers alone
//! has files of its own.
//!
//! The PostgreSQL server is the one that `scripts/postgres.sh` starts, or the one whose URL
//! `AUTOTUNER_TEST_POSTGRES` is. Where there is none, its tests say so and pass, unless
//! `AUTOTUNER_REQUIRE_POSTGRES` is `1`.

/// A database that nobody has written to, on the engine of the module above. Where that is not to
/// be had, the test ends here.
macro_rules! fresh {
    () => {
        match super::fresh().await {
            Some(fresh) => fresh,
            None => return,
        }
    };
}

mod files;
mod moving;
mod postgres;
mod server;
mod shared;
mod sqlite;
mod support;
