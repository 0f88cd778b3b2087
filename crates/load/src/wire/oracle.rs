//! Our reader of answers against hyper's, over the same bytes: well-formed answers of every
//! framing, cut anywhere, spoilt anywhere.
//!
//! `AUTOTUNER_FUZZ=1000000` tries a million; a few thousand are tried otherwise.

use std::fmt::Write as _;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{AnswerReader, Piece};

/// How an answer was understood.
#[derive(Debug, PartialEq, Eq, Clone)]
enum Understood {
    /// Status and body, to the end.
    Whole(u16, Vec<u8>),
    /// Status and the body until it broke off or made no sense.
    Broken(u16, Vec<u8>),
    /// No answer at all.
    Nothing,
}

/// As our reader has it, the bytes coming in these parts and the connection closing then.
fn ours(parts: &[&[u8]]) -> Understood {
    let mut reader = AnswerReader::new();
    let (mut status, mut body) = (None, Vec::new());
    for part in parts {
        let mut bytes = *part;
        loop {
            match reader.next(&mut bytes) {
                Ok(Some(Piece::Status(found))) => status = Some(found),
                Ok(Some(Piece::Body(found))) => body.extend_from_slice(found),
                Ok(Some(Piece::End)) => return Understood::Whole(status.unwrap_or(0), body),
                Ok(None) => break,
                Err(_) => {
                    return status.map_or(Understood::Nothing, |status| Understood::Broken(status, body));
                }
            }
        }
    }
    match status {
        Some(status) if reader.ends_with_connection() => Understood::Whole(status, body),
        Some(status) => Understood::Broken(status, body),
        None => Understood::Nothing,
    }
}

/// As hyper has it.
async fn hypers(parts: &[&[u8]]) -> Understood {
    let (near, mut far) = tokio::io::duplex(1024 * 1024);
    let Ok((mut sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await else {
        return Understood::Nothing;
    };
    let connection = tokio::spawn(connection);
    let asked = sender.send_request(hyper::Request::new(Empty::<Bytes>::new()));
    let answered = async {
        // An answer to what was not asked yet is refused.
        drop(far.read(&mut [0; 1024]).await);
        for part in parts {
            // Refused once the reader has given up.
            drop(far.write_all(part).await);
            tokio::task::yield_now().await;
        }
        drop(far.shutdown().await);
        far
    };
    let (response, far) = tokio::join!(asked, answered);
    let understood = match response {
        Err(_) => Understood::Nothing,
        Ok(response) => {
            let status = response.status().as_u16();
            let (mut incoming, mut body) = (response.into_body(), Vec::new());
            loop {
                match incoming.frame().await {
                    None => break Understood::Whole(status, body),
                    Some(Err(_)) => break Understood::Broken(status, body),
                    Some(Ok(frame)) => body.extend_from_slice(frame.data_ref().map_or(&[], |bytes| bytes)),
                }
            }
        }
    };
    drop(far);
    drop(connection.await);
    understood
}

/// An answer as a server might write it.
fn answer(rng: &mut dyn Rng) -> Vec<u8> {
    let status = [200, 200, 200, 200, 400, 429, 503, 204][rng.random_range(0..8)];
    let version = if rng.random_range(0..8) == 0 { "1.0" } else { "1.1" };
    let mut head = String::new();
    if rng.random_range(0..8) == 0 {
        head.push_str("HTTP/1.1 100 Continue\r\n\r\n");
    }
    let _ = write!(head, "HTTP/{version} {status} Reason\r\n");
    for _ in 0..rng.random_range(0..3) {
        let _ = write!(head, "X-{}: value\r\n", rng.random_range(0..9));
    }
    if rng.random_range(0..6) == 0 {
        head.push_str("Connection: close\r\n");
    }
    let mut body = vec![0; rng.random_range(0..300)];
    body.fill_with(|| rng.random_range(b' '..=b'~'));
    let mut bytes;
    match rng.random_range(0..3) {
        0 => {
            let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
            bytes = head.into_bytes();
            bytes.extend_from_slice(&body);
        }
        1 if version == "1.1" => {
            head.push_str("Transfer-Encoding: chunked\r\n\r\n");
            bytes = head.into_bytes();
            for part in body.chunks(rng.random_range(1..60)) {
                let extension = if rng.random_range(0..9) == 0 { ";x=y" } else { "" };
                bytes.extend_from_slice(format!("{:x}{extension}\r\n", part.len()).as_bytes());
                bytes.extend_from_slice(part);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
        _ => {
            head.push_str("\r\n");
            bytes = head.into_bytes();
            bytes.extend_from_slice(&body);
        }
    }
    bytes
}

/// Changes a few bytes, or cuts the end off.
fn spoil(bytes: &mut Vec<u8>, rng: &mut dyn Rng) {
    const ODD: &[u8] = b"\r\n:;0aZ \t\0\xff,";
    for _ in 0..rng.random_range(0..4) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.random_range(0..bytes.len());
        let odd = ODD[rng.random_range(0..ODD.len())];
        match rng.random_range(0..4) {
            0 => bytes[at] = odd,
            1 => bytes.insert(at, odd),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
}

fn cases() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it")]
    let asked = std::env::var("AUTOTUNER_FUZZ").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(4_000)
}

fn cut<'a>(bytes: &'a [u8], rng: &mut dyn Rng) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = (0..rng.random_range(0..5))
        .map(|_| rng.random_range(0..=bytes.len()))
        .collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// What hyper takes we take, with the same status and the same bytes; and what it finds broken
/// is broken. Where it takes nothing we may be milder about the head's small print, never about
/// framing.
#[tokio::test]
async fn what_hyper_understands_is_understood_alike() {
    let (mut whole, mut broken, mut nothing) = (0, 0, 0);
    for case in 0..cases() {
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let mut bytes = answer(&mut rng);
        let is_spoilt = case % 2 == 1;
        if is_spoilt {
            spoil(&mut bytes, &mut rng);
        }
        let parts = cut(&bytes, &mut rng);
        let (we, they) = (ours(&parts), hypers(&parts).await);
        assert_eq!(we, ours(&[&bytes]), "case {case}: however it is cut");
        let shown = || String::from_utf8_lossy(&bytes).into_owned();
        match &they {
            Understood::Whole(..) => assert_eq!(we, they, "case {case}: {}", shown()),
            Understood::Broken(status, body) => {
                let Understood::Broken(our_status, our_body) = &we else {
                    panic!(
                        "case {case}: hyper finds {they:?} where we find {we:?}: {}",
                        shown()
                    );
                };
                assert_eq!(status, our_status, "case {case}");
                // It may give up sooner on what it has not handed on yet.
                assert!(our_body.starts_with(body), "case {case}: {}", shown());
            }
            Understood::Nothing => (),
        }
        match they {
            Understood::Whole(..) => whole += 1,
            Understood::Broken(..) => broken += 1,
            Understood::Nothing => nothing += 1,
        }
    }
    // Every way is tried often enough to mean something.
    assert!(
        whole > cases() / 4 && broken > cases() / 50 && nothing > cases() / 100,
        "{whole}, {broken}, {nothing}"
    );
}
