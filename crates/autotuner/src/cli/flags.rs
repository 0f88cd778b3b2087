//! One engine's flags, as `autotuner engines ENGINE` shows them.
//!
//! The one idea: a table to read and a list of objects to compute with, both of the same
//! catalogue. On a terminal the table is as wide as that, and on a narrow one it is a list:
//! names that are broken cannot be copied. Elsewhere a line is as long as it is.

use autotuner_core::engine::EngineKind;
use autotuner_core::engine::catalogue::{Bounds, End, FlagInfo, Group};
use autotuner_core::space::Value;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::{Value as Json, json};

use super::print;
use crate::report::table::folded;

/// What marks a flag that often pays to tune.
const MARK: &str = "*";

/// A terminal of fewer columns has no room for the table.
const NARROW: u16 = 140;

/// How far what is said of a flag is moved in.
const INDENT: &str = "    ";

/// Tells the flags of an engine, or those alone that often pay to tune.
pub(super) fn tell(kind: EngineKind, is_common_only: bool, is_json: bool) {
    let engine = kind.engine();
    let flags: Vec<&FlagInfo> = engine
        .catalogue()
        .iter()
        .filter(|flag| flag.is_commonly_tuned || !is_common_only)
        .collect();
    if is_json {
        let values = flags.iter().map(|flag| value(flag)).collect();
        print(&format!("{:#}", Json::Array(values)));
        return;
    }
    if flags.is_empty() {
        print("no flags are listed for this engine; any parameter is passed on as the task spells it");
        return;
    }
    let table = table(&flags);
    match table.width() {
        Some(width) if width < NARROW => print(&list(&flags, width.into())),
        _ => print(&table.trim_fmt()),
    }
    print("");
    if !is_common_only {
        print(&format!(
            "{MARK} often pays to tune; `autotuner engines {} --common` shows these alone",
            kind.as_str()
        ));
    }
    print(&format!("set by the product: {}", engine.reserved().join(", ")));
}

fn table(flags: &[&FlagInfo]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["flag", "", "type", "default", "what it does", "try", "values"]);
    for group in Group::ALL {
        let mut of_group = flags.iter().filter(|flag| flag.group == group).peekable();
        if of_group.peek().is_none() {
            continue;
        }
        table.add_row([
            group.as_str().to_uppercase().as_str(),
            "",
            "",
            "",
            group.affects(),
            "",
            "",
        ]);
        for flag in of_group {
            table.add_row([
                flag.name.to_owned(),
                if flag.is_commonly_tuned { MARK } else { "" }.to_owned(),
                flag.kind.as_str().to_owned(),
                flag.default.to_owned(),
                flag.help.to_owned(),
                listed(&flag.suggested.values()),
                flag.limits(),
            ]);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

/// A flag's name, kind and default, and under it the rest, in lines of at most `width`.
fn list(flags: &[&FlagInfo], width: usize) -> String {
    let width = width.saturating_sub(INDENT.len()).max(30);
    let mut lines = Vec::new();
    for group in Group::ALL {
        let mut of_group = flags.iter().filter(|flag| flag.group == group).peekable();
        if of_group.peek().is_some() {
            lines.push(format!("{}: {}", group.as_str().to_uppercase(), group.affects()));
        }
        for flag in of_group {
            let mark = if flag.is_commonly_tuned { " *" } else { "" };
            let default = told(", default ", flag.default);
            lines.push(format!("{}{mark}  {}{default}", flag.name, flag.kind.as_str()));
            let suggested = told("; try ", &listed(&flag.suggested.values()));
            let limits = told("; ", &flag.limits());
            let text = format!("{}{suggested}{limits}", flag.help);
            let folded = folded(&text, &[' '], width);
            lines.extend(folded.iter().map(|line| format!("{INDENT}{}", line.trim_end())));
        }
    }
    lines.join("\n")
}

/// A text with what leads to it; nothing where there is none.
fn told(lead: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{lead}{text}")
    }
}

fn listed(values: &[Value]) -> String {
    let words: Vec<String> = values.iter().map(ToString::to_string).collect();
    words.join(", ")
}

fn value(flag: &FlagInfo) -> Json {
    let ends = |bounds: &Bounds| {
        let end = |end: Option<End>| match end {
            Some(end) => json!({"value": end.value, "included": end.is_included}),
            None => Json::Null,
        };
        json!({"low": end(bounds.low), "high": end(bounds.high)})
    };
    let suggested = flag.suggested.values();
    json!({
        "name": flag.name,
        "kind": flag.kind.as_str(),
        "default": flag.default,
        "help": flag.help,
        "group": flag.group.as_str(),
        "common": flag.is_commonly_tuned,
        "choices": flag.choices(),
        "range": ends(&flag.range),
        "usual": ends(&flag.usual),
        "try": suggested.iter().map(Value::to_json).collect::<Vec<Json>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_narrow_terminal_names_stay_whole_and_lines_fit() {
        let flags: Vec<&FlagInfo> = EngineKind::Vllm.engine().catalogue().iter().collect();
        let text = list(&flags, 80);
        for flag in &flags {
            let begins = format!("{} ", flag.name);
            assert!(text.lines().any(|line| line.starts_with(&begins)), "{begins}");
        }
        let longest = text.lines().max_by_key(|line| line.chars().count());
        assert!(
            longest.is_some_and(|line| line.chars().count() <= 80),
            "{longest:?}"
        );
        assert!(text.contains("    most requests computed at once; try 64, 128, 256; at least 1"));
        assert!(text.contains("swap-space *  number, default 4\n"), "{text}");
    }
}
