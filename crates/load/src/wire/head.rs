//! The head of a request.

use std::io::Write as _;

use bytes::Bytes;

/// What all requests to one target begin with: everything but the length and the name of the
/// single request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestHead(Vec<u8>);

impl RequestHead {
    /// A head of these lines. The caller vouches that no value holds a line break.
    pub(crate) fn new(method: &str, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        Self(head.into_bytes())
    }

    /// Writes a whole request into `to`, which is cleared first.
    pub(crate) fn write(&self, to: &mut Vec<u8>, request_id: &str, body: &Bytes) {
        to.clear();
        to.reserve(self.0.len() + request_id.len() + body.len() + 64);
        to.extend_from_slice(&self.0);
        // Writing into memory does not fail.
        drop(write!(
            to,
            "x-request-id: {request_id}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        ));
        to.extend_from_slice(body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_head_its_name_and_its_body() {
        let head = RequestHead::new("POST", "/v1/completions", &[("host", "h:1"), ("accept", "a/b")]);
        let mut request = b"of the last one".to_vec();
        head.write(&mut request, "at-m-0-1-0", &Bytes::from_static(b"{}"));
        assert_eq!(
            String::from_utf8(request).unwrap(),
            "POST /v1/completions HTTP/1.1\r\nhost: h:1\r\naccept: a/b\r\n\
             x-request-id: at-m-0-1-0\r\ncontent-length: 2\r\n\r\n{}"
        );
    }
}
