//! Places as texts, and walks over logs that are read again and again.

use proptest::prelude::*;

use super::*;

fn at(nanosecond: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanosecond.into()).unwrap()
}

/// What is new in these readings of `output:stamp` and `errors:stamp`, one word a line.
fn check(readings: &[&str], expected: &str) {
    let mut known = Place::default();
    let mut new = Vec::new();
    for reading in readings {
        let mut walk = Walk::from(Place::default(), known);
        for word in reading.split_whitespace() {
            let (stream, stamp) = word.split_at(1);
            let stream = if stream == "o" {
                Stream::Output
            } else {
                Stream::Errors
            };
            if walk.step(stream, at(stamp.parse().unwrap())) == Step::New {
                new.push(word);
            }
        }
        known = walk.known();
    }
    assert_eq!(new.join(" "), expected, "{readings:?}");
}

#[test]
fn what_is_known_is_not_new() {
    check(&["o1 o2 o3"], "o1 o2 o3");
    check(&["o1 o2", "o1 o2 o3"], "o1 o2 o3");
    check(&["o1 o2", "o2 o3"], "o1 o2 o3");
    check(&["o1 o2 o2", "o2", "o2 o2 o2"], "o1 o2 o2 o2");
    check(&["o5 e4 o6", "o5 e4 o6 e5"], "o5 e4 o6 e5");
    check(&["o9", "e1 o9 e2"], "o9 e1 e2");
    check(&["o1 o2 o3 o1 o2 o3 o4"], "o1 o2 o3 o4");
}

#[test]
fn a_daemon_that_goes_back_is_noticed_once_each_time() {
    let mut walk = Walk::default();
    let steps = [1, 2, 3, 1, 2, 3, 4, 2, 5].map(|stamp| walk.step(Stream::Output, at(stamp)));
    use Step::{Back, Known, New};
    assert_eq!(steps, [New, New, New, Back, Known, Known, New, Back, New]);
}

#[test]
fn a_place_is_a_text_and_back() {
    let mut place = Place::default();
    assert_eq!(place.to_string(), "");
    place.advance(Stream::Errors, at(5));
    assert_eq!(place.to_string(), "e0.000000005.1");
    place.advance(Stream::Output, at(1_764_384_000_123_456_789));
    place.advance(Stream::Output, at(1_764_384_000_123_456_789));
    assert_eq!(place.to_string(), "1764384000.123456789.2e0.000000005.1");
    for text in [
        "1764384000.123456789.2",
        "e0.000000005.1",
        "1.000000000.1e1.000000000.1",
    ] {
        assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
    }
    for wrong in [
        "",
        "e",
        "1",
        "1.2",
        "1.2.3",
        "1.000000000",
        "1.000000000.",
        "1.000000000.1.1",
        "-1.000000000.1",
        "1.000000000.1e",
        "1.000000000.1e1",
        "1.000000000.+1",
        "99999999999999.000000000.1",
        "1.000000000.99999999999",
        "1.000000000.1 ",
        "gone",
    ] {
        assert!(wrong.parse::<Place>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_reading_begins_a_little_before_its_place() {
    let mut place = Place::default();
    assert_eq!(place.since(), None);
    place.advance(Stream::Output, at(1_000_000_000_000));
    place.advance(Stream::Errors, at(1_000_000_000));
    assert_eq!(place.since(), Some(at(995_000_000_000)));
}

#[test]
fn what_was_left_out_on_purpose_is_not_fetched_later() {
    let mut place = Place::default();
    place.not_before(at(100));
    place.advance(Stream::Output, at(100));
    let mut walk = Walk::from(Place::default(), place);
    assert_eq!(walk.step(Stream::Errors, at(99)), Step::Known);
    assert_eq!(walk.step(Stream::Output, at(100)), Step::Known);
    assert_eq!(walk.step(Stream::Errors, at(100)), Step::New);
    assert_eq!(walk.step(Stream::Errors, at(101)), Step::New);
}

/// A log: for each line whether it is of standard error, and the pause before it.
fn log() -> impl Strategy<Value = Vec<(Stream, Timestamp)>> {
    let pause = prop_oneof![3 => 0_i64..3, 1 => 0_i64..2_000_000_000];
    prop::collection::vec((any::<bool>(), pause), 0..80).prop_map(|lines| {
        let mut now = [1_000_000_000_000_i64; 2];
        let line = |(is_error, pause): (bool, i64)| {
            let clock = &mut now[usize::from(is_error)];
            *clock += pause;
            let stream = if is_error { Stream::Errors } else { Stream::Output };
            (stream, at(*clock))
        };
        lines.into_iter().map(line).collect()
    })
}

proptest! {
    #[test]
    fn readings_that_break_off_anywhere_make_the_whole(log in log(), cuts in prop::collection::vec(0_usize..90, 0..6)) {
        // Within what the streams may be out of order.
        let spread = log.iter().filter_map(|(_, stamp)| {
            let latest = log.iter().map(|(_, stamp)| *stamp).max()?;
            Some(latest.duration_since(*stamp))
        }).max();
        prop_assume!(spread.is_none_or(|spread| spread < DISORDER));
        let mut known = Place::default();
        let mut new = Vec::new();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let since = known.since().unwrap_or(Timestamp::UNIX_EPOCH);
            let mut walk = Walk::from(Place::default(), known);
            let reading = log.iter().filter(|(_, stamp)| *stamp >= since).take(cut);
            new.extend(reading.filter(|(stream, stamp)| walk.step(*stream, *stamp) == Step::New).copied());
            // It travels as a text.
            known = match walk.known() {
                place if place.is_start() => place,
                place => place.to_string().parse().unwrap(),
            };
        }
        prop_assert_eq!(new, log);
    }
}
