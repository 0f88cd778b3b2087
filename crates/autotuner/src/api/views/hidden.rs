//! What is secret in a task document goes in and does not come out.
//!
//! The one idea: names are all there is to go by. A variable in `engine.env` whose name reads like
//! a secret is shown as `***`, and so is who logs in, in any URL. Who sends such a mark back means
//! what is already kept; where nothing is kept, it is a problem.

use autotuner_core::problem::Problem;
use serde_json::Value;

use crate::worker::secret::{HIDDEN, is_secret, shown, without_logins};

/// The document as it may be shown.
pub(crate) fn masked(document: &Value) -> Value {
    let mut masked = document.clone();
    walk(&mut masked, "", &mut |place, text| *text = shown_at(place, text));
    masked
}

/// Puts what is kept in the place of every mark that stands for it.
///
/// # Errors
/// Every mark that stands for nothing.
pub(crate) fn restore(document: &mut Value, kept: Option<&Value>) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    walk(document, "", &mut |place, text| {
        if !is_mark(place, text) {
            return;
        }
        let known = kept.and_then(|kept| kept.pointer(place)?.as_str());
        match known.filter(|known| shown_at(place, known) == *text) {
            Some(known) => known.clone_into(text),
            None => {
                let message = format!("{HIDDEN} stands for a value that is not shown, and none is kept here");
                let problem = Problem::new(dotted(place), message);
                problems.push(problem.with_hint("give the value itself, or leave it out"));
            }
        }
    });
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// The name of the variable of the engine that stands at this place.
fn variable(place: &str) -> Option<&str> {
    place.strip_prefix("/engine/env/")
}

fn shown_at(place: &str, text: &str) -> String {
    match variable(place) {
        Some(name) => shown(name, text),
        None => without_logins(text),
    }
}

fn is_mark(place: &str, text: &str) -> bool {
    let is_hidden = variable(place).is_some_and(is_secret) && text == HIDDEN;
    is_hidden || text.contains(&format!("://{HIDDEN}@"))
}

/// Every text of the tree with its place, as a JSON pointer.
fn walk(value: &mut Value, place: &str, act: &mut dyn FnMut(&str, &mut String)) {
    match value {
        Value::String(text) => act(place, text),
        Value::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                walk(value, &format!("{place}/{index}"), act);
            }
        }
        Value::Object(keys) => {
            for (key, value) in keys.iter_mut() {
                let key = key.replace('~', "~0").replace('/', "~1");
                walk(value, &format!("{place}/{key}"), act);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The place as problems name it.
fn dotted(place: &str) -> String {
    let mut path = String::new();
    for part in place.split('/').skip(1) {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{part}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_and_kept() {
        let kept = json!({
            "engine": {"env": {"HF_TOKEN": "hf_1", "THREADS": "4", "PROXY": "http://me:pw@host"}},
            "benchmark": {"dataset_url": "https://a:b@host/x"},
        });
        let shown = masked(&kept);
        assert_eq!(
            shown,
            json!({
                "engine": {"env": {"HF_TOKEN": "***", "THREADS": "4", "PROXY": "http://***@host"}},
                "benchmark": {"dataset_url": "https://***@host/x"},
            })
        );
        let mut back = shown.clone();
        restore(&mut back, Some(&kept)).expect("all is kept");
        assert_eq!(back, kept);
        let problems = restore(&mut shown.clone(), None).expect_err("nothing is kept");
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            ["engine.env.HF_TOKEN", "engine.env.PROXY", "benchmark.dataset_url"]
        );
    }

    #[test]
    fn another_host_is_no_way_to_a_kept_login() {
        let kept = json!({"benchmark": {"dataset_url": "https://a:b@host/x"}});
        let mut moved = json!({"benchmark": {"dataset_url": "https://***@evil/x"}});
        restore(&mut moved, Some(&kept)).expect_err("it stands for nothing kept");
        let mut stars = json!({"description": "***", "engine": {"env": {"STARS": "***"}}});
        restore(&mut stars, None).expect("plain text");
    }
}
