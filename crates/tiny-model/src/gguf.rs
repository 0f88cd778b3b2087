//! The container: how a GGUF file lays out what it holds.
//!
//! A file is a header (typed key-value pairs, then a table of tensors with their places), and then
//! the tensors' bytes, each starting at a multiple of 32 from where the data begins. All numbers
//! are little-endian. This module knows the layout and nothing of what models are.

/// The first four bytes of a file.
const MAGIC: &[u8; 4] = b"GGUF";

/// The version of the layout.
const VERSION: u32 = 3;

/// Tensors start at multiples of this many bytes; it is what readers assume if a file is silent.
const ALIGNMENT: u64 = 32;

/// A value of a key; only the types that are used here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    String(String),
    Strings(Vec<String>),
    I32s(Vec<i32>),
}

/// One line of the table of tensors.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Sizes, the fastest-running first: a row's length comes before the number of rows.
    pub(crate) dimensions: Vec<u64>,
    /// The number format, by ggml's number for it.
    pub(crate) format: u32,
    /// Size in bytes, padding not counted.
    pub(crate) size_in_bytes: u64,
}

/// The bytes before the first tensor's, padded to where it starts.
pub(crate) fn header(pairs: &[(&str, Value)], entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend((entries.len() as u64).to_le_bytes());
    out.extend((pairs.len() as u64).to_le_bytes());
    for (key, value) in pairs {
        put_string(&mut out, key);
        put_value(&mut out, value);
    }
    let mut offset = 0;
    for Entry {
        name,
        dimensions,
        format,
        size_in_bytes,
    } in entries
    {
        put_string(&mut out, name);
        out.extend((dimensions.len() as u32).to_le_bytes());
        for dimension in dimensions {
            out.extend(dimension.to_le_bytes());
        }
        out.extend(format.to_le_bytes());
        out.extend(u64::to_le_bytes(offset));
        offset += size_in_bytes + padding(*size_in_bytes) as u64;
    }
    out.resize(out.len() + padding(out.len() as u64), 0);
    out
}

/// How many zero bytes follow `size` bytes so that the next part starts where it should.
pub(crate) fn padding(size: u64) -> usize {
    (size.next_multiple_of(ALIGNMENT) - size) as usize
}

/// A value with its type's number before it; a list also names its elements' type and count.
fn put_value(out: &mut Vec<u8>, value: &Value) {
    const U32: u32 = 4;
    const I32: u32 = 5;
    const F32: u32 = 6;
    const BOOL: u32 = 7;
    const STRING: u32 = 8;
    const LIST: u32 = 9;
    let mut begin = |kinds: &[u32]| kinds.iter().for_each(|kind| out.extend(kind.to_le_bytes()));
    match value {
        Value::U32(number) => {
            begin(&[U32]);
            out.extend(number.to_le_bytes());
        }
        Value::F32(number) => {
            begin(&[F32]);
            out.extend(number.to_le_bytes());
        }
        Value::Bool(truth) => {
            begin(&[BOOL]);
            out.push(u8::from(*truth));
        }
        Value::String(text) => {
            begin(&[STRING]);
            put_string(out, text);
        }
        Value::Strings(texts) => {
            begin(&[LIST, STRING]);
            out.extend((texts.len() as u64).to_le_bytes());
            texts.iter().for_each(|text| put_string(out, text));
        }
        Value::I32s(numbers) => {
            begin(&[LIST, I32]);
            out.extend((numbers.len() as u64).to_le_bytes());
            numbers
                .iter()
                .for_each(|number| out.extend(number.to_le_bytes()));
        }
    }
}

/// A string: its length in bytes, then the bytes.
fn put_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}
