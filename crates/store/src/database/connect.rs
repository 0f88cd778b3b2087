//! Connecting to a database on a PostgreSQL server.
//!
//! The one idea, as with a file: it is looked at before it is touched. A schema that a later
//! version or another program made stays as it is. An address may hold a password, and so it is
//! shown without it, and a cause that might quote it is not kept.

use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};

use super::engine::postgres::{self, Address};
use super::engine::{Found, Pool, Turn, query_as, query_scalar};
use super::open::latest;
use super::trouble::Doing;
use super::{Database, OpenError, Place};
use crate::StoreError;

/// What to do where other tables are in the way.
const STRANGER: &str = "it holds tables of another program; give this one a database of its own, or a schema \
    of its own in this one: CREATE SCHEMA autotuner, and ?options=-csearch_path%3Dautotuner behind the URL";

/// Texts are kept as UTF-8, and not every database can.
const ENCODING: &str = "UTF8";

/// The first version that speaks all that is asked of it.
const OLDEST: i32 = 12;

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Database {
    /// Connects to a database on a PostgreSQL server and brings it up to date:
    /// `postgres://user:password@host:port/database`, with `sslmode` and the other parameters that
    /// such URLs have. Several may do so at once: the first makes the tables, the others wait. No
    /// copy is made first; whoever keeps the server keeps copies.
    ///
    /// # Errors
    /// [`OpenError::Newer`] for a schema of a later version, which is left as it is; where the
    /// server cannot be reached, where another program's tables are in the way.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::connect_with(url, &postgres::MIGRATIONS).await
    }

    pub(super) async fn connect_with(url: &str, migrations: &Migrator) -> Result<Self, OpenError> {
        let address = read(url)?;
        let shown = address.shown();
        let mut connection = reach(&address).await?;
        let opened = match holding(&mut connection, &shown, migrations).await {
            Ok(_) => migrations
                .run_direct(None, &mut connection, false)
                .await
                .map_err(|error| failed(shown, "bringing it up to date", error.into())),
            Err(error) => Err(error),
        };
        // Whatever it says, what was asked of it has been answered.
        let _ = connection.close().await;
        opened?;
        Ok(Self::with(&address))
    }

    /// Connects to a database of today's schema beside whoever serves it. Nothing of it changes.
    ///
    /// # Errors
    /// [`OpenError::Newer`] for a schema of a later version; one of an earlier version, or another
    /// program's, cannot be looked at, either.
    pub async fn look_at_server(url: &str) -> Result<Self, OpenError> {
        let address = read(url)?;
        let shown = address.shown();
        let mut connection = reach(&address).await?;
        let found = holding(&mut connection, &shown, &postgres::MIGRATIONS).await;
        let _ = connection.close().await;
        let unfit = |reason: &str| Err(failed(shown, "looking at it", reason.into()));
        match found? {
            Found::Schema(version) if version < latest(&postgres::MIGRATIONS) => {
                unfit("an earlier version wrote it; the service brings it up to date")
            }
            Found::Schema(_) => {
                let readers = Pool::Postgres(address.readers(), Turn::new());
                Ok(Self {
                    // Whoever writes all the same is told that it cannot be.
                    writer: readers.clone(),
                    readers,
                    place: Place::Server(Arc::from(address.shown())),
                })
            }
            Found::Nothing | Found::Stranger => unfit("it is empty"),
        }
    }

    fn with(address: &Address) -> Self {
        Self {
            writer: Pool::Postgres(address.writers(), Turn::new()),
            readers: Pool::Postgres(address.readers(), Turn::new()),
            place: Place::Server(Arc::from(address.shown())),
        }
    }

    /// Where it is, for people: without a password.
    pub fn place(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            Place::Server(address) => address.to_string(),
        }
    }

    /// Which counts are not what they count.
    pub(super) async fn miscounts(&self) -> Result<Vec<String>, StoreError> {
        let doing = "checking it";
        let mut transaction = self.read(doing).await?;
        let tallies: Vec<(String, i64, i64)> = query_as(
            "SELECT t.name, t.amount, COALESCE(x.amount, 0) FROM tallies t LEFT JOIN ( \
               SELECT 'task.' || status AS name, count(*) AS amount FROM tasks GROUP BY status \
               UNION ALL \
               SELECT 'experiment.' || status, count(*) FROM experiments GROUP BY status \
             ) x ON x.name = t.name \
             WHERE t.name <> 'success.milliseconds' AND t.amount <> COALESCE(x.amount, 0) ORDER BY t.name",
        )
        .fetch_all(&mut *transaction)
        .await
        .doing(doing)?;
        let blocks: Vec<i64> = query_scalar(
            "SELECT COALESCE(b.block, x.block) FROM experiment_blocks b FULL JOIN ( \
               SELECT id / 1024 AS block, count(*) AS amount FROM experiments GROUP BY id / 1024 \
             ) x ON x.block = b.block \
             WHERE COALESCE(b.amount, 0) <> COALESCE(x.amount, 0) ORDER BY 1",
        )
        .fetch_all(&mut *transaction)
        .await
        .doing(doing)?;
        let mut told: Vec<String> = tallies
            .into_iter()
            .map(|(name, kept, counted)| format!("{name} is kept as {kept} and counted as {counted}"))
            .collect();
        let of_blocks = |block| format!("the count of block {block} of the experiments is wrong");
        told.extend(blocks.into_iter().map(of_blocks));
        Ok(told)
    }
}

fn read(url: &str) -> Result<Address, OpenError> {
    Address::read(url).map_err(|_| {
        let reason = "it is no URL like postgres://user:password@host:5432/database?sslmode=require, in which \
            @ / ? # and % of a password are written %40 %2F %3F %23 and %25";
        // What cannot be read may be a password anywhere.
        failed("of this URL".into(), "reading the URL", reason.into())
    })
}

fn failed(path: String, doing: &'static str, source: Cause) -> OpenError {
    OpenError::Failed { path, doing, source }
}

async fn reach(address: &Address) -> Result<PgConnection, OpenError> {
    let failed = |source: Cause| failed(address.shown(), "connecting to it", source);
    let mut connection = address.connect().await.map_err(|error| failed(error.into()))?;
    let (encoding, version): (String, i32) = sqlx::query_as(
        "SELECT current_setting('server_encoding'), current_setting('server_version_num')::integer / 10000",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(|error| failed(error.into()))?;
    if version < OLDEST {
        let reason = format!("it is PostgreSQL {version}, and {OLDEST} or newer is needed");
        return Err(failed(reason.into()));
    }
    if encoding == ENCODING {
        return Ok(connection);
    }
    let reason = format!(
        "its encoding is {encoding}, and {ENCODING} is needed: createdb --encoding={ENCODING} --template=template0"
    );
    Err(failed(reason.into()))
}

/// What the schema holds, if that is nobody else's.
async fn holding(
    connection: &mut PgConnection,
    shown: &str,
    migrations: &Migrator,
) -> Result<Found, OpenError> {
    let failed = |source: Cause| failed(shown.to_owned(), "reading its schema", source);
    let known = latest(migrations);
    match postgres::found(connection)
        .await
        .map_err(|error| failed(error.into()))?
    {
        Found::Schema(found) if found > known => Err(OpenError::Newer {
            path: shown.to_owned(),
            found,
            known,
        }),
        Found::Stranger => Err(failed(STRANGER.into())),
        found @ (Found::Schema(_) | Found::Nothing) => Ok(found),
    }
}
