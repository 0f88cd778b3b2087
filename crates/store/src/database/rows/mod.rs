//! From core's types to what is stored, and back.
//!
//! The one idea: every stored type is a type of its own with the shape of the stored JSON, and
//! each conversion takes the core type apart field by field, so that a field that is new in core
//! does not compile until it is stored as well. What is stored and makes no sense is told, and
//! never becomes a default.

mod experiment;
mod facts;
mod metrics;
mod numbers;
mod score;
mod task;
mod words;
mod worth;

pub(crate) use experiment::{ExperimentRow, StoredResult, experiment_columns};
pub(crate) use task::{RunRow, SummaryRow, TaskRow, summary_columns};

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Why something stored makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strange(pub(crate) String);

/// What can be kept as JSON and brought back as it was.
pub(crate) trait Kept: Sized {
    /// Its shape in JSON.
    type Row: Serialize + DeserializeOwned;
    /// To be stored.
    fn keep(&self) -> Self::Row;
    /// As it was before it was stored.
    fn recall(row: Self::Row) -> Result<Self, Strange>;
}

/// The text to be stored.
pub(crate) fn to_text<T: Kept>(value: &T) -> String {
    serde_json::to_string(&value.keep()).expect("rows have no keys but texts and no failing parts")
}

/// What a stored text says; `what` tells whose it is.
pub(crate) fn from_text<T: Kept>(text: &str, what: impl Fn() -> String) -> Result<T, StoreError> {
    let row = serde_json::from_str(text).map_err(|error| Strange(error.to_string()));
    row.and_then(T::recall).map_err(|strange| strange.of(what()))
}

/// A stored JSON document.
pub(crate) fn document(text: &str, what: impl Fn() -> String) -> Result<serde_json::Value, StoreError> {
    serde_json::from_str(text).map_err(|error| Strange(error.to_string()).of(what()))
}

impl Strange {
    /// The error of a record that holds this.
    pub(crate) fn of(self, what: String) -> StoreError {
        StoreError::Unreadable { what, reason: self.0 }
    }
}

/// A whole number of a column as the smaller one that it must be.
pub(crate) fn small<T: TryFrom<i64>>(number: i64, what: &'static str) -> Result<T, Strange> {
    T::try_from(number).map_err(|_| Strange(format!("{number} is no {what}")))
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Kept for $type {
            type Row = Self;
            fn keep(&self) -> Self {
                self.clone()
            }
            fn recall(row: Self) -> Result<Self, Strange> {
                Ok(row)
            }
        }
    )*};
}

plain!(bool, u32, u64, i64, usize, String);

impl<T: Kept> Kept for Option<T> {
    type Row = Option<T::Row>;
    fn keep(&self) -> Self::Row {
        self.as_ref().map(T::keep)
    }
    fn recall(row: Self::Row) -> Result<Self, Strange> {
        row.map(T::recall).transpose()
    }
}

impl<T: Kept> Kept for Vec<T> {
    type Row = Vec<T::Row>;
    fn keep(&self) -> Self::Row {
        self.iter().map(T::keep).collect()
    }
    fn recall(row: Self::Row) -> Result<Self, Strange> {
        row.into_iter().map(T::recall).collect()
    }
}

impl<A: Kept, B: Kept> Kept for (A, B) {
    type Row = (A::Row, B::Row);
    fn keep(&self) -> Self::Row {
        (self.0.keep(), self.1.keep())
    }
    fn recall((a, b): Self::Row) -> Result<Self, Strange> {
        Ok((A::recall(a)?, B::recall(b)?))
    }
}

impl<K: Kept + Ord, V: Kept> Kept for BTreeMap<K, V> {
    type Row = Vec<(K::Row, V::Row)>;
    fn keep(&self) -> Self::Row {
        self.iter()
            .map(|(key, value)| (key.keep(), value.keep()))
            .collect()
    }
    fn recall(row: Self::Row) -> Result<Self, Strange> {
        let pairs = row.into_iter();
        pairs
            .map(|(key, value)| Ok((K::recall(key)?, V::recall(value)?)))
            .collect()
    }
}

/// A type whose fields are all stored under their own names.
macro_rules! fields {
    ($row:ident of $core:ident { $($field:ident: $type:ty),* $(,)? }) => {
        /// Its shape in JSON.
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $row {
            $($field: <$type as $crate::database::rows::Kept>::Row),*
        }

        impl $crate::database::rows::Kept for $core {
            type Row = $row;
            fn keep(&self) -> $row {
                let $core { $($field),* } = self;
                $row { $($field: $crate::database::rows::Kept::keep($field)),* }
            }
            fn recall(row: $row) -> Result<Self, $crate::database::rows::Strange> {
                let $row { $($field),* } = row;
                Ok($core { $($field: $crate::database::rows::Kept::recall($field)?),* })
            }
        }
    };
}

/// A type that is stored as one of its words.
macro_rules! spelt {
    ($core:ty, $what:literal, $word:expr, $from:expr) => {
        impl $crate::database::rows::Kept for $core {
            type Row = String;
            fn keep(&self) -> String {
                let word: &str = $word(self);
                word.to_owned()
            }
            fn recall(row: String) -> Result<Self, $crate::database::rows::Strange> {
                $from(&row).ok_or_else(|| $crate::database::rows::Strange(format!("{row:?} is no {}", $what)))
            }
        }
    };
}

pub(crate) use {fields, spelt};
