//! What is particular to PostgreSQL: a server, many writers, deadlines.
//!
//! The one idea: nothing waits for ever. A connection, a statement, a lock and a transaction that
//! does nothing each have their deadline with the server, and a server that has gone silent is
//! given up here.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Error};

use super::{Bound, Found, PATIENCE, Purpose, Trouble};

/// Every step from an empty database to today's; the numbers are SQLite's.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Requests that read at once; more of them wait for one of these.
const READERS: u32 = 8;
/// Transactions that write at once: one for people, the others for workers. Whoever listens to
/// other processes keeps one, too.
const WRITERS: u32 = 6;

/// How long the server is waited for at first.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long an answer is waited for, where the server itself does not say that it took too long.
const ANSWER: Duration = Duration::from_secs(40);
/// How long a connection that is given back may take to say that it is good.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// The server's own deadlines, in milliseconds, where the URL says no others.
const DEADLINES: [(&str, &str); 3] = [
    ("statement_timeout", "30000"),
    ("lock_timeout", "10000"),
    ("idle_in_transaction_session_timeout", "60000"),
];
/// Steps to a later schema may take long, and whoever starts meanwhile waits for them.
const DEADLINES_OF_STEPS: [(&str, &str); 3] = [
    ("statement_timeout", "0"),
    ("lock_timeout", "60000"),
    ("idle_in_transaction_session_timeout", "60000"),
];

/// Waits until nobody else who changes things on behalf of people does, until the transaction
/// ends. Each schema has its own turn.
pub(super) const TAKE_TURN: &str = "SELECT pg_advisory_xact_lock(1635087471, hashtext(current_schema()))";

/// How a transaction begins. At READ COMMITTED a statement that finds a row taken waits, and then
/// looks at the row anew, whatever the server's default is.
pub(super) fn begin(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        Purpose::Write | Purpose::WriteRows => "BEGIN ISOLATION LEVEL READ COMMITTED",
    }
}

/// Which server and database, and as whom; shown without the password.
#[derive(Clone)]
pub(crate) struct Address(PgConnectOptions);

impl Address {
    /// As a URL says, `postgres://user:password@host:port/database?sslmode=require`. What it does
    /// not say comes from the environment, as with PostgreSQL's own programs.
    pub(crate) fn read(url: &str) -> Result<Self, Error> {
        // The driver would take any scheme, and half a password for the name of something.
        let after = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
        let after = after.ok_or_else(|| Error::Configuration("another scheme".into()))?;
        let behind_the_host = after.find(['/', '?', '#']).map_or("", |end| &after[end..]);
        if behind_the_host.contains('@') {
            return Err(Error::Configuration("a password that is not encoded".into()));
        }
        let mut options: PgConnectOptions = with_known_parameters(url).parse()?;
        if options.get_application_name().is_none() {
            options = options.application_name("inference-autotuner");
        }
        Ok(Self(options))
    }

    /// Where it is, for people.
    pub(crate) fn shown(&self) -> String {
        let Self(options) = self;
        let user = options.get_username();
        let database = options.get_database().unwrap_or(user);
        match options.get_socket() {
            Some(socket) => format!(
                "postgres://{user}@{}:{}/{database}",
                socket.display(),
                options.get_port()
            ),
            None => format!(
                "postgres://{user}@{}:{}/{database}",
                options.get_host(),
                options.get_port()
            ),
        }
    }

    /// A connection of its own, for steps to a later schema.
    pub(crate) async fn connect(&self) -> Result<PgConnection, Error> {
        let options = self.with(&DEADLINES_OF_STEPS);
        let connecting = options.connect();
        let connected = tokio::time::timeout(CONNECTING, connecting).await;
        connected.unwrap_or_else(|_| Err(silent()))
    }

    /// With these settings, but for those that it has itself.
    fn with(&self, settings: &[(&'static str, &'static str)]) -> PgConnectOptions {
        let said = self.0.get_options().unwrap_or_default();
        let unsaid = settings.iter().filter(|(name, _)| !said.contains(name));
        self.0.clone().options(unsaid.copied())
    }

    /// The pool of those who write.
    pub(crate) fn writers(&self) -> PgPool {
        pool(WRITERS).connect_lazy_with(self.with(&DEADLINES))
    }

    /// The pool of those who read; the server lets them do nothing else.
    pub(crate) fn readers(&self) -> PgPool {
        let options = self.with(&DEADLINES);
        pool(READERS).connect_lazy_with(options.options([("default_transaction_read_only", "on")]))
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.shown())
    }
}

/// What a URL begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What the driver reads from a URL.
const PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "options[",
];

/// The URL without what the driver does not know, of which it would log the values too.
fn with_known_parameters(url: &str) -> String {
    let Some((address, parameters)) = url.split_once('?') else {
        return url.to_owned();
    };
    let is_known = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        let is_known = PARAMETERS.contains(&name) || name.starts_with("options[");
        if !is_known {
            tracing::warn!(
                name,
                "the database's URL has a parameter that is not known; it is ignored"
            );
        }
        is_known
    };
    let known: Vec<&str> = parameters.split('&').filter(is_known).collect();
    format!("{address}?{}", known.join("&"))
}

/// Connections are tried before they are used, so that a server that was started anew is no error.
fn pool(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(true)
        .after_release(|connection, _| {
            Box::pin(async {
                let asked = tokio::time::timeout(GIVING_BACK, connection.ping()).await;
                asked.unwrap_or_else(|_| Err(silent())).map(|()| true)
            })
        })
}

/// Waits for an answer, and not for ever: a server that is cut off sends none.
pub(super) async fn answered<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let answer = tokio::time::timeout(ANSWER, asked).await;
    answer.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> Error {
    Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "the server does not answer",
    ))
}

/// A value as PostgreSQL can keep it. Its texts have no place for NUL: U+FFFD, which stands for
/// what cannot be shown, takes that. A number that is none is not there, as in SQLite.
pub(super) fn storable(value: Bound) -> Bound {
    match value {
        Bound::Text(Some(text)) if text.contains('\0') => Bound::Text(Some(text.replace('\0', "\u{fffd}"))),
        Bound::Real(Some(number)) if number.is_nan() => Bound::Real(None),
        other => other,
    }
}

/// What an SQLSTATE means to whoever asked.
pub(super) fn trouble(code: &str) -> Trouble {
    match code {
        // A lock, a statement or a connection took too long or could not be had, or two waited
        // for each other.
        "55P03" | "57014" | "40P01" | "40001" | "53300" | "57P03" | "25P03" => Trouble::Busy,
        // The disk is full or fails; the server ends, is only read from, or forbids it.
        "53100" | "58030" | "57P01" | "57P02" | "25006" | "42501" => Trouble::CannotWrite,
        _ if code.starts_with("08") => Trouble::CannotWrite,
        _ => Trouble::Other,
    }
}

/// What the schema behind a connection holds, but for what came with an extension of the server.
pub(crate) async fn found(connection: &mut PgConnection) -> Result<Found, Error> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') \
         AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')",
    )
    .fetch_all(&mut *connection)
    .await?;
    if !tables.iter().any(|table| table == "_sqlx_migrations") {
        return Ok(if tables.is_empty() {
            Found::Nothing
        } else {
            Found::Stranger
        });
    }
    let version: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?;
    Ok(version.map_or(Found::Nothing, Found::Schema))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_does_not_know_is_left_out_of_a_url() {
        let check = |url: &str, expected: &str| assert_eq!(with_known_parameters(url), expected);
        check("postgres://a:b@c/d", "postgres://a:b@c/d");
        check(
            "postgres://a@c/d?sslmode=require&channel_binding=require&options[lock_timeout]=1",
            "postgres://a@c/d?sslmode=require&options[lock_timeout]=1",
        );
        check("postgres://a@c/d?passwrd=x", "postgres://a@c/d?");
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let check = |url: &str, expected: &str| {
            let address = Address::read(url).expect("a URL");
            assert_eq!(address.shown(), expected);
            assert_eq!(format!("{address:?}"), expected);
        };
        check(
            "postgres://me:secret@host:1/name?sslmode=require",
            "postgres://me@host:1/name",
        );
        check(
            "postgresql://me:secret@host:1/name?password=secret",
            "postgres://me@host:1/name",
        );
        check(
            "postgres://me:secret@host:1/name?host=/run/pg",
            "postgres://me@/run/pg:1/name",
        );
        check("postgres://me:se@cret@host:1/name", "postgres://me@host:1/name");
        for none in [
            "mysql://me:secret@host/name",
            "secret",
            "",
            "postgres://me@host:port/name",
            "postgres://me:12/secret@host/name",
            "postgres://me:12?secret@host/name",
            "postgres://me:12#secret@host/name",
        ] {
            assert!(Address::read(none).is_err(), "{none}");
        }
    }

    #[test]
    fn what_a_url_says_of_deadlines_counts() {
        let said = |url: &str| {
            let options = Address::read(url).expect("a URL").with(&DEADLINES);
            options.get_options().unwrap_or_default().to_owned()
        };
        let ours = said("postgres://me@host/name");
        assert!(
            ours.contains("statement_timeout=30000") && ours.contains("lock_timeout=10000"),
            "{ours}"
        );
        let theirs = said("postgres://me@host/name?options=-clock_timeout%3D7");
        assert!(theirs.contains("statement_timeout=30000"), "{theirs}");
        assert!(
            theirs.contains("lock_timeout=7") && !theirs.contains("lock_timeout=10000"),
            "{theirs}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let silent = answered(std::future::pending::<Result<(), Error>>()).await;
        let Err(Error::Io(error)) = silent else {
            panic!("{silent:?}");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// Steps that a database of one process does not need.
    const ITS_OWN: [&str; 3] = ["logs", "workers", "many workers"];

    #[test]
    fn the_steps_have_the_numbers_and_names_of_the_other_engine() {
        let steps = |migrations: &Migrator| -> Vec<(i64, String)> {
            let steps = migrations.iter();
            steps
                .map(|step| (step.version, step.description.to_string()))
                .collect()
        };
        let mut ours = steps(&MIGRATIONS);
        ours.retain(|(_, name)| !ITS_OWN.contains(&name.as_str()));
        assert_eq!(ours, steps(&super::super::sqlite::MIGRATIONS));
    }
}
