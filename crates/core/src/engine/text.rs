//! Small rules for text that comes from users and from engines.
//!
//! The one idea: what we pass on is one printable line, and what we quote is short.

/// The longest quotation of a log, in characters.
const LONGEST_QUOTATION: usize = 300;

/// Whether the text holds anything that is not printable, such as a line break or NUL.
pub(crate) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// The line without terminal colours and other escape sequences, and without blanks at its ends.
pub(crate) fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(next) = rest.next() {
        if next != '\u{1b}' {
            if !next.is_control() || next == '\t' {
                plain.push(next);
            }
            continue;
        }
        // An escape is followed by `[`, parameters, and one final letter or sign.
        if rest.next_if_eq(&'[').is_some() {
            while rest.next_if(|part| !('@'..='~').contains(part)).is_some() {}
            rest.next();
        }
    }
    plain.trim().to_owned()
}

/// The text shortened to at most 300 characters.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTATION) {
        None => text.to_owned(),
        Some(_) => {
            let mut short: String = text.chars().take(LONGEST_QUOTATION - 1).collect();
            short.push('…');
            short
        }
    }
}

/// Whether an argument reads as a flag: dashes and then a letter. `-1` and `-` do not.
pub(crate) fn is_flag(argument: &str) -> bool {
    argument
        .strip_prefix("--")
        .or_else(|| argument.strip_prefix('-'))
        .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_text_stays() {
        let check = |line: &str, expected: &str| assert_eq!(plain(line), expected);
        check(
            "\u{1b}[1;31mERROR\u{1b}[0m out of memory\r",
            "ERROR out of memory",
        );
        check("  plain \u{1b}[K", "plain");
        check("cut off \u{1b}[3", "cut off");
        check("größer", "größer");
    }

    #[test]
    fn a_quotation_is_cut_between_characters() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"é".repeat(300)).chars().count(), 300);
        let cut = shorten(&"é".repeat(301));
        assert_eq!(cut.chars().count(), 300);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn numbers_are_no_flags() {
        for flag in ["--x", "-np", "--x=1"] {
            assert!(is_flag(flag), "{flag}");
        }
        for value in ["-1", "-", "--", "-.5", "x", "", "a-b"] {
            assert!(!is_flag(value), "{value}");
        }
    }
}
