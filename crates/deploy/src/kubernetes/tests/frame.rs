//! Lines that are torn, doubled, missing and out of order are put right or not taken at all.

use proptest::prelude::*;

use super::*;

const NONCE: &str = "5f0c";

/// Something that an agent says.
#[derive(Debug, Clone)]
enum Said {
    Output(Vec<u8>),
    Message(Vec<u8>),
}

fn said() -> impl Strategy<Value = Vec<Said>> {
    let bytes = || {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..60),
            proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'\n'), Just(b'\\')], 0..60),
            proptest::collection::vec(any::<u8>(), 9_000..12_000),
        ]
    };
    let one = prop_oneof![bytes().prop_map(Said::Output), bytes().prop_map(Said::Message)];
    proptest::collection::vec(one, 0..12)
}

/// The log of a pod whose agent says this, a line each, with stamps.
fn log(said: &[Said]) -> Vec<String> {
    let mut written = Vec::new();
    let mut writer = FrameWriter::new(NONCE, &mut written);
    for said in said {
        match said {
            Said::Output(bytes) => writer.output(bytes),
            Said::Message(bytes) => writer.message(bytes),
        }
        .expect("memory takes it");
    }
    let text = String::from_utf8(written).expect("text");
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| format!("2026-11-30T00:00:{index:02}.{index:09}Z {line}\n"))
        .collect()
}

/// All output joined, and all messages.
fn sum(heard: Vec<Heard>) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut output, mut messages) = (Vec::new(), Vec::new());
    for heard in heard {
        match heard {
            Heard::Output(bytes) => output.extend(bytes),
            Heard::Message(bytes) => messages.push(bytes),
            Heard::Foreign(line) => panic!("a line of ours is taken for another's: {line}"),
        }
    }
    (output, messages)
}

fn expected(said: &[Said]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut output, mut messages) = (Vec::new(), Vec::new());
    for said in said {
        match said {
            Said::Output(bytes) => output.extend(bytes),
            Said::Message(bytes) => messages.push(bytes.clone()),
        }
    }
    (output, messages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_said_is_heard_however_it_is_cut(said in said(), cut in 1_usize..700) {
        let log = log(&said).concat();
        prop_assert!(log.lines().all(|line| line.len() < 16 * 1024));
        let mut reader = FrameReader::new(NONCE);
        let heard = log.as_bytes().chunks(cut).flat_map(|piece| reader.feed(piece)).collect();
        prop_assert!(!reader.has_gap());
        prop_assert_eq!(sum(heard), expected(&said));
    }

    #[test]
    fn a_stream_that_breaks_anywhere_and_is_read_again_loses_and_doubles_nothing(
        said in said(),
        breaks in proptest::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 0..6),
    ) {
        let lines = log(&said);
        let whole = lines.concat();
        let mut reader = FrameReader::new(NONCE);
        let mut heard = Vec::new();
        for (end, back) in breaks {
            // From a line that is no later than the one to go on with, to the middle of any byte.
            let known = reader.resume_from().map(str::to_owned);
            let resume = known.map_or(0, |stamp| lines.iter().position(|line| line.starts_with(&stamp)).unwrap_or(0));
            let first = (resume as f64 * back) as usize;
            let start: usize = lines[..first].iter().map(String::len).sum();
            let end = start + ((whole.len() - start) as f64 * end) as usize;
            heard.extend(reader.feed(&whole.as_bytes()[start..end]));
            reader.restart();
        }
        heard.extend(reader.feed(whole.as_bytes()));
        prop_assert_eq!(sum(heard), expected(&said));
    }

    #[test]
    fn lines_that_are_missing_are_told_and_order_does_not_matter(
        said in said(),
        order in any::<proptest::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let lines = log(&said);
        prop_assume!(!lines.is_empty() && lines.len() < 60);
        let missing = order.index(lines.len());
        let mut shuffled: Vec<&String> = lines.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, line)| line).collect();
        shuffled.sort_by_key(|line| line.bytes().fold(seed, |sum, byte| sum.rotate_left(7) ^ u64::from(byte)));
        let mut reader = FrameReader::new(NONCE);
        let mut heard: Vec<Heard> = shuffled.iter().chain(&shuffled).flat_map(|line| reader.feed(line.as_bytes())).collect();
        prop_assert_eq!(reader.has_gap(), missing + 1 < lines.len() || reader.has_gap());
        heard.extend(reader.feed(lines[missing].as_bytes()));
        prop_assert!(!reader.has_gap());
        prop_assert_eq!(sum(heard), expected(&said));
    }

    #[test]
    fn a_line_that_was_changed_anywhere_is_not_ours(at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let line = log(&[Said::Output(b"some output of the engine\n".to_vec())]).concat();
        let body = line.find(' ').expect("a stamp") + 1;
        let mut bytes = line.into_bytes();
        let at = body + at.index(bytes.len() - body - 1);
        prop_assume!(bytes[at] != to && to != b'\n');
        bytes[at] = to;
        let mut reader = FrameReader::new(NONCE);
        let heard = reader.feed(&bytes);
        // A number may be written with a sign or zeros before it and mean the same.
        prop_assert!(!matches!(heard.as_slice(), [Heard::Message(_)]));
        if let [Heard::Output(output)] = heard.as_slice() {
            prop_assert_eq!(output.as_slice(), b"some output of the engine\n");
        }
    }
}

#[test]
fn lines_of_others_are_told_once_and_never_taken_for_ours() {
    let mut reader = FrameReader::new(NONCE);
    let ours = log(&[Said::Output(b"x\n".to_vec())]).concat();
    let other = ours.replace(NONCE, "5f0d").replace("00.000000000Z", "01.5Z");
    let heard = reader.feed(other.as_bytes());
    assert!(matches!(heard.as_slice(), [Heard::Foreign(_)]), "{heard:?}");
    assert_eq!(reader.feed(other.as_bytes()), []);
    assert_eq!(reader.feed(ours.as_bytes()), [Heard::Output(b"x\n".to_vec())]);
}

#[test]
fn a_line_without_end_takes_no_memory_and_the_next_one_is_heard() {
    let mut reader = FrameReader::new(NONCE);
    for _ in 0..100 {
        assert_eq!(reader.feed(&[b'x'; 10_000]), []);
        assert!(reader.line.len() <= LONGEST_LINE);
    }
    let ours = log(&[Said::Message(b"hello".to_vec())]).concat();
    let heard = reader.feed(format!("\n{ours}").as_bytes());
    assert_eq!(heard, [Heard::Message(b"hello".to_vec())]);
}
