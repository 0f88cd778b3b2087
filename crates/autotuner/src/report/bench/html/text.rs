//! Text for the page: nothing that came from outside goes into it but through [`escape`].

/// Text in which nothing is markup, also inside of an attribute's quotes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No document may have these, and a few tell a terminal or a reader to do things.
            c if c.is_control() && !matches!(c, '\n' | '\t') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// A number with its thousands apart: `1 234 567`.
pub(super) fn grouped(value: f64) -> String {
    if !value.is_finite() {
        return "∞".into();
    }
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut told = String::new();
    for (index, digit) in whole.char_indices() {
        let left = whole.len() - index;
        if index > 0 && left % 3 == 0 && digit.is_ascii_digit() && !told.ends_with('-') {
            told.push('\u{202f}');
        }
        told.push(digit);
    }
    told + rest
}

/// A count with its thousands apart.
pub(super) fn grouped_count(value: u64) -> String {
    let digits = value.to_string();
    let mut told = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            told.push('\u{202f}');
        }
        told.push(digit);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            escape("<script src='x'>\"&\u{1b}[2J\n"),
            "&lt;script src=&#39;x&#39;&gt;&quot;&amp;\u{fffd}[2J\n"
        );
    }

    #[test]
    fn long_numbers_are_told_in_groups() {
        let check =
            |value: f64, expected: &str| assert_eq!(grouped(value).replace('\u{202f}', " "), expected);
        check(1_234_567.0, "1 234 567");
        check(-123_456.0, "-123 456");
        check(999.6, "1 000");
        check(12.34, "12.3");
        check(1.234, "1.23");
        check(0.0, "0.00");
        check(f64::INFINITY, "∞");
        assert_eq!(grouped_count(1_000).replace('\u{202f}', " "), "1 000");
        assert_eq!(grouped_count(7), "7");
    }
}
