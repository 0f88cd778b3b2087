//! Numbers that come back bit by bit.
//!
//! JSON has neither infinities nor a short form for a thousand numbers in a row: the first are
//! stored as words, the second as their bytes, little end first, in base64.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kept, Strange};

/// A number as JSON has it, or a word where JSON has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Real(f64);

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

/// Reads a number without trying one form after the other: a page of experiments has tens of
/// thousands.
struct Spelt;

impl Visitor<'_> for Spelt {
    type Value = f64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, or the word for one that JSON has not")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    #[expect(clippy::cast_precision_loss, reason = "what JSON's numbers are")]
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "what JSON's numbers are")]
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<f64, E> {
        match word.parse::<f64>() {
            Ok(number) if !number.is_finite() => Ok(number),
            _ => Err(E::custom(format!("{word:?} is no number"))),
        }
    }
}

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelt).map(Self)
    }
}

impl Kept for f64 {
    type Row = Real;
    fn keep(&self) -> Real {
        Real(*self)
    }
    fn recall(row: Real) -> Result<Self, Strange> {
        Ok(row.0)
    }
}

/// Many numbers as one text.
pub(super) fn packed(numbers: &[f64]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD_NO_PAD.encode(bytes)
}

/// The numbers of such a text.
pub(super) fn unpacked(text: &str) -> Result<Vec<f64>, Strange> {
    let bytes = STANDARD_NO_PAD
        .decode(text)
        .map_err(|error| Strange(format!("numbers that are not base64: {error}")))?;
    let (numbers, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Strange("numbers that break off".into()));
    }
    Ok(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::rows::{from_text, to_text};

    #[test]
    fn every_number_comes_back_bit_by_bit() {
        let numbers = [
            0.0,
            -0.0,
            1.0,
            0.1,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            9_007_199_254_740_993.0,
        ];
        for number in numbers {
            let back: f64 = from_text(&to_text(&number), || "it".into()).expect("readable");
            assert_eq!(back.to_bits(), number.to_bits(), "{number}");
        }
        let back = unpacked(&packed(&numbers)).expect("readable");
        assert!(
            back.iter()
                .zip(numbers)
                .all(|(back, number)| back.to_bits() == number.to_bits())
        );
        let nothing: f64 = from_text(&to_text(&f64::NAN), || "it".into()).expect("readable");
        assert!(nothing.is_nan());
    }

    #[test]
    fn what_is_no_number_is_told() {
        for text in ["\"many\"", "\"1.5\"", "null", "[]", "{}"] {
            let told = from_text::<f64>(text, || "it".into());
            assert!(
                matches!(told, Err(crate::StoreError::Unreadable { .. })),
                "{text}: {told:?}"
            );
        }
        assert!(unpacked("AAAA").is_err() && unpacked("!").is_err());
    }
}
