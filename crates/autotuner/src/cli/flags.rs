//! One engine's flags, as `autotuner engines ENGINE` shows them.
//!
//! The one idea: a table to read and a list of objects to compute with, both of the same
//! catalogue. On a terminal the table is as wide as that; elsewhere a line is as long as it is.

use autotuner_core::engine::EngineKind;
use autotuner_core::engine::catalogue::{Bounds, End, FlagInfo, Group};
use autotuner_core::space::Value;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value as Json, json};

use super::print;

/// What marks a flag that often pays to tune.
const MARK: &str = "*";

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
    print(&table(&flags));
    print("");
    if !is_common_only {
        print(&format!(
            "{MARK} often pays to tune; `autotuner engines {} --common` shows these alone",
            kind.as_str()
        ));
    }
    print(&format!("set by the product: {}", engine.reserved().join(", ")));
}

fn table(flags: &[&FlagInfo]) -> String {
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
    table.trim_fmt()
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
