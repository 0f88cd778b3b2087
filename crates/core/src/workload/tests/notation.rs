//! How scenarios are written, and what is said of those that cannot be read.

use proptest::prelude::*;

use crate::workload::{Api, Scenario};

fn read(text: &str) -> Scenario {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_kind_reads_back_as_it_is_written() {
    for text in [
        "D(100,1000)",
        "N(480,240)/(300,150)",
        "U(50,100)/(200,250)",
        "P(2000,500)/200",
        "E(1024)",
        "R(1024,100)",
        "I(512,256)",
        "I(2048,2048,2)",
        "I(8,8,3)/64",
        "dataset",
    ] {
        assert_eq!(read(text).to_string(), text);
    }
    for (written, meant) in [
        (" D( 1 , 2 ) ", "D(1,2)"),
        ("U(100,200)", "U(1,100)/(1,200)"),
        ("I(8,8,1)/128", "I(8,8)"),
        ("Dataset", "dataset"),
        ("N(10,0.5)/(3,0)", "N(10,0.5)/(3,0)"),
    ] {
        assert_eq!(read(written), read(meant), "{written}");
    }
}

#[test]
fn what_cannot_be_read_is_named_with_what_would_be_right() {
    for (text, why) in [
        (
            "100,100",
            "is not one of D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max) or U(max,max), P(prefix,suffix)/out, \
             E(tokens), R(document,query), I(width,height) or I(width,height,count), dataset",
        ),
        ("D(1,2", "does not end with a closing parenthesis"),
        ("D(1,2)/", "needs D(in,out)"),
        ("D(1)", "needs D(in,out)"),
        ("D(1,2)/3", "needs D(in,out)"),
        ("N(1,2)", "needs N(mean,sd)/(mean,sd)"),
        ("P(1,2)", "needs P(prefix,suffix)/out"),
        ("E(1,2)", "needs E(tokens)"),
        ("R(1)", "needs R(document,query)"),
        ("I(1)", "needs I(width,height) or I(width,height,count)"),
        ("I(0,9)", "has the width \"0\"; give 1 to 16384 pixels"),
        (
            "I(9,9,99)",
            "has the number of images \"99\"; give 1 to 64 images",
        ),
        ("D(0,1)", "has a length of 0; lengths are at least 1 token"),
        ("E(x)", "has the length \"x\", which is not a whole number"),
        (
            "D(99999999,1)",
            "has a length of 99999999; at most 10000000 tokens",
        ),
        ("U(9,1)/(1,1)", "has a range that ends before it begins: 9 to 1"),
        (
            "N(9,-1)/(1,1)",
            "has the deviation \"-1\", which is not a number of at least 0",
        ),
        (
            "A(100)",
            "is of kind A, audio: this load generator does not send it",
        ),
        (
            "V(2)",
            "is of kind V, videos: this load generator does not send it",
        ),
        (
            "F(prompts.txt)",
            "is of kind F, files of prompts, which dataset stands for here: this load generator does not send it",
        ),
        ("d(1,2)", "has the unknown kind \"d\"; did you mean \"D\"?"),
        (
            "normal(1,2)",
            "has the unknown kind \"normal\"; use one of D, N, U, P, E, R, I, dataset",
        ),
    ] {
        let error = text.parse::<Scenario>().expect_err(text).to_string();
        assert_eq!(error, format!("scenario \"{text}\" {why}"));
    }
}

#[test]
fn some_kinds_are_for_one_api_alone() {
    const ALL: [Api; 6] = [
        Api::Chat,
        Api::Completions,
        Api::LlamaCpp,
        Api::Tgi,
        Api::Embeddings,
        Api::Rerank,
    ];
    for (text, suited) in [
        ("D(1,1)", &ALL[..4]),
        ("P(1,1)/1", &ALL[..4]),
        ("E(1)", &[Api::Embeddings]),
        ("R(1,1)", &[Api::Rerank]),
        ("I(1,1)", &[Api::Chat]),
        ("dataset", &ALL[..5]),
    ] {
        let scenario = read(text);
        let found: Vec<Api> = ALL.into_iter().filter(|api| scenario.suits(*api)).collect();
        assert_eq!(found, suited, "{text}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "[DNUPERIAdats(),/0-9 .-]{0,24}") {
        if let Ok(scenario) = text.parse::<Scenario>() {
            prop_assert_eq!(read(&scenario.to_string()), scenario);
        }
    }
}
