//! What presets promise.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::space::Value;

fn a_preset(name: &str, parameters: &Json) -> Preset {
    Preset {
        name: name.to_owned(),
        description: None,
        category: None,
        engine: Some(EngineKind::Vllm),
        parameters: ValueLists::from_json(parameters, "parameters").expect("lists"),
        is_system: false,
        metadata: None,
    }
}

fn texts(problems: &[crate::problem::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_seeded_presets_are_sound_and_of_their_size() {
    let sizes: Vec<(String, usize, Option<u128>)> = seeded()
        .iter()
        .map(|preset| {
            let found = preset.check();
            assert_eq!(found, Findings::default(), "{}", preset.name);
            assert!(preset.is_system);
            (
                preset.name.clone(),
                preset.parameters.0.len(),
                preset.combinations(),
            )
        })
        .collect();
    assert_eq!(
        sizes,
        [
            ("vLLM Performance Tuning".to_owned(), 18, Some(648)),
            ("SGLang Performance Tuning".to_owned(), 28, Some(20_736)),
        ]
    );
}

#[test]
fn every_parameter_of_a_seeded_preset_is_in_its_engines_catalogue() {
    for preset in seeded() {
        let engine = preset.engine.expect("an engine");
        for (name, _) in preset.parameters.iter() {
            let mut flags = engine.engine().catalogue().iter();
            assert!(flags.any(|flag| flag.name == name), "{name}");
        }
    }
}

#[test]
fn everything_wrong_is_told_with_its_place() {
    let check = |name: &str, parameters: Json, problems: &[&str], warnings: &[&str]| {
        let found = a_preset(name, &parameters).check();
        assert_eq!(texts(&found.problems), problems, "{parameters}");
        assert_eq!(texts(&found.warnings), warnings, "{parameters}");
    };
    check("p", json!({"max-num-seqs": [64, null]}), &[], &[]);
    check("p", json!({"env.OMP_NUM_THREADS": [1, 2]}), &[], &[]);
    check(
        " ",
        json!({}),
        &[
            "name: is empty; give the preset a name of its own",
            "parameters: cannot be empty; name at least one parameter",
        ],
        &[],
    );
    check(
        "p",
        json!({"max-num-seqs": [], "tp": [1, 0], "tensor_parallel_size": [2], "a b": [1], "env.A-B": [1], "port": [1]}),
        &[
            "parameters.max-num-seqs: cannot be empty; list the values to try, or [null] to let the engine decide",
            "parameters.tp[1]: tensor-parallel-size cannot be 0; it takes a whole number, at least 1",
            "parameters.tensor_parallel_size: sets the same as parameters.tp; keep one of them",
            "parameters.a b: \"a b\" is neither a flag nor an environment variable; write the flag's name, for example max-num-seqs, or env.NAME",
            "parameters.env.A-B: \"env.A-B\" is neither a flag nor an environment variable; write the flag's name, for example max-num-seqs, or env.NAME",
            "parameters.port: --port is set by the product and cannot be set here; the product chooses the address; leave the flag out",
        ],
        &[],
    );
    check(
        "p",
        json!({"max-num-seqs": [64, 64.0], "enforce-eager": [true], "kv-cache-dtype": ["fp9"]}),
        &[],
        &[
            "parameters.max-num-seqs[1]: 64 is listed before; it is tried once",
            "parameters.kv-cache-dtype[0]: \"fp9\" is no value of kv-cache-dtype that we know; did you mean \"fp8\"? known are auto, bfloat16, fp8, fp8_e5m2, fp8_e4m3, fp8_inc, fp8_ds_mla; versions differ",
        ],
    );
    let mut any = a_preset(
        &"n".repeat(256),
        &json!({"max-num-seqs": ["many"], "x": ["a\nb"]}),
    );
    any.engine = None;
    any.category = Some("c".repeat(101));
    assert_eq!(
        texts(&any.check().problems),
        [
            "name: has 256 characters; at most 255",
            "category: has 101 characters; at most 100",
            "parameters.x[0]: holds a line break or another control character",
        ]
    );
}

#[test]
fn a_preset_has_an_end() {
    let check = |parameters: Json, expected: &[&str]| {
        let found = a_preset("p", &parameters).check();
        assert_eq!(texts(&found.problems), expected);
    };
    let values: Vec<u32> = (1..=1_000_001).collect();
    check(json!({ "max-num-seqs": &values[..1_000] }), &[]);
    check(
        json!({ "max-num-seqs": values }),
        &["parameters.max-num-seqs: lists 1000001 values; at most 1000"],
    );
    let many: serde_json::Map<String, Json> = (0..1_001)
        .map(|number| (format!("x-{number}"), json!([1])))
        .collect();
    check(many.into(), &["parameters: names 1001 parameters; at most 1000"]);
}

#[test]
fn a_preset_comes_back_from_its_file_as_it_went() {
    for mut preset in seeded() {
        preset.metadata = json!({"author": "me", "tags": ["a"]}).as_object().cloned();
        let file = export(&preset);
        assert_eq!(file["version"], "1.0");
        preset.is_system = false;
        let text = file.to_string();
        assert_eq!(import(&serde_json::from_str(&text).expect("JSON")), Ok(preset));
    }
    // A file of the original system names no engine.
    let old = json!({"version": "1.0", "preset": {"name": "old", "category": null, "parameters": {"tp-size": [1]}}});
    let imported = import(&old).expect("a preset");
    assert_eq!((imported.engine, imported.category), (None, None));
}

#[test]
fn a_file_of_another_shape_is_refused_with_every_reason() {
    let check = |file: Json, expected: &[&str]| {
        assert_eq!(texts(&import(&file).unwrap_err()), expected, "{file}");
    };
    check(
        json!({}),
        &[
            "version: is missing; write \"1.0\"",
            "preset: is missing; write { \"name\": …, \"parameters\": { … } }",
        ],
    );
    check(
        json!({"version": "1.0", "preset": [1]}),
        &["preset: is no object; write { \"name\": …, \"parameters\": { … } }"],
    );
    check(
        json!({"version": 2, "preset": {
            "description": 1, "runtime": "vlm", "metadata": [],
            "parameters": {"a": 1, "b": [[1]], "c": [1]}
        }}),
        &[
            "version: is 2; only \"1.0\" is known",
            "preset.name: is missing",
            "preset.parameters.a: must be a list of values; write [1] for one value",
            "preset.parameters.b[0]: a list cannot be a value",
            "preset.description: is 1, and no text",
            "preset.runtime: unknown engine \"vlm\"; known are vllm, sglang, tensorrt-llm, llamacpp, sim, custom; leave it out for any engine",
            "preset.metadata: is no object",
        ],
    );
    check(
        json!({"version": "1.0", "preset": {"name": 1, "parameters": 1}}),
        &[
            "preset.name: is 1, and no text",
            "preset.parameters: is no object of lists; write { \"max-num-seqs\": [64, 128] }",
        ],
    );
}

#[test]
fn merging_keeps_order_and_tells_what_is_lost() {
    let first = a_preset(
        "first",
        &json!({"tp": [2, 1], "max-num-seqs": [64, 128], "only": [1]}),
    );
    let second = a_preset(
        "second",
        &json!({"max_num_seqs": [256, 64.0], "tensor-parallel-size": [4]}),
    );
    let check = |presets: &[&Preset], mode: MergeMode, parameters: Json, conflicts: &[(&str, Reason)]| {
        let merged = merge(presets, mode).expect("one engine");
        // As text, because the order counts.
        assert_eq!(
            merged.parameters.to_json().to_string(),
            parameters.to_string(),
            "{mode:?}"
        );
        let found: Vec<(&str, Reason)> = merged
            .conflicts
            .iter()
            .map(|conflict| (conflict.parameter.as_str(), conflict.reason.clone()))
            .collect();
        assert_eq!(found, conflicts, "{mode:?}");
        let names: Vec<&str> = presets.iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!(merged.applied, names);
    };
    let overridden = |by: &str, previous: &[i64], new: &[Value]| Reason::Overridden {
        by: by.to_owned(),
        previous: previous.iter().copied().map(Value::Int).collect(),
        new: new.to_vec(),
    };
    check(
        &[&first, &second],
        MergeMode::Union,
        json!({"tp": [2, 1, 4], "max-num-seqs": [64, 128, 256], "only": [1]}),
        &[],
    );
    check(
        &[&first, &second],
        MergeMode::Intersection,
        json!({"max-num-seqs": [64]}),
        &[("tp", Reason::NoCommonValue)],
    );
    check(
        &[&first, &second],
        MergeMode::LastWins,
        json!({"tp": [4], "max-num-seqs": [256, 64.0], "only": [1]}),
        &[
            (
                "max-num-seqs",
                overridden("second", &[64, 128], &[256_i64.into(), 64.0.into()]),
            ),
            ("tp", overridden("second", &[2, 1], &[4_i64.into()])),
        ],
    );
    // In the order of the request, whatever the presets' own.
    check(
        &[&second, &first],
        MergeMode::Union,
        json!({"max_num_seqs": [256, 64.0, 128], "tensor-parallel-size": [4, 2, 1], "only": [1]}),
        &[],
    );
    check(
        &[&first, &first],
        MergeMode::LastWins,
        first.parameters.to_json(),
        &[],
    );
}

#[test]
fn a_switch_and_its_negation_are_one_parameter() {
    let both = a_preset(
        "both",
        &json!({ "enable-prefix-caching": [true], "no-enable-prefix-caching": [true] }),
    );
    assert_eq!(
        texts(&both.check().problems),
        [
            "parameters.no-enable-prefix-caching: sets the same as parameters.enable-prefix-caching; keep one of them"
        ]
    );
    let on = a_preset("on", &json!({ "enable-prefix-caching": [true, null] }));
    let not_off = a_preset("not off", &json!({ "no_enable_prefix_caching": ["False", null] }));
    let off = a_preset("off", &json!({ "no-enable-prefix-caching": [true] }));
    let check = |presets: &[&Preset], mode: MergeMode, expected: Json| {
        let merged = merge(presets, mode).expect("one engine");
        assert_eq!(merged.parameters.to_json(), expected);
        let becomes = a_preset("merged", &expected);
        assert!(expected == json!({}) || becomes.check().problems.is_empty());
        merged.conflicts.len()
    };
    let union = json!({ "enable-prefix-caching": [true, null, false] });
    check(&[&on, &off], MergeMode::Union, union);
    check(
        &[&off, &on],
        MergeMode::Union,
        json!({ "no-enable-prefix-caching": [true, false, null] }),
    );
    let same = json!({ "enable-prefix-caching": [true, null] });
    assert_eq!(check(&[&on, &not_off], MergeMode::Intersection, same.clone()), 0);
    assert_eq!(check(&[&on, &not_off], MergeMode::LastWins, same), 0);
    assert_eq!(check(&[&on, &off], MergeMode::Intersection, json!({})), 1);
    let last = json!({ "enable-prefix-caching": [false] });
    assert_eq!(check(&[&on, &off], MergeMode::LastWins, last), 1);
}

#[test]
fn presets_of_different_engines_are_not_merged() {
    let seeded = seeded();
    let all: Vec<&Preset> = seeded.iter().collect();
    assert_eq!(
        texts(&merge(&all, MergeMode::Union).unwrap_err()),
        [
            "presets: \"SGLang Performance Tuning\" is for sglang, and \"vLLM Performance Tuning\" for vllm; merge presets of one engine"
        ]
    );
    assert_eq!(
        texts(&merge(&[], MergeMode::Union).unwrap_err()),
        ["presets: there is nothing to merge; name at least one preset"]
    );
    let mut any = a_preset("any", &json!({"env.A": [1]}));
    any.engine = None;
    let merged = merge(&[&any, all[0]], MergeMode::Union).expect("any engine goes with one");
    assert_eq!(merged.engine, Some(EngineKind::Vllm));
    assert_eq!(merge(&[&any], MergeMode::Union).expect("one").engine, None);
}

#[test]
fn modes_have_words() {
    for mode in MergeMode::ALL {
        assert_eq!(MergeMode::from_word(mode.as_str()), Some(mode));
    }
    assert_eq!(MergeMode::from_word("last-wins"), Some(MergeMode::LastWins));
    assert_eq!(MergeMode::from_word("unoin"), None);
}

#[test]
fn parameters_read_as_a_part_of_a_task_file() {
    let lists = json!({"max-num-seqs": [64, null], "x.y": [0.5, "a b", true], "no": ["no"], "q": []});
    let lists = ValueLists::from_json(&lists, "parameters").expect("lists");
    assert_eq!(
        lists.to_yaml(),
        "parameters:\n  max-num-seqs: [64, null]\n  x.y: [0.5, \"a b\", true]\n  no: [\"no\"]\n  \"q\": []\n"
    );
    let back: Json = serde_saphyr::from_str(&lists.to_yaml()).expect("YAML");
    assert_eq!(back, json!({"parameters": lists.to_json()}));
    assert_eq!(ValueLists::default().to_yaml(), "parameters: {}\n");
    assert_eq!(lists.get("no"), Some(&["no".into()][..]));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Unset),
        any::<bool>().prop_map(Value::Bool),
        (0_i64..6).prop_map(Value::Int),
        (0_u8..6).prop_map(|half| Value::Float(f64::from(half) / 2.0)),
        "[a-c]{1,2}".prop_map(Value::Text),
    ]
}

fn has(values: &[Value], value: &Value) -> bool {
    values.iter().any(|other| values::is_same(other, value))
}

/// A preset without repetitions, in names or in values.
fn any_preset() -> impl Strategy<Value = Preset> {
    let lists = proptest::collection::vec(("[a-e]", proptest::collection::vec(any_value(), 1..5)), 0..5);
    ("[A-Z]{1,3}", lists).prop_map(|(name, lists)| {
        let mut kept: Vec<(String, Vec<Value>)> = Vec::new();
        for (name, values) in lists {
            let mut distinct: Vec<Value> = Vec::new();
            for value in values {
                if !has(&distinct, &value) {
                    distinct.push(value);
                }
            }
            if kept.iter().all(|(known, _)| *known != name) {
                kept.push((name, distinct));
            }
        }
        let mut preset = a_preset(&name, &json!({}));
        preset.engine = None;
        preset.parameters = ValueLists(kept);
        preset
    })
}

proptest! {
    #[test]
    fn merging_one_changes_nothing(preset in any_preset(), mode in proptest::sample::select(MergeMode::ALL.to_vec())) {
        let merged = merge(&[&preset], mode).expect("one");
        prop_assert_eq!(merged.parameters, preset.parameters);
        prop_assert!(merged.conflicts.is_empty());
    }

    #[test]
    fn a_union_holds_all_and_nothing_else_in_order(presets in proptest::collection::vec(any_preset(), 1..4)) {
        let all: Vec<&Preset> = presets.iter().collect();
        let merged = merge(&all, MergeMode::Union).expect("no engine").parameters;
        for (name, values) in merged.iter() {
            let mut expected: Vec<Value> = Vec::new();
            for value in all.iter().filter_map(|preset| preset.parameters.get(name)).flatten() {
                if !has(&expected, value) {
                    expected.push(value.clone());
                }
            }
            prop_assert_eq!(values, expected);
        }
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in all.iter().flat_map(|preset| preset.parameters.iter()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        prop_assert_eq!(merged.iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
    }

    #[test]
    fn an_intersection_lies_in_each_and_what_lacks_is_told(presets in proptest::collection::vec(any_preset(), 1..4)) {
        let all: Vec<&Preset> = presets.iter().collect();
        let merged = merge(&all, MergeMode::Intersection).expect("no engine");
        for (name, values) in merged.parameters.iter() {
            prop_assert!(!values.is_empty());
            for preset in &all {
                let theirs = preset.parameters.get(name).expect("in each");
                prop_assert!(values.iter().all(|value| has(theirs, value)));
            }
        }
        for (name, values) in all[0].parameters.iter() {
            let is_in_all = all.iter().all(|preset| preset.parameters.get(name).is_some());
            let is_common = |value: &Value| all.iter().all(|preset| preset.parameters.get(name).is_some_and(|theirs| has(theirs, value)));
            let common: Vec<Value> = values.iter().filter(|value| is_common(value)).cloned().collect();
            let is_told = merged.conflicts.iter().any(|conflict| conflict.parameter == name);
            prop_assert_eq!(is_told, is_in_all && common.is_empty());
            prop_assert_eq!(merged.parameters.get(name).unwrap_or_default(), common);
        }
    }

    #[test]
    fn the_last_wins_and_what_it_replaces_is_told(presets in proptest::collection::vec(any_preset(), 1..4)) {
        let all: Vec<&Preset> = presets.iter().collect();
        let merged = merge(&all, MergeMode::LastWins).expect("no engine");
        for (name, values) in merged.parameters.iter() {
            let mut having = all.iter().rev().filter(|preset| preset.parameters.get(name).is_some());
            let last = having.next().expect("from some preset");
            prop_assert_eq!(Some(values), last.parameters.get(name));
            let told = merged.conflicts.iter().rfind(|conflict| conflict.parameter == name);
            if let Some(Conflict { reason: Reason::Overridden { by, new, .. }, .. }) = told {
                prop_assert!(all.iter().any(|preset| preset.name == *by));
                prop_assert!(new.len() == values.len() && new.iter().all(|value| has(values, value)));
            }
        }
        let union = merge(&all, MergeMode::Union).expect("no engine").parameters;
        let names = |lists: &ValueLists| lists.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(names(&merged.parameters), names(&union));
    }
}
