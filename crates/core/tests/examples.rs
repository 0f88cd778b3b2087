//! Every file below `examples/` is a task document that loads, resolves and means what its
//! snapshot says.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use autotuner_core::spec::{Format, Parsed, TaskSpec};
use autotuner_core::task::Task;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Names of the task documents, sorted.
fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory())
        .expect("the examples")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| [".json", ".yaml", ".yml"].iter().any(|end| name.ends_with(end)))
        .collect();
    names.sort();
    names
}

fn load(name: &str) -> Parsed {
    let text = std::fs::read_to_string(directory().join(name)).expect("readable");
    TaskSpec::parse(&text, Format::from_file_name(name)).unwrap_or_else(|problems| {
        panic!("{name} has problems: {problems:#?}");
    })
}

/// What a task says, one line a part.
fn summary(task: &Task, warnings: &[String]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let engine = task.engine.as_str();
    let deployment = task.deployment.as_str();
    writeln!(text, "{} on {engine}, {deployment}", task.name)?;
    writeln!(text, "model: {:?}", task.model)?;
    writeln!(text, "settings: {:?}", task.settings)?;
    writeln!(text, "resources: {:?}", task.resources)?;
    for parameter in task.space.parameters() {
        writeln!(text, "parameter {}: {:?}", parameter.name, parameter.domain)?;
    }
    for constraint in task.space.constraints() {
        writeln!(text, "constraint: {}", constraint.source())?;
    }
    writeln!(text, "space: {:?}", task.space.size())?;
    writeln!(text, "search: {:?}", task.search)?;
    writeln!(text, "workload: {:?}", task.workload)?;
    writeln!(
        text,
        "weights: {:?}, tokenizer: {:?}",
        task.level_weights, task.tokenizer
    )?;
    for bound in &task.slos.bounds {
        writeln!(text, "bound: {bound:?}")?;
    }
    writeln!(text, "slo mode: {:?}", task.slos.mode)?;
    if let Some(service) = &task.cluster.service {
        writeln!(text, "service: {service:?}")?;
    }
    for warning in warnings {
        writeln!(text, "warning: {warning}")?;
    }
    Ok(text)
}

#[test]
fn every_example_resolves_as_its_snapshot_says() {
    let names = names();
    assert_eq!(names.len(), 24, "every example has its snapshot: {names:?}");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in names {
            let parsed = load(&name);
            let task = parsed.spec.resolve().expect("parsed documents resolve");
            let warnings: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
            let summary = summary(&task, &warnings).expect("text takes everything");
            insta::assert_snapshot!(name, summary);
        }
    });
}

#[test]
fn every_example_survives_being_written_and_read_again() {
    for name in names() {
        let spec = load(&name).spec;
        let from_yaml = TaskSpec::from_yaml(&spec.to_yaml()).expect("YAML reads back");
        let from_json = TaskSpec::from_json(&spec.to_json()).expect("JSON reads back");
        assert_eq!(from_yaml.spec, spec, "{name}");
        assert_eq!(from_json.spec, spec, "{name}");
        let stored: TaskSpec = serde_json::from_value(spec.to_value()).expect("deserialises");
        assert_eq!(stored, spec, "{name}");
    }
}

#[test]
fn task_names_of_examples_are_their_own() {
    let mut seen = std::collections::HashMap::new();
    for name in names() {
        let task_name = load(&name).spec.task_name;
        assert_eq!(seen.insert(task_name, name.clone()), None, "{name}");
    }
}

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/task-file.md");
    std::fs::read_to_string(path).expect("the reference of the task file")
}

/// Names of all properties of the schema, those inside parameters apart.
fn keys(schema: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            for (key, inner) in map {
                if let ("properties", Some(properties)) = (key.as_str(), inner.as_object()) {
                    found.extend(properties.keys().cloned());
                }
                keys(inner, found);
            }
        }
        serde_json::Value::Array(entries) => entries.iter().for_each(|entry| keys(entry, found)),
        _ => {}
    }
}

#[test]
fn the_reference_names_every_key_of_the_schema() {
    let reference = reference();
    let mut all = std::collections::BTreeSet::new();
    keys(&autotuner_core::spec::schema(), &mut all);
    assert!(all.contains("task_name") && all.contains("p95"), "{all:?}");
    let missing: Vec<&String> = all
        .iter()
        .filter(|key| {
            let key = key.as_str();
            ![format!("`{key}`"), format!("{key}:")]
                .iter()
                .any(|form| reference.contains(form))
        })
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn documents_quoted_in_the_reference_are_sound() {
    let reference = reference();
    let documents: Vec<&str> = reference
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.starts_with("task_name"))
        .collect();
    assert_eq!(documents.len(), 1);
    for document in documents {
        let parsed = TaskSpec::from_yaml(document);
        assert!(
            parsed.is_ok_and(|parsed| parsed.warnings.is_empty()),
            "{document}"
        );
    }
}
