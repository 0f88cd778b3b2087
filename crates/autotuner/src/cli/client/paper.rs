//! What answers look like on a terminal: tables, moments, spans, and text that cannot harm.

use std::io::{IsTerminal as _, stdout};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

/// Width of tables where no terminal says how wide it is.
const WIDTH: u16 = 160;

/// A table with these headings, no wider than the terminal.
pub(in crate::cli) fn table(header: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !stdout().is_terminal() {
        table.set_width(WIDTH);
    }
    table.set_header(header);
    table.add_rows(rows);
    table.to_string()
}

/// A cell with a text of somebody else's.
pub(in crate::cli) fn cell(text: &str) -> Cell {
    Cell::new(harmless(text))
}

/// A cell with a figure.
pub(in crate::cli) fn figure(text: impl Into<String>) -> Cell {
    Cell::new(text.into()).set_alignment(CellAlignment::Right)
}

/// The text of a key; empty where there is none.
pub(in crate::cli) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

/// The whole number of a key; 0 where there is none.
pub(in crate::cli) fn whole(object: &Value, key: &str) -> i64 {
    object[key].as_i64().unwrap_or_default()
}

/// A moment as people read it, `2026-01-02 03:04:05Z`; empty where there is none.
pub(in crate::cli) fn moment(object: &Value, key: &str) -> String {
    let stamp = text(object, key);
    match (stamp.get(..19), stamp.ends_with('Z')) {
        (Some(seconds), true) => format!("{}Z", harmless(&seconds.replace('T', " "))),
        _ => harmless(stamp),
    }
}

/// A span of time as people read it: `850 ms`, `12.3 s`, `4m 05s`, `2h 04m`, `3d 02h`.
pub(in crate::cli) fn span(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 60.0 {
        return crate::report::words::duration(seconds.max(0.0));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite and positive"
    )]
    let whole = seconds as u64;
    match (whole / 86_400, whole / 3_600, whole / 60) {
        (0, 0, minutes) => format!("{minutes}m {:02}s", whole % 60),
        (0, hours, minutes) => format!("{hours}h {:02}m", minutes % 60),
        (days, hours, _) => format!("{days}d {:02}h", hours % 24),
    }
}

/// Text that does nothing to a terminal but appear on it: what engines print and what people
/// call things goes to whoever looks, escape sequences and all.
pub(in crate::cli) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '\u{1b}' => match rest.next() {
                // A sequence of parameters up to a letter: colours, moves of the cursor.
                Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                // A string up to its end: titles, links, the clipboard.
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(c) = rest.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' => shown.push(' '),
            '\n' => shown.push('\n'),
            letter if letter.is_control() || is_reordering(letter) => {}
            letter => shown.push(letter),
        }
    }
    shown
}

/// Marks that make text appear in another order than it is in.
fn is_reordering(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_only_appears() {
        let check = |text: &str, expected: &str| assert_eq!(harmless(text), expected, "{text:?}");
        check("plain größe", "plain größe");
        check("\u{1b}[31mred\u{1b}[0m", "red");
        check("\u{1b}]0;title\u{7}x\u{1b}]8;;http://e\u{1b}\\link", "xlink");
        check("a\rb\u{8}c\u{9b}d", "abcd");
        check("a\u{1b}", "a");
        check("gnp\u{202e}.exe", "gnp.exe");
    }

    #[test]
    fn spans_read_as_people_say_them() {
        let check = |seconds: f64, expected: &str| assert_eq!(span(seconds), expected);
        check(0.25, "250 ms");
        check(12.34, "12.3 s");
        check(245.9, "4m 05s");
        check(7_440.0, "2h 04m");
        check(266_400.0, "3d 02h");
    }

    #[test]
    fn moments_are_short() {
        let object = serde_json::json!({"at": "2026-01-02T03:04:05.678Z", "none": null});
        assert_eq!(moment(&object, "at"), "2026-01-02 03:04:05Z");
        assert_eq!(moment(&object, "none"), "");
    }
}
