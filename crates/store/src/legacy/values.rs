//! Values as the original system stored them: words in capitals, JSON as Python writes it, times
//! without a zone that are UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, ValueRef};

use super::LegacyError;

/// One row.
pub(super) struct Fields {
    table: &'static str,
    row: SqliteRow,
}

impl Fields {
    pub(super) fn new(table: &'static str, row: SqliteRow) -> Self {
        Self { table, row }
    }

    /// The row's id; 0 where it has none.
    pub(super) fn id(&self) -> i64 {
        self.row.try_get_unchecked("id").unwrap_or(0)
    }

    pub(super) fn text(&self, column: &'static str) -> Result<Option<String>, LegacyError> {
        self.get(column)
    }

    pub(super) fn whole(&self, column: &'static str) -> Result<Option<i64>, LegacyError> {
        self.get(column)
    }

    pub(super) fn real(&self, column: &'static str) -> Result<Option<f64>, LegacyError> {
        self.get(column)
    }

    pub(super) fn needed_text(&self, column: &'static str) -> Result<String, LegacyError> {
        self.text(column)?
            .ok_or_else(|| self.strange(column, "it is missing"))
    }

    pub(super) fn json(&self, column: &'static str) -> Result<Option<Value>, LegacyError> {
        let Some(text) = self.text(column)? else {
            return Ok(None);
        };
        let value = python_json(&text).map_err(|error| self.strange(column, error))?;
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    pub(super) fn needed_json(&self, column: &'static str) -> Result<Value, LegacyError> {
        self.json(column)?
            .ok_or_else(|| self.strange(column, "it is missing"))
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Option<i64>, LegacyError> {
        let text = self.text(column)?;
        let time = text.map(|text| milliseconds(&text)).transpose();
        time.map_err(|error| self.strange(column, error))
    }

    /// One of the words of the API, which the original stored in capitals.
    pub(super) fn word<T>(
        &self,
        column: &'static str,
        from_word: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, LegacyError> {
        let Some(text) = self.text(column)? else {
            return Ok(None);
        };
        match from_word(&text.to_ascii_lowercase()) {
            Some(word) => Ok(Some(word)),
            None => Err(self.strange(column, format!("{text:?} is no {column}"))),
        }
    }

    /// What a column says; nothing where this version of the original had no such column.
    fn get<'a, T>(&'a self, column: &'static str) -> Result<Option<T>, LegacyError>
    where
        T: sqlx::Decode<'a, sqlx::Sqlite>,
    {
        match self.row.try_get_raw(column) {
            Err(sqlx::Error::ColumnNotFound(_)) => Ok(None),
            Err(error) => Err(self.strange(column, error)),
            Ok(raw) if raw.is_null() => Ok(None),
            Ok(raw) => T::decode(raw)
                .map(Some)
                .map_err(|error| self.strange(column, error)),
        }
    }

    fn strange(&self, column: &'static str, reason: impl ToString) -> LegacyError {
        LegacyError::Strange {
            table: self.table,
            row: self.id(),
            column,
            reason: reason.to_string(),
        }
    }
}

/// JSON as Python writes it: with `NaN` and `Infinity`, which say that there is no number.
fn python_json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| {
        let plain = without_python_words(text);
        if plain == text {
            return Err(error);
        }
        serde_json::from_str(&plain)
    })
}

/// The same text with `null` for each of Python's words, texts inside left as they are.
fn without_python_words(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_inside = false;
    while let Some(first) = rest.chars().next() {
        let word = ["-Infinity", "Infinity", "NaN"].iter();
        let mut word = word.filter(|word| !is_inside && rest.starts_with(**word));
        let taken = match (word.next(), first) {
            (Some(word), _) => {
                plain.push_str("null");
                word.len()
            }
            (None, '\\') if is_inside => {
                let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
                plain.push_str(&rest[..1 + escaped]);
                1 + escaped
            }
            (None, first) => {
                is_inside ^= first == '"';
                plain.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    plain
}

/// Milliseconds since the Unix epoch of a time without a zone, which is UTC, or of one with.
fn milliseconds(text: &str) -> Result<i64, jiff::Error> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let time: DateTime = text.parse()?;
    Ok(TimeZone::UTC.to_timestamp(time)?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_a_zone_are_utc() {
        let check = |text: &str, expected: i64| {
            assert_eq!(milliseconds(text).ok(), Some(expected), "{text}");
        };
        check("1970-01-01 00:00:01", 1000);
        check("2025-10-28 12:34:56.789012", 1_761_654_896_789);
        check("2025-10-28T12:34:56.789012", 1_761_654_896_789);
        check("2025-10-28T14:34:56.789+02:00", 1_761_654_896_789);
        assert!(milliseconds("yesterday").is_err());
    }

    #[test]
    fn pythons_words_become_null_and_texts_stay() {
        let check = |text: &str, expected: Value| {
            assert_eq!(python_json(text).ok(), Some(expected), "{text}");
        };
        check(
            r#"{"a": NaN, "b": [-Infinity, Infinity, 1]}"#,
            serde_json::json!({"a": null, "b": [null, null, 1]}),
        );
        check(
            r#"{"a \" NaN": "Infinity \\", "b": NaN}"#,
            serde_json::json!({"a \" NaN": "Infinity \\", "b": null}),
        );
        check(r#"{"a": 0.1}"#, serde_json::json!({"a": 0.1}));
        for broken in ["", "{", "{\"a\": NaNs}", "{'a': 1}", "\"\\"] {
            assert!(python_json(broken).is_err(), "{broken}");
        }
    }
}
