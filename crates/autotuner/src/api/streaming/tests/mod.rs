//! Streams as clients see them: real routes, a real database, real files.

mod events;
mod follow;
mod sockets;
mod storms;
mod support;
mod text;

use axum::http::HeaderMap;

use super::{last_event_id, plain};

#[test]
fn no_text_makes_a_frame_of_its_own() {
    let check = |text: &str, expected: &str| {
        let mut line = String::new();
        plain(&mut line, text);
        assert_eq!(line, expected);
    };
    check("", "");
    check("plain text: 5 %", "plain text: 5 %");
    check(
        "a\rdata: forged\r\n\nid: 5\nevent: x",
        "a\\rdata: forged\\r\\n\\nid: 5\\nevent: x",
    );
    check("\0\u{7}\u{7f}\u{85}é", "\\x00\\x07\\x7f\\x85é");
    check("\x1b[31mred\x1b[0m\tx", "\x1b[31mred\x1b[0m\tx");
    check("data: x", "data: x");
    check("\r", "\\r");
}

#[test]
fn the_header_goes_before_the_query() {
    let mut headers = HeaderMap::new();
    assert_eq!(last_event_id(&headers, None), None);
    assert_eq!(last_event_id(&headers, Some("")), None);
    assert_eq!(last_event_id(&headers, Some("a-1")), Some("a-1"));
    headers.insert("last-event-id", "a-2".parse().expect("a value"));
    assert_eq!(last_event_id(&headers, Some("a-1")), Some("a-2"));
}
