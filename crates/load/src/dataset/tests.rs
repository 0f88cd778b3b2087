//! What files mean, and what is said of those that are wrong.

use std::time::Duration;

use autotuner_core::workload::{DataSet, Lengths, TraceStart, Turn};
use proptest::prelude::*;

use super::*;

fn read(name: &str, text: &str) -> DataSet {
    read_dataset(name, text.as_bytes(), false).unwrap_or_else(|error| panic!("{error}"))
}

fn turn(question: &str, answer: Option<&str>, output: Option<u32>) -> Turn {
    Turn {
        question: question.into(),
        answer: answer.map(str::to_owned),
        output,
    }
}

#[track_caller]
fn check(name: &str, text: &str, expected: &[&[Turn]]) {
    let turns: Vec<Vec<Turn>> = read(name, text)
        .entries
        .into_iter()
        .map(|entry| entry.turns)
        .collect();
    assert_eq!(turns, expected);
}

#[track_caller]
fn refuse(name: &str, bytes: &[u8], expected: &str) {
    let error = read_dataset(name, bytes, true).expect_err(expected);
    assert_eq!(error.to_string(), expected);
}

#[test]
fn sharegpt() {
    let text = r#"[
        {"id": "a", "conversations": [
            {"from": "gpt", "value": "before"},
            {"from": "human", "value": "one"},
            {"from": "gpt", "value": "two"},
            {"from": "human", "value": "three"},
            {"from": "human", "value": "more"},
            {"from": "gpt", "value": "four"}]},
        {"id": "b", "conversations": []},
        {"id": "c", "conversations": [{"from": "human", "value": "last"}]}
    ]"#;
    check(
        "ShareGPT.json",
        text,
        &[
            &[
                turn("one", Some("two"), None),
                turn("three\nmore", Some("four"), None),
            ],
            &[turn("last", None, None)],
        ],
    );
}

#[test]
fn json_lines() {
    let text = concat!(
        "\u{feff}{\"prompt\": \"p\", \"output_length\": 7, \"else\": [1]}\r\n",
        "\n",
        "{\"input\": \"i\", \"output\": \"o\"}\n",
        "{\"text\": \"t\", \"max_tokens\": 0}\n",
        "{\"question\": \"   \"}\n",
        "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"}, ",
        "{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"u\"}, {\"type\": \"image_url\"}]}, ",
        "{\"role\": \"assistant\", \"content\": null}], \"output_tokens\": 3}",
    );
    check(
        "a.jsonl",
        text,
        &[
            &[turn("p", None, Some(7))],
            &[turn("i", Some("o"), None)],
            &[turn("t", None, None)],
            &[turn("u", Some(""), Some(3))],
        ],
    );
    assert_eq!(read("a.jsonl", text).entries[3].system.as_deref(), Some("s"));
}

#[test]
fn tables_and_texts() {
    check(
        "a.csv",
        "id,Prompt,Output Tokens\n1,\"two, with\nlines\",9\n2,three,\n3,,5\n",
        &[
            &[turn("two, with\nlines", None, Some(9))],
            &[turn("three", None, None)],
        ],
    );
    check("a.csv", "words,n\none,1\n", &[&[turn("one", None, None)]]);
    check("a.tsv", "n\ttext\n1\ta,b\n", &[&[turn("a,b", None, None)]]);
    check("download", "question\nwhat?\n", &[&[turn("what?", None, None)]]);
    check(
        "a.txt",
        "{one}\n\n two \n",
        &[&[turn("{one}", None, None)], &[turn("two", None, None)]],
    );
}

#[test]
fn entries_that_come_twice_are_used_once_if_so_asked() {
    let text = "text\na\nb\na\nb\nc\n";
    assert_eq!(read("a.csv", text).entries.len(), 5);
    let set = read_dataset("a.csv", text.as_bytes(), true).unwrap();
    let questions: Vec<&str> = set
        .entries
        .iter()
        .map(|entry| entry.turns[0].question.as_str())
        .collect();
    assert_eq!(questions, ["a", "b", "c"]);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    refuse("a.jsonl", b"", "a.jsonl: holds no prompt");
    refuse("a.csv", b"text\n\n", "a.csv: holds no prompt");
    refuse(
        "a.jsonl",
        b"{\"prompt\": \"p\"}\n\n{\"prompt\": 5}\n",
        "a.jsonl, line 3: invalid type: integer `5`, expected a string",
    );
    refuse(
        "a.jsonl",
        b"{\"prompt\": \"p\"}\n{\"prom\": \"p\"}\n",
        "a.jsonl, line 2: has none of the keys prompt, question, text, input, messages and conversations",
    );
    refuse(
        "a.json",
        b"[{\"prompt\": \"p\"},\n{\"prompt\": \"p\"",
        "a.json, line 2: EOF while parsing an object",
    );
    refuse(
        "a.json",
        b"[{\"prompt\": \"p\"},\n{\"id\": 1}]",
        "a.json, line 2: has none of the keys prompt, question, text, input, messages and conversations",
    );
    refuse(
        "a.csv",
        b"text,n\na,1\nb\n",
        "a.csv, line 3: has 1 cells; the first line has 2",
    );
    refuse(
        "a.csv",
        b"text,max_tokens\na,many\n",
        "a.csv, line 2: the answer's length \"many\" is not a whole number",
    );
    refuse("a.csv", b"text\na\n\xff\n", "a.csv, line 3: is not UTF-8");
    refuse("a.txt", b"a\n\xff\n", "a.txt, line 2: is not UTF-8");
}

#[test]
fn endless_files_are_refused() {
    let bytes = vec![b'\n'; MOST_BYTES + 1];
    refuse("a.txt", &bytes, "a.txt: has 256 MiB; at most 256 MiB are read");
    let text = "a\n".repeat(MOST_ENTRIES + 1);
    refuse(
        "a.txt",
        text.as_bytes(),
        "a.txt, line 1000001: has more than 1000000 entries; give a part of it",
    );
}

fn start(millis: u64, input: u32, output: u32) -> TraceStart {
    TraceStart {
        at: Duration::from_millis(millis),
        lengths: Lengths { input, output },
    }
}

#[test]
fn traces() {
    let mooncake = concat!(
        "{\"timestamp\": 27482, \"input_length\": 6955, \"output_length\": 52, \"hash_ids\": [46, 47]}\n",
        "{\"timestamp\": 27982, \"input_length\": 0, \"output_length\": 1}\n",
        "{\"timestamp\": 27000, \"input_length\": 3, \"output_length\": 4}\n",
    );
    assert_eq!(
        read_trace("m.jsonl", mooncake.as_bytes()).unwrap(),
        [start(0, 3, 4), start(482, 6955, 52), start(982, 1, 1)]
    );
    let burst = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
                 5,ChatGPT,472,18,490,Conversation log\n\
                 45.5,ChatGPT,1087,230,1317,Conversation log\n\
                 46,GPT-4,100,0,100,API log\n";
    assert_eq!(
        read_trace("BurstGPT.csv", burst.as_bytes()).unwrap(),
        [start(0, 472, 18), start(40_500, 1087, 230)]
    );
}

#[test]
fn what_is_wrong_with_a_trace_is_said() {
    for (name, text, expected) in [
        ("t.csv", "", "t.csv, line 1: has no column timestamp, time"),
        (
            "t.csv",
            "Timestamp,a\n1,2\n",
            "t.csv, line 1: has no column request_tokens, input_length, input_tokens, prompt_tokens",
        ),
        (
            "t.csv",
            "time,input_tokens,output_tokens\nnoon,1,2\n",
            "t.csv, line 2: \"noon\" is not a number",
        ),
        (
            "t.csv",
            "time,input_tokens,output_tokens\n1,1,-2\n",
            "t.csv, line 2: \"-2\" is not a whole number of tokens",
        ),
        (
            "t.csv",
            "time,input_tokens,output_tokens\n1,1,0\n",
            "t.csv: holds no request with an answer",
        ),
        (
            "t.csv",
            "time,input_tokens,output_tokens\n0,1,1\n9e9,1,1\n",
            "t.csv: lasts 9000000000 seconds; at most 2592000 (30 days): are its times in another unit?",
        ),
        (
            "t.jsonl",
            "{\"timestamp\": 1}",
            "t.jsonl, line 1: missing field `input_length`",
        ),
        (
            "t.json",
            "[]",
            "t.json: is a JSON list; write one object a line, or a table",
        ),
    ] {
        let error = read_trace(name, text.as_bytes()).expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "[\\[\\]{}\",:a-c0-9\\n ]{0,60}", end in "\\.(csv|txt|tsv|json)") {
        let name = format!("a{end}");
        if let Ok(set) = read_dataset(&name, text.as_bytes(), true) {
            prop_assert!(set.entries.iter().all(|entry| !entry.turns.is_empty()));
        }
        if let Ok(starts) = read_trace(&name, text.as_bytes()) {
            prop_assert!(starts.is_sorted_by_key(|start| start.at));
        }
    }
}
