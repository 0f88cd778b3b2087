//! What an agent says, as lines of its pod's log, and the reading of them.
//!
//! The one idea: a log that is read over a network breaks off, is read again from a little before,
//! and holds lines of others too. So each line of ours carries the secret of its run, its number and
//! a checksum: a line that lacks one of them is not ours, one whose number was heard is not heard
//! again, and one whose number leaves a gap waits until the gap is closed. Output of the engine is
//! readable as it stands; messages are packed. What a message means is for others to know.

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// How every line of ours begins; the number is the format's.
const MARK: &str = "autotuner1";

/// Most bytes of the engine's output in one line. Written out they are four times as many at most,
/// which is less than a container's log takes whole.
const OUTPUT_PIECE: usize = 2 * 1024;

/// Most letters of a message in one line.
const MESSAGE_PIECE: usize = 8 * 1024;

/// Longest line that is kept to find out whose it is.
const LONGEST_LINE: usize = 64 * 1024;

/// Most lines that wait for a gap to be closed. What comes after them is read again.
const MOST_AHEAD: usize = 4096;

/// Most bytes of one message, whatever the pod says.
const LONGEST_MESSAGE: usize = 1 << 30;

/// The end of a piece of output that ended a line.
const LINE: char = 'o';
/// A piece of output whose line goes on.
const PART: char = 'p';
/// A piece of a message that goes on.
const MORE: char = 'c';
/// The last piece of a message.
const LAST: char = 'm';

/// Writes lines that a [`FrameReader`] of the same nonce understands.
#[derive(Debug)]
pub struct FrameWriter<W> {
    nonce: String,
    next: u64,
    to: W,
}

impl<W: Write> FrameWriter<W> {
    /// A writer whose first line has number 0.
    pub fn new(nonce: &str, to: W) -> Self {
        Self {
            nonce: nonce.to_owned(),
            next: 0,
            to,
        }
    }

    /// Passes on what the engine printed, whatever bytes they are.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn output(&mut self, bytes: &[u8]) -> io::Result<()> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (line, is_whole) = match line.strip_suffix(b"\n") {
                Some(line) => (line, true),
                None => (line, false),
            };
            let mut pieces = line.chunks(OUTPUT_PIECE).peekable();
            if pieces.peek().is_none() && is_whole {
                self.line(LINE, "")?;
            }
            while let Some(piece) = pieces.next() {
                let kind = if is_whole && pieces.peek().is_none() {
                    LINE
                } else {
                    PART
                };
                self.line(kind, &escaped(piece))?;
            }
        }
        self.to.flush()
    }

    /// Passes on a message.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn message(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = STANDARD_NO_PAD.encode(bytes);
        let mut rest = text.as_str();
        while rest.len() > MESSAGE_PIECE {
            let (piece, after) = rest.split_at(MESSAGE_PIECE);
            self.line(MORE, piece)?;
            rest = after;
        }
        self.line(LAST, rest)?;
        self.to.flush()
    }

    fn line(&mut self, kind: char, payload: &str) -> io::Result<()> {
        let Self { nonce, next, to } = self;
        let sum = checksum(nonce, *next, kind, payload);
        writeln!(to, "{MARK} {nonce} {next} {kind} {sum:08x} {payload}")?;
        *next += 1;
        Ok(())
    }
}

/// Something that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// What the engine printed, in its order, nothing missing.
    Output(Vec<u8>),
    /// A message, whole.
    Message(Vec<u8>),
    /// A line that is not of our kind.
    Foreign(String),
}

/// Understands a log with time stamps before its lines, however often it is read again.
#[derive(Debug)]
pub struct FrameReader {
    nonce: String,
    /// The number that comes next.
    next: u64,
    /// What came before its turn.
    ahead: BTreeMap<u64, (char, String)>,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Whether that line is too long to be anybody's.
    is_overlong: bool,
    /// The pieces of a message whose end has not come, joined.
    message: String,
    /// The stamp of the last line of ours that came in its turn.
    stamp: Option<String>,
    /// The stamp of the last foreign line.
    foreign: Option<String>,
}

impl FrameReader {
    /// A reader that waits for line 0.
    pub fn new(nonce: &str) -> Self {
        Self {
            nonce: nonce.to_owned(),
            next: 0,
            ahead: BTreeMap::new(),
            line: Vec::new(),
            is_overlong: false,
            message: String::new(),
            stamp: None,
            foreign: None,
        }
    }

    /// Takes a piece of the log.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, is_end) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            if self.line.len() + piece.len() > LONGEST_LINE {
                self.is_overlong = true;
            } else {
                self.line.extend_from_slice(piece);
            }
            if is_end {
                let line = std::mem::take(&mut self.line);
                if !std::mem::take(&mut self.is_overlong) {
                    self.whole_line(&String::from_utf8_lossy(&line), &mut heard);
                }
            }
        }
        heard
    }

    /// Forgets the line that a broken stream has left unended: it comes again, whole.
    pub fn restart(&mut self) {
        self.line.clear();
        self.is_overlong = false;
    }

    /// From which stamp the log must be read again for nothing to be missed; `None` from its
    /// beginning.
    pub fn resume_from(&self) -> Option<&str> {
        self.stamp.as_deref()
    }

    /// Whether something is missing: a later line has come, or half of a message.
    pub fn has_gap(&self) -> bool {
        !self.ahead.is_empty() || !self.message.is_empty()
    }

    fn whole_line(&mut self, line: &str, heard: &mut Vec<Heard>) {
        let Some((stamp, said)) = line.split_once(' ') else {
            return;
        };
        let Some((number, kind, payload)) = self.parse(said) else {
            if self.foreign.as_deref().is_none_or(|last| last < stamp) {
                self.foreign = Some(stamp.to_owned());
                heard.push(Heard::Foreign(said.to_owned()));
            }
            return;
        };
        if number == self.next {
            self.take(kind, &payload, heard);
            while let Some((kind, payload)) = self.ahead.remove(&self.next) {
                self.take(kind, &payload, heard);
            }
            if self.stamp.as_deref().is_none_or(|last| last < stamp) {
                self.stamp = Some(stamp.to_owned());
            }
        } else if number > self.next && self.ahead.len() < MOST_AHEAD {
            self.ahead.insert(number, (kind, payload));
        }
    }

    fn parse(&self, said: &str) -> Option<(u64, char, String)> {
        let line = parse(said).filter(|line| line.nonce == self.nonce)?;
        Some((line.number, line.kind, line.payload.to_owned()))
    }

    fn take(&mut self, kind: char, payload: &str, heard: &mut Vec<Heard>) {
        self.next += 1;
        match kind {
            LINE | PART => {
                let mut bytes = unescaped(payload);
                if kind == LINE {
                    bytes.push(b'\n');
                }
                heard.push(Heard::Output(bytes));
            }
            _ => {
                if self.message.len() + payload.len() <= LONGEST_MESSAGE {
                    self.message.push_str(payload);
                }
                if kind == LAST {
                    let text = std::mem::take(&mut self.message);
                    // Checked sums have carried it: it is what was written.
                    heard.extend(STANDARD_NO_PAD.decode(text).ok().map(Heard::Message));
                }
            }
        }
    }
}

/// A line of an agent, taken apart.
struct Parsed<'a> {
    nonce: &'a str,
    number: u64,
    kind: char,
    payload: &'a str,
}

/// Takes a line apart that is an agent's of whichever run, and whole.
fn parse(said: &str) -> Option<Parsed<'_>> {
    let mut parts = said.splitn(6, ' ');
    let (mark, nonce) = (parts.next()?, parts.next()?);
    let (number, kind) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (sum, payload) = (u32::from_str_radix(parts.next()?, 16).ok()?, parts.next()?);
    let is_sound = mark == MARK
        && matches!(kind, LINE | PART | MORE | LAST)
        && sum == checksum(nonce, number, kind, payload);
    is_sound.then_some(Parsed {
        nonce,
        number,
        kind,
        payload,
    })
}

/// What a line of an agent is to people who read the log. Nothing depends on it, so its run need
/// not be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ForPeople {
    /// What the engine printed.
    Output {
        /// The bytes, without the end of the line.
        bytes: Vec<u8>,
        /// Whether the line ends with them.
        is_end: bool,
    },
    /// A message, or a piece of one: for the worker alone.
    Message,
}

/// Reads a line for people; `None` where no agent has written it.
pub(crate) fn for_people(said: &str) -> Option<ForPeople> {
    let line = parse(said)?;
    Some(match line.kind {
        LINE | PART => ForPeople::Output {
            bytes: unescaped(line.payload),
            is_end: line.kind == LINE,
        },
        _ => ForPeople::Message,
    })
}

/// FNV-1a over all that a line says.
fn checksum(nonce: &str, number: u64, kind: char, payload: &str) -> u32 {
    let head = format!("{nonce} {number} {kind} ");
    head.bytes()
        .chain(payload.bytes())
        .fold(0x811c_9dc5, |sum, byte| {
            (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
}

/// Bytes as letters that no log changes: what is not plain text is written out.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let write_out = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    };
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                plain if !plain.is_control() => text.push(plain),
                control => write_out(&mut text, control.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        write_out(&mut text, chunk.invalid());
    }
    text
}

/// The bytes that were written out so.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default();
                bytes.extend(u8::try_from(digit(high) * 16 + digit(low)).ok());
                rest = &after[3..];
            }
            (b'\\', [b'\\', ..]) => {
                bytes.push(b'\\');
                rest = &after[1..];
            }
            (plain, _) => bytes.push(*plain),
        }
    }
    bytes
}

#[cfg(test)]
#[path = "tests/frame.rs"]
mod tests;
