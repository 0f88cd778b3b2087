//! Answers that are written whole: documents, refusals, and nothing at all.

use serde_json::json;

/// How an answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    ContentTooLarge,
    HeadTooLarge,
    NotImplemented,
    VersionNotSupported,
}

impl Status {
    fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::ContentTooLarge => 413,
            Self::HeadTooLarge => 431,
            Self::NotImplemented => 501,
            Self::VersionNotSupported => 505,
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::BadRequest => "Bad Request",
            Self::NotFound => "Not Found",
            Self::MethodNotAllowed => "Method Not Allowed",
            Self::ContentTooLarge => "Content Too Large",
            Self::HeadTooLarge => "Request Header Fields Too Large",
            Self::NotImplemented => "Not Implemented",
            Self::VersionNotSupported => "HTTP Version Not Supported",
        }
    }
}

/// Why a request is not answered as it wants to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: Status,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: Status, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    /// The refusal as engines put it.
    pub(super) fn reply(&self) -> Reply {
        let kind = match self.status {
            Status::NotFound => "NotFoundError",
            _ => "BadRequestError",
        };
        let error =
            json!({ "message": self.message, "type": kind, "param": null, "code": self.status.code() });
        Reply {
            status: self.status,
            kind: JSON,
            body: json!({ "error": error }).to_string().into_bytes(),
        }
    }
}

/// The kind of a body that is JSON.
pub(super) const JSON: &str = "application/json";

/// The kind of a body that is for people or scrapers.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// What asks a client for the body that it holds back.
pub(super) const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// An answer that is written whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: Status,
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// What goes over the wire; `closes` says that no other answer follows.
    pub(super) fn render(self, closes: bool) -> Vec<u8> {
        let Self { status, kind, body } = self;
        let mut bytes = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{}\r\n",
            status.code(),
            status.phrase(),
            body.len(),
            if closes { "connection: close\r\n" } else { "" },
        )
        .into_bytes();
        bytes.extend_from_slice(&body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_whole_answer() {
        let refusal = Refusal::new(Status::NotFound, "nothing is here");
        let text = String::from_utf8(refusal.reply().render(true)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let expected = format!(
            "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close",
            body.len()
        );
        assert_eq!(head, expected);
        assert!(
            body.contains(r#""message":"nothing is here","type":"NotFoundError""#),
            "{body}"
        );
        let ok = Reply {
            status: Status::Ok,
            kind: TEXT,
            body: Vec::new(),
        };
        let expected =
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(ok.render(false), expected.as_bytes());
    }
}
