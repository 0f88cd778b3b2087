//! Frames as the daemon sends them, and as nobody should.

use proptest::prelude::*;

use super::*;

const STAMP: &str = "2026-11-23T10:33:51.885661153Z ";

fn frame(stream: u8, text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[stream, 0, 0, 0][..], &length, text].concat()
}

/// What comes of these bytes, given in parts of this size.
fn decode(bytes: &[u8], part: usize, has_terminal: bool) -> (Vec<(Stream, Bytes)>, Option<FrameError>) {
    let mut decoder = Decoder::new(has_terminal);
    let mut pieces = Vec::new();
    for part in bytes.chunks(part.max(1)) {
        decoder.push(part);
        loop {
            match decoder.next() {
                Ok(Some(piece)) => pieces.push((piece.stream, piece.text)),
                Ok(None) => break,
                Err(error) => return (pieces, Some(error)),
            }
        }
    }
    match decoder.finish() {
        Ok(rest) => {
            pieces.extend(rest.map(|piece| (piece.stream, piece.text)));
            (pieces, None)
        }
        Err(error) => (pieces, Some(error)),
    }
}

#[test]
fn frames_are_cut_wherever_the_bytes_come_apart() {
    let bytes = [
        frame(1, format!("{STAMP}a\n").as_bytes()),
        frame(2, format!("{STAMP}b").as_bytes()),
        frame(1, format!("{STAMP}\n").as_bytes()),
        frame(1, STAMP.as_bytes()),
    ]
    .concat();
    for part in 1..bytes.len() {
        let (pieces, error) = decode(&bytes, part, false);
        let texts: Vec<_> = pieces.iter().map(|(stream, text)| (*stream, &text[..])).collect();
        let expected = [
            (Stream::Output, &b"a\n"[..]),
            (Stream::Errors, b"b"),
            (Stream::Output, b"\n"),
            (Stream::Output, b""),
        ];
        assert_eq!(
            (texts.as_slice(), error),
            (&expected[..], None),
            "in parts of {part}"
        );
    }
}

#[test]
fn what_is_no_frame_ends_the_reading() {
    let check = |bytes: &[u8], expected: &str| {
        let (pieces, error) = decode(bytes, 7, false);
        assert_eq!(pieces, []);
        let error = error.unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&frame(4, b"x"), "no known stream");
    check(&[1, 0, 1, 0, 0, 0, 0, 0], "without a header");
    check(b"2026-11-23T10:33:51.885661153Z text\n", "without a header");
    check(&[1, 0, 0, 0, 255, 255, 255, 255], "more than 1 MiB");
    check(&frame(1, b"no stamp\n"), "without a time stamp");
    check(&frame(1, format!("{STAMP}cut").as_bytes())[..20], "in the middle");
    check(
        &frame(3, b"Error grabbing logs: unexpected EOF\n"),
        "Error grabbing logs",
    );
}

#[test]
fn a_terminals_lines_are_told_by_their_stamps() {
    let long = "x".repeat(16 * 1024);
    let bytes = format!("{STAMP}one\r\n{STAMP}\r\n{STAMP}{long}{STAMP}{long}{STAMP}end\r\n{STAMP}no end");
    for part in [1, 3, 64, 4096, bytes.len()] {
        let (pieces, error) = decode(bytes.as_bytes(), part, true);
        let texts: Vec<&[u8]> = pieces.iter().map(|(_, text)| &text[..]).collect();
        let expected = [
            &b"one\r\n"[..],
            b"\r\n",
            long.as_bytes(),
            long.as_bytes(),
            b"end\r\n",
            b"no end",
        ];
        assert_eq!(
            (texts.as_slice(), error),
            (&expected[..], None),
            "in parts of {part}"
        );
    }
}

/// Bytes that are nearly what a daemon sends.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        Just(format!("{STAMP}line\n").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    let header = prop_oneof![
        8 => (0_u8..4).prop_map(|stream| vec![stream, 0, 0, 0]),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    let sound = (header, text).prop_map(|(header, text)| {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [header, length.to_vec(), text].concat()
    });
    prop::collection::vec(sound, 0..4).prop_map(|frames| frames.concat())
}

proptest! {
    // A million inputs: cheap ones, so that all of them are tried every time.
    #![proptest_config(ProptestConfig { cases: 1_000_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_comes_breaks_it_or_makes_it_hold_more_than_it_was_given(
        bytes in nearly(), part in 1_usize..32, has_terminal in any::<bool>()
    ) {
        let (pieces, _) = decode(&bytes, part, has_terminal);
        let length: usize = pieces.iter().map(|(_, text)| text.len()).sum();
        prop_assert!(length <= bytes.len());
    }
}
