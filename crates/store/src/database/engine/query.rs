//! Statements with their values, for whichever engine is behind a connection.
//!
//! The one idea: a statement is held apart from any driver until it is executed: its text, and
//! values of the five kinds that columns have. A value that is missing keeps its kind, which
//! PostgreSQL wants to know. Rows are read by types that read both drivers' rows.

use std::fmt::{Display, Write as _};

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, Column as _, Encode, Error, FromRow, SqlSafeStr, SqlStr, Type, TypeInfo as _,
};

use super::{Connection, Engine, Pool, postgres};

/// A value of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    Integer(Option<i64>),
    Real(Option<f64>),
    Truth(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! bound {
    ($kind:ident($owned:ty): $($borrowed:ty),+) => {
        impl From<$owned> for Bound {
            fn from(value: $owned) -> Self {
                Self::$kind(Some(value))
            }
        }
        impl From<Option<$owned>> for Bound {
            fn from(value: Option<$owned>) -> Self {
                Self::$kind(value)
            }
        }
        impl From<&Option<$owned>> for Bound {
            fn from(value: &Option<$owned>) -> Self {
                Self::$kind(value.clone())
            }
        }
        $(
            impl From<$borrowed> for Bound {
                fn from(value: $borrowed) -> Self {
                    Self::$kind(Some(value.to_owned()))
                }
            }
            impl From<Option<$borrowed>> for Bound {
                fn from(value: Option<$borrowed>) -> Self {
                    Self::$kind(value.map(ToOwned::to_owned))
                }
            }
        )+
    };
}

bound!(Integer(i64): &i64);
bound!(Real(f64): &f64);
bound!(Truth(bool): &bool);
bound!(Text(String): &str, &String);
bound!(Bytes(Vec<u8>): &[u8]);

/// What can be read from a row of either engine.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// Where a statement is executed.
pub(crate) enum On<'a> {
    Pool(&'a Pool),
    Connection(&'a mut Connection),
}

impl<'a> From<&'a Pool> for On<'a> {
    fn from(pool: &'a Pool) -> Self {
        Self::Pool(pool)
    }
}

impl<'a> From<&'a mut Connection> for On<'a> {
    fn from(connection: &'a mut Connection) -> Self {
        Self::Connection(connection)
    }
}

/// A statement whose rows, if it gives any, do not matter.
pub(crate) fn query(sql: impl SqlSafeStr) -> Query {
    Query(Statement::new(sql))
}

/// A statement whose rows are read as a type.
pub(crate) fn query_as(sql: impl SqlSafeStr) -> QueryAs {
    QueryAs(Statement::new(sql))
}

/// A statement whose rows have one value each.
pub(crate) fn query_scalar(sql: impl SqlSafeStr) -> QueryScalar {
    QueryScalar(Statement::new(sql))
}

/// See [`query`].
pub(crate) struct Query(Statement);

impl Query {
    /// The value of the next placeholder.
    pub(crate) fn bind(mut self, value: impl Into<Bound>) -> Self {
        self.0.bound.push(value.into());
        self
    }

    /// How many rows it changed.
    pub(crate) async fn execute(self, on: impl Into<On<'_>>) -> Result<u64, Error> {
        self.0.execute(on.into()).await
    }
}

/// See [`query_as`].
pub(crate) struct QueryAs(Statement);

impl QueryAs {
    /// The value of the next placeholder.
    pub(crate) fn bind(mut self, value: impl Into<Bound>) -> Self {
        self.0.bound.push(value.into());
        self
    }

    /// Every row.
    pub(crate) async fn fetch_all<T: Row>(self, on: impl Into<On<'_>>) -> Result<Vec<T>, Error> {
        self.0.fetch_all(on.into()).await
    }

    /// The first row, where there is one.
    pub(crate) async fn fetch_optional<T: Row>(self, on: impl Into<On<'_>>) -> Result<Option<T>, Error> {
        self.0.fetch_optional(on.into()).await
    }

    /// The first row; that there is none is an error.
    pub(crate) async fn fetch_one<T: Row>(self, on: impl Into<On<'_>>) -> Result<T, Error> {
        let row = self.fetch_optional(on).await?;
        row.ok_or(Error::RowNotFound)
    }
}

/// See [`query_scalar`].
pub(crate) struct QueryScalar(Statement);

impl QueryScalar {
    /// The value of the next placeholder.
    pub(crate) fn bind(mut self, value: impl Into<Bound>) -> Self {
        self.0.bound.push(value.into());
        self
    }

    /// The value of every row.
    pub(crate) async fn fetch_all<T>(self, on: impl Into<On<'_>>) -> Result<Vec<T>, Error>
    where
        (T,): Row,
    {
        let rows: Vec<(T,)> = self.0.fetch_all(on.into()).await?;
        Ok(rows.into_iter().map(|(value,)| value).collect())
    }

    /// The value of the first row, where there is one.
    pub(crate) async fn fetch_optional<T>(self, on: impl Into<On<'_>>) -> Result<Option<T>, Error>
    where
        (T,): Row,
    {
        let row: Option<(T,)> = self.0.fetch_optional(on.into()).await?;
        Ok(row.map(|(value,)| value))
    }

    /// The value of the first row; that there is none is an error.
    pub(crate) async fn fetch_one<T>(self, on: impl Into<On<'_>>) -> Result<T, Error>
    where
        (T,): Row,
    {
        let value = self.fetch_optional(on).await?;
        value.ok_or(Error::RowNotFound)
    }
}

/// A text and its values.
struct Statement {
    sql: SqlStr,
    bound: Vec<Bound>,
}

/// Does the same with either driver's connection.
macro_rules! on_either {
    ($on:expr, $statement:expr, |$query:ident, $connection:ident| $do:expr, $function:path) => {{
        let mut acquired;
        let connection = match $on {
            On::Connection(connection) => connection,
            On::Pool(pool) => {
                acquired = pool.acquire().await?;
                &mut acquired
            }
        };
        let Statement { sql, bound } = $statement;
        match connection {
            Connection::Sqlite(held) => {
                let arguments: SqliteArguments = arguments(bound)?;
                let ($query, $connection) = ($function(sql, arguments), &mut **held);
                $do.await
            }
            Connection::Postgres(held) => {
                let bound = bound.into_iter().map(postgres::storable).collect();
                let arguments: PgArguments = arguments(bound)?;
                let ($query, $connection) = ($function(sql, arguments), &mut **held);
                postgres::answered($do).await
            }
        }
    }};
}

impl Statement {
    fn new(sql: impl SqlSafeStr) -> Self {
        Self {
            sql: sql.into_sql_str(),
            bound: Vec::new(),
        }
    }

    async fn execute(self, on: On<'_>) -> Result<u64, Error> {
        on_either!(
            on,
            self,
            |query, connection| async { Ok(query.execute(connection).await?.rows_affected()) },
            sqlx::query_with
        )
    }

    async fn fetch_all<T: Row>(self, on: On<'_>) -> Result<Vec<T>, Error> {
        on_either!(
            on,
            self,
            |query, connection| query.fetch_all(connection),
            sqlx::query_as_with
        )
    }

    async fn fetch_optional<T: Row>(self, on: On<'_>) -> Result<Option<T>, Error> {
        on_either!(
            on,
            self,
            |query, connection| query.fetch_optional(connection),
            sqlx::query_as_with
        )
    }
}

/// Values as a driver wants them.
fn arguments<A: Arguments>(bound: Vec<Bound>) -> Result<A, Error>
where
    Option<i64>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    Option<f64>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    Option<bool>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    Option<String>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    Option<Vec<u8>>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
{
    let mut arguments = A::default();
    for value in bound {
        let added = match value {
            Bound::Integer(value) => arguments.add(value),
            Bound::Real(value) => arguments.add(value),
            Bound::Truth(value) => arguments.add(value),
            Bound::Text(value) => arguments.add(value),
            Bound::Bytes(value) => arguments.add(value),
        };
        added.map_err(Error::Encode)?;
    }
    Ok(arguments)
}

/// A statement whose text is put together.
pub(crate) struct QueryBuilder {
    engine: Engine,
    sql: String,
    bound: Vec<Bound>,
}

impl QueryBuilder {
    /// Begins so, for this engine.
    pub(crate) fn new(engine: Engine, sql: impl Into<String>) -> Self {
        Self {
            engine,
            sql: sql.into(),
            bound: Vec::new(),
        }
    }

    /// Which engine it is for.
    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// Adds this text.
    pub(crate) fn push(&mut self, sql: impl Display) -> &mut Self {
        write!(self.sql, "{sql}").expect("writing into a text does not fail");
        self
    }

    /// Adds a placeholder, with its value.
    pub(crate) fn push_bind(&mut self, value: impl Into<Bound>) -> &mut Self {
        self.bound.push(value.into());
        let place = self.bound.len();
        self.push(format_args!("${place}"))
    }

    /// Adds placeholders with commas between them, with their values.
    pub(crate) fn push_list<T: Into<Bound>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.push_bind(value);
        }
        self
    }

    /// To be executed. Whoever puts a text together from others' words binds those.
    pub(crate) fn build(self) -> Query {
        Query(self.statement())
    }

    /// Rows are read as a type.
    pub(crate) fn build_as(self) -> QueryAs {
        QueryAs(self.statement())
    }

    /// Rows have one value each.
    pub(crate) fn build_scalar(self) -> QueryScalar {
        QueryScalar(self.statement())
    }

    /// Asks how SQLite would go about it.
    #[cfg(test)]
    pub(crate) fn explained(mut self) -> Self {
        self.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
        self
    }

    fn statement(self) -> Statement {
        Statement {
            sql: AssertSqlSafe(self.sql).into_sql_str(),
            bound: self.bound,
        }
    }
}

/// A row as it is, by the names of its columns: to be put elsewhere unread.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cells(pub(crate) Vec<(String, Bound)>);

impl<'r, R: sqlx::Row> FromRow<'r, R> for Cells
where
    usize: sqlx::ColumnIndex<R>,
    Option<i64>: sqlx::Decode<'r, R::Database> + Type<R::Database>,
    Option<f64>: sqlx::Decode<'r, R::Database> + Type<R::Database>,
    Option<bool>: sqlx::Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: sqlx::Decode<'r, R::Database> + Type<R::Database>,
    Option<Vec<u8>>: sqlx::Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, Error> {
        let cells = row.columns().iter().enumerate().map(|(place, column)| {
            let cell = match column.type_info().name() {
                "INTEGER" | "INT8" => Bound::Integer(row.try_get(place)?),
                "REAL" | "FLOAT8" => Bound::Real(row.try_get(place)?),
                "BOOLEAN" | "BOOL" => Bound::Truth(row.try_get(place)?),
                "BLOB" | "BYTEA" => Bound::Bytes(row.try_get(place)?),
                _ => Bound::Text(row.try_get(place)?),
            };
            Ok((column.name().to_owned(), cell))
        });
        cells.collect::<Result<_, Error>>().map(Self)
    }
}
