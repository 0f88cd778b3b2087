//! The PostgreSQL server for tests, and a schema in it for each of them.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// A schema of its own, which goes when the test ends. Connections to it are known by its name.
pub(crate) struct Schema {
    pub(crate) name: String,
    pub(crate) url: String,
    server: String,
}

/// The URL of the server for tests; `None`, and a word of it, where there is none.
pub(crate) fn server() -> Option<String> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("postgres")
        .join("url");
    let found = variable("AUTOTUNER_TEST_POSTGRES").or_else(|| std::fs::read_to_string(file).ok());
    if variable("AUTOTUNER_SKIP_POSTGRES").is_some_and(|value| value == "1") {
        missing("AUTOTUNER_SKIP_POSTGRES is 1");
        return None;
    }
    if found.is_none() {
        missing("no server for tests is known (scripts/postgres.sh starts one)");
    }
    found.map(|url| url.trim().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::print_stderr, reason = "what is not tested is said aloud")]
fn missing(why: &str) {
    let must = variable("AUTOTUNER_REQUIRE_POSTGRES").is_some_and(|value| value == "1");
    assert!(!must, "PostgreSQL is required: {why}");
    eprintln!("NOT TESTED ON POSTGRESQL: {why}");
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    options.connect().await
}

impl Schema {
    /// A new one, where there is a server.
    pub(crate) async fn new() -> Option<Self> {
        let server = server()?;
        let mut connection = match connect(&server).await {
            Ok(connection) => connection,
            Err(error) => {
                missing(&format!("the server for tests does not answer: {error}"));
                return None;
            }
        };
        let random = RandomState::new().hash_one(std::process::id());
        let name = format!("test_{random:016x}");
        let made = sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}")));
        made.execute(&mut connection).await.expect("made");
        connection.close().await.expect("closes");
        let sign = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{sign}application_name={name}&options=-csearch_path%3D{name}");
        Some(Self { name, url, server })
    }

    /// Does what no verb does: another hand.
    pub(crate) async fn raw(&self, sql: &str) {
        let mut connection = self.connection().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("closes");
    }

    /// A connection that goes by another name than those of the database.
    pub(crate) async fn connection(&self) -> PgConnection {
        let options: PgConnectOptions = self.url.parse().expect("a URL");
        let connected = options.application_name("another hand").connect().await;
        connected.expect("the server for tests answers")
    }

    /// Ends every connection of the database, as a server does that is started anew.
    pub(crate) async fn cut_off(&self) {
        self.raw(&cut(&self.name)).await;
    }
}

fn cut(name: &str) -> String {
    format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'")
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime waits for this and can do nothing for it.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let mut connection = connect(&server).await?;
                for sql in [cut(&name), format!("DROP SCHEMA {name} CASCADE")] {
                    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
                }
                connection.close().await
            })
        });
        let cleaned = cleaning.join();
        if !std::thread::panicking() {
            cleaned
                .expect("no panic")
                .expect("the schema of the test is removed");
        }
    }
}
