//! Looking for what people type: as it stands, with no character that means something else.

use super::engine::QueryBuilder;

/// Adds: this column contains this text. Both cases of ASCII letters are alike; of other letters
/// it is found as it was typed, all small or all large.
pub(super) fn contains(query: &mut QueryBuilder, column: &str, text: &str) {
    let mut spellings = vec![text.to_owned(), text.to_lowercase(), text.to_uppercase()];
    if text.is_ascii() {
        spellings.truncate(1);
    }
    spellings.dedup();
    any(query, spellings, |query, spelling| {
        like(query, column, &format!("%{}%", escaped(&spelling)));
    });
}

/// Adds: a configuration, stored as `[["name",{"int":8}],…]`, contains each of these words, in a
/// name, in a value, or as `name=value`.
pub(super) fn in_candidate(query: &mut QueryBuilder, column: &str, text: &str) {
    query.push("(TRUE");
    for word in text.split_whitespace() {
        query.push(" AND ");
        match word.split_once('=') {
            Some((name, value)) => assignment(query, column, &in_json(name), &in_json(value)),
            None => plain_word(query, column, &in_json(word)),
        }
    }
    query.push(")");
}

/// How values of each kind stand behind the end of a name.
const KINDS: [&str; 4] = ["{\"int\":", "{\"float\":", "{\"bool\":", "{\"text\":\""];

fn assignment(query: &mut QueryBuilder, column: &str, name: &str, value: &str) {
    let mut patterns: Vec<String> = KINDS.map(|kind| format!("{name}\",{kind}{value}")).to_vec();
    if "null".starts_with(&value.to_ascii_lowercase()) {
        patterns.push(format!("{name}\",\"unset\""));
    }
    any(query, patterns, |query, pattern| {
        like(query, column, &format!("%{}%", escaped(&pattern)));
    });
}

fn plain_word(query: &mut QueryBuilder, column: &str, word: &str) {
    // Words that stand between names and values are looked for where those are taken out, which
    // takes longer.
    let small = word.to_ascii_lowercase();
    let mut ours = KINDS.iter().chain(&["\"unset\"", "null"]);
    if ours.any(|other| other.contains(&small)) {
        let mut bare = format!("replace({column}, ',\"unset\"]', ',null]')");
        for kind in KINDS {
            bare = format!("replace({bare}, '{kind}', '')");
        }
        like(query, &bare, &format!("%{}%", escaped(word)));
    } else {
        like(query, column, &format!("%{}%", escaped(word)));
    }
}

/// Adds: one of these holds.
fn any<T>(query: &mut QueryBuilder, all: Vec<T>, mut add: impl FnMut(&mut QueryBuilder, T)) {
    query.push("(");
    for (index, one) in all.into_iter().enumerate() {
        if index > 0 {
            query.push(" OR ");
        }
        add(query, one);
    }
    query.push(")");
}

fn like(query: &mut QueryBuilder, expression: &str, pattern: &str) {
    let like = query.engine().like_in_either_case();
    query.push(format_args!("{expression} {like} "));
    query.push_bind(pattern.to_owned());
    query.push(" ESCAPE '\\'");
}

/// A text as it stands inside JSON's quotes.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

/// A text that stands for itself in a pattern.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
