//! Numbers in words.

use autotuner_core::score::Objective;

/// Seconds, as people read them: `850 µs`, `12.3 ms`, `4.56 s`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        "∞".into()
    } else if seconds < 0.001 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{} ms", three_digits(seconds * 1e3))
    } else {
        format!("{} s", three_digits(seconds))
    }
}

/// Three significant digits, without an exponent.
pub(crate) fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// What the objective looks at, with its unit.
pub(crate) fn objective_value(objective: Objective, value: f64) -> String {
    if objective == Objective::MaximizeThroughput {
        format!("{} tok/s", three_digits(value))
    } else {
        duration(value)
    }
}

/// A ratio as signed per cent: `+25.0 %`.
pub(crate) fn percent(ratio: f64) -> String {
    let text = format!("{:+.1} %", ratio * 100.0);
    // What rounds to nothing has no direction.
    match text.strip_prefix("-0.0") {
        Some(unit) => format!("+0.0{unit}"),
        None => text,
    }
}

/// A count with its noun, which takes a plain plural: `1 level`, `3 levels`.
pub(crate) fn counted(count: u128, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// A word as a POSIX shell must be given it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(duration(0.000_85), "850 µs");
        assert_eq!(duration(0.012_34), "12.3 ms");
        assert_eq!(duration(0.5), "500 ms");
        assert_eq!(duration(4.561), "4.56 s");
        assert_eq!(duration(f64::INFINITY), "∞");
        assert_eq!(percent(0.25), "+25.0 %");
        assert_eq!(percent(-0.051), "-5.1 %");
        assert_eq!(percent(-0.000_1), "+0.0 %");
        assert_eq!(counted(1, "level"), "1 level");
        assert_eq!(counted(0, "level"), "0 levels");
        assert_eq!(quoted("--port=8"), "--port=8");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
        assert_eq!(
            objective_value(Objective::MaximizeThroughput, 1234.5),
            "1234 tok/s"
        );
    }
}
