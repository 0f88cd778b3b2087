//! Server-sent events, as they come over a connection that may break anywhere.
//!
//! An event counts once the blank line behind it has come. What a broken connection had of
//! another is forgotten, so that asking again from behind the last event that counted neither
//! loses a line nor shows one twice.

use std::io::{self, BufRead, BufReader, Read};

/// Longest line that is taken; what is longer is no event of the service.
const LONGEST_LINE: u64 = 8 * 1024 * 1024;

/// Something that the service sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Event {
    /// Where in the stream it is, for going on behind it.
    pub(in crate::cli) id: Option<String>,
    /// What it is; unnamed ones are lines.
    pub(in crate::cli) name: Option<String>,
    /// What it says; `None` for one that only tells where the stream is.
    pub(in crate::cli) data: Option<String>,
}

/// What comes over a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Sign {
    /// An event.
    Event(Event),
    /// A sign of life: everything that there was to say has been said for a while.
    Alive,
}

/// A stream of events.
pub(in crate::cli) struct Events {
    lines: BufReader<Box<dyn Read + Send>>,
}

impl Events {
    /// The events of this stream.
    pub(in crate::cli) fn new(stream: Box<dyn Read + Send>) -> Self {
        Self {
            lines: BufReader::new(stream),
        }
    }

    /// What comes next; `None` at the stream's end.
    ///
    /// # Errors
    /// The connection broke, was silent for too long, or carries something else.
    pub(in crate::cli) fn next(&mut self) -> io::Result<Option<Sign>> {
        let mut event = Event::default();
        loop {
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            let is_begun = event != Event::default();
            if line.is_empty() && (event.id.is_some() || event.data.is_some()) {
                return Ok(Some(Sign::Event(event)));
            }
            if line.is_empty() {
                event = Event::default();
                continue;
            }
            if line.starts_with(':') && !is_begun {
                return Ok(Some(Sign::Alive));
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => match &mut event.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => event.data = Some(value.to_owned()),
                },
                "id" if !value.contains('\0') => event.id = Some(value.to_owned()),
                "event" => event.name = Some(value.to_owned()),
                _ => {}
            }
        }
    }

    /// The next whole line without its end.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = (&mut self.lines)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return match u64::try_from(read) == Ok(LONGEST_LINE) {
                true => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a line without an end",
                )),
                false => Ok(None),
            };
        }
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<Event> {
        let mut events = Events::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())));
        let signs = std::iter::from_fn(|| events.next().expect("no error"));
        let event = |sign| match sign {
            Sign::Event(event) => Some(event),
            Sign::Alive => None,
        };
        signs.filter_map(event).collect()
    }

    fn event(id: Option<&str>, name: Option<&str>, data: &str) -> Event {
        Event {
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            data: (data != "none").then(|| data.to_owned()),
        }
    }

    #[test]
    fn events_are_read_whole_or_not_at_all() {
        let check = |text: &str, expected: &[Event]| assert_eq!(events(text), expected, "{text:?}");
        check("id: 7\ndata: a line\n\n", &[event(Some("7"), None, "a line")]);
        check("data: a\r\ndata:  b\r\n\r\n", &[event(None, None, "a\n b")]);
        check(": alive\n\nevent: end\ndata\n\n", &[event(None, Some("end"), "")]);
        check(
            "id: 1\ndata: one\n\nid: 2\ndata: tw",
            &[event(Some("1"), None, "one")],
        );
        check(
            "id: 1\ndata: one\n\nid: 2\ndata: two\n",
            &[event(Some("1"), None, "one")],
        );
        check("id: 9\n\n", &[event(Some("9"), None, "none")]);
        check("id: 1\n: alive\ndata: x\n\n", &[event(Some("1"), None, "x")]);
        check("retry: 10\nunknown\n\n", &[]);
    }
}
