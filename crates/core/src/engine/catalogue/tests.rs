//! What holds for every catalogue.

use std::collections::BTreeSet;

use super::*;
use crate::engine::EngineKind;
use crate::engine::dialect::with_dashes;

fn every_flag(check: impl Fn(EngineKind, &FlagInfo)) {
    for kind in EngineKind::ALL {
        for flag in kind.engine().catalogue() {
            check(kind, flag);
        }
    }
}

#[test]
fn no_flag_is_listed_twice_or_against_the_product() {
    for kind in EngineKind::ALL {
        let dialect = kind.engine().dialect();
        let mut seen = BTreeSet::new();
        for flag in dialect.catalogue {
            let name = with_dashes(flag.name);
            assert_eq!(dialect.resolve(&name).name, name, "{kind:?} {name} is an alias");
            assert!(!dialect.reserved.contains(&name.as_str()), "{kind:?} {name}");
            assert!(seen.insert(name), "{kind:?} {} twice", flag.name);
        }
    }
}

#[test]
fn every_alias_leads_to_a_flag() {
    for kind in EngineKind::ALL {
        let dialect = kind.engine().dialect();
        for (alias, name) in dialect.aliases {
            let meant = dialect.resolve(alias).name;
            let is_known = dialect.find(&meant).is_some() || dialect.reserved.contains(&meant.as_str());
            assert!(is_known, "{kind:?} {alias} is {name}, which is no flag");
        }
    }
}

#[test]
fn every_flag_is_told_in_a_line() {
    every_flag(|kind, flag| {
        assert!(
            !flag.help.is_empty() && !flag.help.contains('\n'),
            "{kind:?} {flag:?}"
        );
        assert!(!flag.help.ends_with('.'), "{kind:?} {flag:?}");
        let is_switch = flag.kind.is_switch();
        let has_switchs_default = ["on", "off"].contains(&flag.default.split(' ').next().unwrap_or_default());
        assert!(
            !is_switch || flag.default.is_empty() || has_switchs_default,
            "{kind:?} {flag:?}"
        );
    });
}

#[test]
fn defaults_and_suggestions_are_values_that_raise_no_remark() {
    every_flag(|kind, flag| {
        let remark = |value: &Value| value_remark(kind, flag.name, value);
        // A default that begins like a number is one; else it is words about the default.
        if let Ok(number) = flag.default.parse::<f64>() {
            assert_eq!(
                remark(&Value::Text(flag.default.to_owned())),
                None,
                "{kind:?} {flag:?}"
            );
            let is_numeric = !flag.kind.is_switch() && flag.kind != FlagKind::List;
            assert!(is_numeric, "{kind:?} {number} {flag:?}");
        }
        if let FlagKind::Choice(words) = flag.kind {
            let is_one_word =
                !flag.default.is_empty() && !flag.default.contains(' ') && flag.default != "off";
            assert!(
                !is_one_word || words.contains(&flag.default) || flag.default == "none",
                "{kind:?} {flag:?}"
            );
        }
        for value in flag.suggested.values() {
            assert_eq!(remark(&value), None, "{kind:?} {flag:?}");
        }
        assert_eq!(remark(&Value::Unset), None, "{kind:?} {flag:?}");
    });
}

#[test]
fn what_is_commonly_tuned_has_something_to_try() {
    every_flag(|kind, flag| {
        let values = flag.suggested.values();
        assert!(!flag.is_commonly_tuned || !values.is_empty(), "{kind:?} {flag:?}");
        let both = flag.suggested == Suggested::Both;
        assert!(!both || flag.kind.is_switch(), "{kind:?} {flag:?}");
        assert!(
            !flag.kind.is_switch() || both || values.is_empty(),
            "{kind:?} {flag:?}"
        );
    });
    let common = |kind: EngineKind| {
        let flags = kind.engine().catalogue().iter();
        flags.filter(|flag| flag.is_commonly_tuned).count()
    };
    assert!(
        (40..=55).contains(&common(EngineKind::Vllm)),
        "{}",
        common(EngineKind::Vllm)
    );
    assert!(
        (40..=55).contains(&common(EngineKind::Sglang)),
        "{}",
        common(EngineKind::Sglang)
    );
    assert!(common(EngineKind::LlamaCpp) >= 15);
}

/// Whether a flag of the engine's own list is one that we list, or that is refused.
fn check_known(kind: EngineKind, names: &str, unlisted: &[&str]) {
    let dialect = kind.engine().dialect();
    for name in names.lines() {
        let meant = dialect.resolve(name).name;
        let is_known = dialect.find(&meant).is_some() || dialect.reserved.contains(&meant.as_str());
        assert_eq!(is_known, !unlisted.contains(&name), "{kind:?} {name}");
    }
}

#[test]
fn every_flag_of_a_release_is_known() {
    check_known(EngineKind::Vllm, include_str!("tests/vllm_flags.txt"), &[]);
    check_known(EngineKind::Sglang, include_str!("tests/sglang_flags.txt"), &[]);
    // What runs tools or many models is for no experiment; some flags only say that they are gone.
    let unlisted = [
        "ag",
        "agent",
        "no-ag",
        "no-agent",
        "tools",
        "tools-runtime",
        "mcp-servers-config",
        "mcp-servers-json",
        "ui-mcp-proxy",
        "no-ui-mcp-proxy",
        "webui-mcp-proxy",
        "no-webui-mcp-proxy",
        "models-autoload",
        "no-models-autoload",
        "models-max",
        "spec-ngram-size-n",
        "spec-ngram-size-m",
        "spec-ngram-min-hits",
        "control-vector-layer-range",
    ];
    check_known(
        EngineKind::LlamaCpp,
        include_str!("tests/llamacpp_flags.txt"),
        &unlisted,
    );
}

#[test]
fn ranges_read_well_and_keep_their_ends() {
    let check = |bounds: Bounds, text: &str, inside: &[f64], outside: &[f64]| {
        assert_eq!(bounds.to_string(), text);
        assert!(inside.iter().all(|number| bounds.contains(*number)), "{text}");
        assert!(!outside.iter().any(|number| bounds.contains(*number)), "{text}");
    };
    let (zero, one) = (End::included(0.0), End::excluded(1.0));
    let of = |low, high| Bounds { low, high };
    check(of(None, None), "", &[-1e9, 1e9], &[]);
    check(of(Some(zero), None), "at least 0", &[0.0, 9.0], &[-0.1]);
    check(of(None, Some(one)), "below 1", &[-9.0, 0.9], &[1.0]);
    check(
        of(Some(zero), Some(one)),
        "at least 0, below 1",
        &[0.0, 0.9],
        &[-1.0, 1.0],
    );
    check(
        of(Some(zero), Some(End::included(8.5))),
        "0 to 8.5",
        &[0.0, 8.5],
        &[8.6],
    );
    check(of(Some(End::excluded(0.0)), None), "above 0", &[0.1], &[0.0]);
}

#[test]
fn ranges_of_flags_that_take_a_few_values() {
    let check = |kind: EngineKind, name: &str, is_continuous: bool, says: &str| {
        let remark = range_remark(kind, name, is_continuous);
        let told = remark.map(|remark| (remark.is_impossible, remark.message));
        let expected = (!says.is_empty()).then(|| (true, says.to_owned()));
        assert_eq!(told, expected, "{name} {is_continuous}");
    };
    let (vllm, llama) = (EngineKind::Vllm, EngineKind::LlamaCpp);
    let numbers = "block-size is one of some numbers, and a continuous range is not that";
    check(vllm, "block-size", true, numbers);
    check(vllm, "block-size", false, "");
    let words = "kv-cache-dtype is one of some words, and a range of numbers is not that";
    check(vllm, "kv-cache-dtype", false, words);
    let state = "cpu-strict is 1 or 0, and a continuous range is not that";
    check(llama, "cpu-strict", true, state);
    check(llama, "cpu-strict", false, "");
    check(vllm, "gpu-memory-utilization", true, "");
}

#[test]
fn words_beside_numbers() {
    let check = |kind: EngineKind, name: &str, value: Value, is_impossible: Option<bool>| {
        let remark = value_remark(kind, name, &value);
        assert_eq!(
            remark.map(|remark| remark.is_impossible),
            is_impossible,
            "{name} {value:?}"
        );
    };
    let (vllm, llama) = (EngineKind::Vllm, EngineKind::LlamaCpp);
    check(vllm, "max-model-len", "8k".into(), None);
    check(vllm, "max-model-len", "1.5M".into(), None);
    check(vllm, "max-model-len", "auto".into(), None);
    check(vllm, "max-model-len", "k".into(), Some(true));
    check(vllm, "max-num-seqs", "8k".into(), Some(true));
    check(vllm, "max-num-seqs", "1e999".into(), Some(true));
    check(llama, "n-gpu-layers", "all".into(), None);
    check(llama, "ngl", "most".into(), Some(true));
    check(llama, "flash-attn", true.into(), None);
    check(llama, "flash-attn", "maybe".into(), Some(false));
    check(llama, "cpu-strict", 1_i64.into(), None);
    check(llama, "cpu-strict", 2_i64.into(), Some(false));
    check(llama, "cache-type-k", "q8_0".into(), None);
    check(EngineKind::Sim, "kv-cache-dtype", "fp4".into(), Some(false));
    check(vllm, "block-size", 48_i64.into(), Some(false));
    check(vllm, "block-size", "large".into(), Some(true));
    check(EngineKind::Custom, "kv-cache-dtype", true.into(), None);
}
