//! What holds for every candidate.

use proptest::prelude::*;

use super::*;
use crate::engine::text::is_flag;

fn any_kind() -> impl Strategy<Value = EngineKind> {
    proptest::sample::select(EngineKind::ALL.to_vec())
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9_-]{0,12}".prop_map(|name| format!("zz{name}")),
        any_kind().prop_flat_map(|kind| {
            let mut names: Vec<String> = kind
                .engine()
                .catalogue()
                .iter()
                .map(|flag| flag.name.into())
                .collect();
            names.push("np".into());
            names.push("tp".into());
            proptest::sample::select(names)
        }),
        "\\PC{0,8}",
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Unset),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        proptest::num::f64::NORMAL.prop_map(Value::Float),
        "[-=a-z0-9 {}.]{0,12}".prop_map(Value::Text),
        proptest::sample::select(vec![
            "--port",
            "-m",
            "{port}",
            "a b",
            "-1",
            "--api-key=x",
            ";rm -rf",
            "$(x)"
        ])
        .prop_map(Value::from),
        ".{0,8}".prop_map(Value::Text),
    ]
}

fn is_list(kind: EngineKind, name: &str) -> bool {
    let known = kind.engine().catalogue().iter().find(|flag| flag.name == name);
    known.is_some_and(|flag| flag.kind == crate::engine::catalogue::FlagKind::List)
}

proptest! {
    #[test]
    fn a_parameter_is_one_flag_and_its_value_never_another(
        kind in any_kind(),
        name in any_name(),
        value in any_value(),
    ) {
        let case = a(kind).with(&name, value.clone());
        if let Ok(plan) = case.try_plan() {
            let base = a(kind).plan().arguments("H", 1).len();
            let arguments = plan.arguments("H", 1);
            let tail = &arguments[base..];
            prop_assert!(tail.is_empty() || is_flag(&tail[0]), "{tail:?}");
            let most = if is_list(kind, &name) { usize::MAX } else { 2 };
            prop_assert!(tail.len() <= most, "{tail:?}");
            prop_assert!(tail.iter().skip(1).all(|value| !is_flag(value)), "{tail:?}");
            prop_assert!(tail.iter().all(|argument| !argument.chars().any(char::is_control)));
            // A value arrives as it was given, never filled in.
            if let ([_, passed], Value::Text(given)) = (tail, &value) && !is_list(kind, &name) {
                prop_assert_eq!(passed, given);
            }
        }
    }

    #[test]
    fn equal_configurations_have_equal_identities(
        kind in any_kind(),
        parameters in proptest::collection::vec((any_name(), any_value()), 0..5),
    ) {
        let case = Case { parameters: parameters.clone(), ..a(kind) };
        let mut turned = case.clone();
        turned.parameters.reverse();
        for (name, _) in &mut turned.parameters {
            if !name.starts_with("env.") && !name.contains('.') {
                *name = format!("--{}", name.replace('-', "_")).replace("--_", "--");
            }
        }
        if let (Ok(plan), Ok(turned), true) = (case.try_plan(), turned.try_plan(), kind != EngineKind::Custom) {
            prop_assert_eq!(plan.identity(), turned.identity());
        }
    }

    #[test]
    fn host_and_port_are_filled_in_everywhere(kind in any_kind(), port in 1024_u16.., is_docker: bool) {
        let mut case = a(kind);
        case.settings.image = Some("image".into());
        if is_docker {
            case = case.docker();
        }
        let arguments = case.plan().arguments("10.9.8.7", port);
        let whole = arguments.join(" ");
        prop_assert!(whole.contains("10.9.8.7"), "{whole}");
        prop_assert!(whole.contains(&port.to_string()), "{whole}");
        prop_assert!(!whole.contains('{'), "{whole}");
    }
}

#[test]
fn identity_folds_equal_configurations_and_no_others() {
    let identity = |case: &Case| case.plan().identity();
    let same = |left: Case, right: Case| assert_eq!(identity(&left), identity(&right), "{left:?} {right:?}");
    let differ =
        |left: Case, right: Case| assert_ne!(identity(&left), identity(&right), "{left:?} {right:?}");
    let llama = || a(EngineKind::LlamaCpp);
    same(llama().with("np", 4), llama().with("parallel", 4));
    same(llama().with("np", 4), llama().with("--parallel", "4"));
    same(llama().with("np", 4.0), llama().with("parallel", 4));
    same(
        llama().with("np", 4).with("t", 2),
        llama().with("threads", 2).with("parallel", 4),
    );
    same(llama().with("fa", true), llama().with("flash-attn", "on"));
    same(llama().with("cont-batching", true), llama());
    same(
        llama().with("cont-batching", false),
        llama().with("no-cont-batching", true),
    );
    same(llama().with("np", Value::Unset), llama());
    same(
        llama().args(&["--parallel", "2"]).with("np", 4),
        llama().with("np", 4),
    );
    let vllm = || a(EngineKind::Vllm);
    same(vllm().with("enforce-eager", false), vllm());
    same(vllm().with("tp", 2), vllm().with("tensor_parallel_size", 2));
    same(
        vllm().with("enable-prefix-caching", false),
        vllm().with("no_enable_prefix_caching", true),
    );
    differ(vllm().with("tp", 2), vllm());
    differ(
        vllm().with("enable-prefix-caching", false),
        vllm().with("enable-prefix-caching", true),
    );
    differ(llama().with("env.A", 1), llama());
    differ(llama().with("env.A", 1), llama().env("A", "2"));
    same(llama().with("env.A", 1), llama().env("A", "1"));
    differ(llama().args(&["A=1"]), llama().env("A", "1"));
    differ(vllm(), vllm().docker());
    let custom = |listen: &str| {
        let args = vec![listen.to_owned(), "{port}".to_owned()];
        a(EngineKind::Custom).settings(|settings| settings.args = args)
    };
    same(custom("--h={host}"), custom("--h={host}"));
    differ(custom("--h={host}"), custom("--h={port}"));
}
