//! Reads Prometheus's text format, and OpenMetrics where it is the same.
//!
//! The one idea: a line is a name, labels that may be left out, and a number; whatever else
//! there is (comments, types, timestamps, exemplars, rubbish) is passed over. A histogram is no
//! more to it than three names: `_bucket`, `_sum` and `_count`. Labels are stepped over, not
//! read: nobody asks for one of several.

/// One number of a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample<'a> {
    /// The name of the series, without its labels.
    pub(super) name: &'a str,
    /// Its value; finite.
    pub(super) value: f64,
}

/// The samples of a reading, in their order. Takes time in proportion to the text.
pub(super) fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let line = line.trim_start();
    let end = line.find(|character: char| !is_of_name(character))?;
    let (name, rest) = line.split_at(end);
    if name.is_empty() || name.starts_with(|character: char| character.is_ascii_digit()) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('{') {
        Some(labels) => after_labels(labels)?,
        // A name that runs into something else is none.
        None if line[end..].len() == rest.len() => return None,
        None => rest,
    };
    let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
    value.is_finite().then_some(Sample { name, value })
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | ':')
}

/// What follows the labels. A label's value is in quotation marks and may hold anything.
fn after_labels(labels: &str) -> Option<&str> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, byte) in labels.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'}' if !is_quoted => return Some(&labels[at + 1..]),
            _ => (),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, f64)]) {
        let found: Vec<_> = samples(text).map(|sample| (sample.name, sample.value)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn samples_of_all_kinds() {
        check(
            "# HELP a_total What it is.\n# TYPE a_total counter\na_total 3\n",
            &[("a_total", 3.0)],
        );
        check(
            "vllm:b{engine=\"0\",model_name=\"m\"} 1.5e+06",
            &[("vllm:b", 1.5e6)],
        );
        check("a{} 1\r\nb 2\r\n", &[("a", 1.0), ("b", 2.0)]);
        check("  a\t-0.5 1764400000000\n", &[("a", -0.5)]);
        check("a {x=\"1\"} 2", &[("a", 2.0)]);
        check(
            "h_bucket{le=\"+Inf\"} 2 # {trace_id=\"x\"} 0.3\nh_sum 0.5\nh_count 2\n",
            &[("h_bucket", 2.0), ("h_sum", 0.5), ("h_count", 2.0)],
        );
    }

    #[test]
    fn labels_may_hold_anything() {
        check(r#"a{x="}",y="{\"\\",z="漢 # ,"} 4"#, &[("a", 4.0)]);
    }

    #[test]
    fn rubbish_is_passed_over() {
        check("", &[]);
        check("<html>\n\n{}\n 3\n3a 4\n\u{0}\n# EOF", &[]);
        check(
            "a\na b\na{x=\"1\n} 2\na{x=\"1\"}\nname-with 3\nok 1",
            &[("ok", 1.0)],
        );
        check("a NaN\nb +Inf\nc 1e999\nd 1", &[("d", 1.0)]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z{}\"\\\\ #=,0-9.\n\r\u{e9}]{0,80}") {
            for sample in samples(&text) {
                prop_assert!(sample.value.is_finite() && !sample.name.is_empty());
            }
        }
    }
}
