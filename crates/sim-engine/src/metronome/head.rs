//! Reads the head of an HTTP/1.1 request: the few lines that this server heeds.
//!
//! What it does not understand it refuses, so that no client is measured by a misunderstanding.

use super::reply::{Refusal, Status};

/// Longest body of a request.
pub(super) const LONGEST_BODY: usize = 64 << 20;

/// What the head of a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: Method,
    /// The target without its query.
    pub(super) path: String,
    /// Its `x-request-id`, or nothing.
    pub(super) request_id: String,
    pub(super) length: Length,
    /// Whether the client wants no other answer over this connection.
    pub(super) closes: bool,
    /// Whether the client waits to be asked for the body.
    pub(super) waits: bool,
}

/// What the client wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Other,
}

/// How the body's end is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Fixed(usize),
    Chunked,
}

/// Reads a head: all that comes before the empty line.
pub(super) fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| bad("the head is not UTF-8"))?;
    let mut lines = text.split("\r\n");
    let (method, target) = request_line(lines.next().unwrap_or_default())?;
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let mut head = Head {
        method,
        path: path.to_owned(),
        request_id: String::new(),
        length: Length::Fixed(0),
        // Such an answer may have to be without a body; nobody's next request depends on it.
        closes: method == Method::Other,
        waits: false,
    };
    let mut fixed = None;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(bad("a header has no colon"))?;
        if name.is_empty() || name.contains([' ', '\t']) {
            return Err(bad("a header's name has white space"));
        }
        let value = value.trim_matches([' ', '\t']);
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("content-length") {
            let length = content_length(value)?;
            if fixed.replace(length).is_some_and(|other| other != length) {
                return Err(bad("two content-lengths differ"));
            }
        } else if is("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                let message = "no transfer-encoding but chunked is understood";
                return Err(Refusal::new(Status::NotImplemented, message));
            }
            head.length = Length::Chunked;
        } else if is("connection") {
            head.closes |= has_word(value, "close");
        } else if is("expect") {
            head.waits |= value.eq_ignore_ascii_case("100-continue");
        } else if is("x-request-id") {
            value.clone_into(&mut head.request_id);
        }
    }
    match (head.length, fixed) {
        (Length::Chunked, Some(_)) => Err(bad("a body is either chunked or has a content-length")),
        (Length::Fixed(_), Some(length)) => {
            head.length = Length::Fixed(length);
            Ok(head)
        }
        (_, None) => Ok(head),
    }
}

fn request_line(line: &str) -> Result<(Method, &str), Refusal> {
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad("the request line is not METHOD TARGET VERSION"));
    };
    if version != "HTTP/1.1" {
        let message = "only HTTP/1.1 is spoken";
        return Err(Refusal::new(Status::VersionNotSupported, message));
    }
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        _ => Method::Other,
    };
    Ok((method, target))
}

fn content_length(value: &str) -> Result<usize, Refusal> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad("the content-length is no number"));
    }
    match value.parse() {
        Ok(length) if length <= LONGEST_BODY => Ok(length),
        _ => Err(too_long()),
    }
}

/// A body is longer than any prompt.
pub(super) fn too_long() -> Refusal {
    Refusal::new(Status::ContentTooLarge, "a body has at most 64 MiB")
}

fn has_word(list: &str, word: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word))
}

fn bad(message: &str) -> Refusal {
    Refusal::new(Status::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Head) {
        assert_eq!(parse(head.as_bytes()), Ok(expected), "{head}");
    }

    fn check_refused(head: &str, expected: Status) {
        assert_eq!(parse(head.as_bytes()).unwrap_err().status, expected, "{head}");
    }

    #[test]
    fn the_lines_that_count_are_read() {
        let expected = Head {
            method: Method::Post,
            path: "/v1/completions".to_owned(),
            request_id: "a-1".to_owned(),
            length: Length::Fixed(12),
            closes: false,
            waits: true,
        };
        check(
            "POST /v1/completions?x=1 HTTP/1.1\r\nHost: a\r\nCONTENT-length: 12\r\ncontent-length:12\r\n\
             X-Request-Id:\ta-1 \r\nExpect: 100-continue\r\nConnection: keep-alive",
            expected.clone(),
        );
        let expected = Head {
            method: Method::Get,
            path: "/".to_owned(),
            request_id: String::new(),
            length: Length::Chunked,
            closes: true,
            waits: false,
        };
        check(
            "GET / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nConnection: TE, Close",
            expected,
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in ["", "GET /", "GET / x HTTP/1.1", "GET  / HTTP/1.1"] {
            check_refused(line, Status::BadRequest);
        }
        check_refused("GET / HTTP/1.0", Status::VersionNotSupported);
        for (header, status) in [
            ("colon", Status::BadRequest),
            (": none", Status::BadRequest),
            ("a b: c", Status::BadRequest),
            (" folded: c", Status::BadRequest),
            ("content-length: +1", Status::BadRequest),
            ("content-length: ", Status::BadRequest),
            ("content-length: 1\r\ncontent-length: 2", Status::BadRequest),
            (
                "content-length: 1\r\ntransfer-encoding: chunked",
                Status::BadRequest,
            ),
            ("content-length: 67108865", Status::ContentTooLarge),
            ("content-length: 99999999999999999999999", Status::ContentTooLarge),
            ("transfer-encoding: gzip, chunked", Status::NotImplemented),
        ] {
            check_refused(&format!("POST / HTTP/1.1\r\n{header}"), status);
        }
    }
}
