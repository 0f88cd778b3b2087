//! Answers are read as hyper reads them, whole and spoilt, however they are cut.

use super::*;

/// What came of bytes: the status, the body, and how it ended.
#[derive(Debug, PartialEq, Eq, Default)]
struct Answer {
    status: u16,
    body: String,
    is_over: bool,
    is_reusable: bool,
}

fn read(parts: &[&[u8]]) -> Result<Answer, WireError> {
    let mut reader = AnswerReader::new();
    let mut answer = Answer::default();
    for part in parts {
        let mut bytes = *part;
        while let Some(piece) = reader.next(&mut bytes)? {
            match piece {
                Piece::Status(status) => answer.status = status,
                Piece::Body(body) => answer.body.push_str(std::str::from_utf8(body).expect("ASCII")),
                Piece::End => answer.is_over = true,
            }
        }
    }
    answer.is_reusable = reader.is_reusable();
    Ok(answer)
}

#[track_caller]
fn check(stream: &str, status: u16, body: &str, is_over: bool, is_reusable: bool) {
    let expected = Answer {
        status,
        body: body.into(),
        is_over,
        is_reusable,
    };
    for at in 0..=stream.len() {
        let (head, tail) = stream.as_bytes().split_at(at);
        assert_eq!(
            read(&[head, tail]).as_ref(),
            Ok(&expected),
            "{stream:?} cut at {at}"
        );
    }
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(read(&bytes), Ok(expected), "byte by byte");
}

#[test]
fn answers_of_every_framing() {
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        200,
        "abc",
        true,
        true,
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        200,
        "",
        true,
        true,
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        200,
        "abc",
        true,
        true,
    );
    check("HTTP/1.1 200\r\n\r\nabc", 200, "abc", false, false);
    check(
        "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na",
        200,
        "a",
        true,
        false,
    );
    check(
        "HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\na",
        200,
        "a",
        true,
        true,
    );
    check(
        "HTTP/1.1 429 Slow down\r\ncontent-length: 1\r\nconnection: x, Close\r\n\r\na",
        429,
        "a",
        true,
        false,
    );
    check("HTTP/1.1 204 None\r\n\r\n", 204, "", true, true);
}

#[test]
fn what_is_not_whole() {
    check("HTTP/1.1 200 OK\r\ncontent-le", 0, "", false, false);
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
        200,
        "ab",
        false,
        false,
    );
}

#[test]
fn an_interim_answer_is_passed_over() {
    check(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na",
        200,
        "a",
        true,
        true,
    );
}

#[test]
fn a_length_beside_a_coding_counts_for_nothing() {
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 99\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        200,
        "a",
        true,
        false,
    );
}

#[test]
fn what_is_no_answer() {
    for stream in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        assert!(read(&[stream.as_bytes()]).is_err(), "{stream:?}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(LONGEST_HEAD));
    assert_eq!(
        read(&[endless.as_bytes()]),
        Err(WireError::LongHead(LONGEST_HEAD))
    );
}
