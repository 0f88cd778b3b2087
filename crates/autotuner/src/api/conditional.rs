//! Answers that are not sent again to whoever has them already.
//!
//! The one idea: an answer's tag is a digest of its content, so equal tags are equal answers,
//! over restarts and versions, too.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

/// Bytes of a digest that tell contents apart.
const BYTES: usize = 16;

/// The tag of a content, in quotes.
pub(super) fn tag(content: &[u8]) -> String {
    tag_of(&Sha256::digest(content), "")
}

/// The tag of the content with this digest, in one of its forms.
pub(super) fn tag_of(digest: &[u8], form: &str) -> String {
    let hex: String = digest
        .iter()
        .take(BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}{form}\"")
}

/// Whether whoever asks has the answer with this tag.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// A text, or that it is the one that whoever asks has. It may be kept, but not be shown again
/// without asking whether it is still this one.
pub(super) fn text(headers: &HeaderMap, content_type: &'static str, text: String) -> Response {
    let tag = tag(text.as_bytes());
    let mut response = match is_known(headers, &tag) {
        true => (StatusCode::NOT_MODIFIED, Body::empty()).into_response(),
        false => Response::new(Body::from(text)),
    };
    let answered = response.headers_mut();
    answered.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answered.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    answered.extend(HeaderValue::try_from(tag).map(|tag| (ETAG, tag)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_an_answer_says_so_by_its_tag() {
        let check = |shown: &[&str], expected: bool| {
            let mut headers = HeaderMap::new();
            for value in shown {
                headers.append(IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(is_known(&headers, "\"a1\""), expected, "{shown:?}");
        };
        check(&[], false);
        check(&["\"a1\""], true);
        check(&["W/\"a1\""], true);
        check(&["\"b\", \"a1\""], true);
        check(&["\"b\"", "\"a1\""], true);
        check(&["*"], true);
        check(&["a1"], false);
        check(&["\"a\""], false);
        check(&["\"a1-gz\""], false);
    }

    #[test]
    fn a_tag_tells_contents_and_forms_apart() {
        assert_eq!(tag(b"a"), tag(b"a"));
        assert_ne!(tag(b"a"), tag(b"b"));
        assert_eq!(tag_of(&[0xab; 32], "-gz"), format!("\"{}-gz\"", "ab".repeat(16)));
    }
}
