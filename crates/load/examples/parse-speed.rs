//! How many nanoseconds it costs to read one event of an answer.
//!
//! ```text
//! cargo run --release -p autotuner-load --example parse-speed
//! ```
//!
//! Each line is one kind of chunk, as a server writes it, in answers of 256 chunks, read in one
//! packet a chunk, 32 chunks a read, and in reads that cut events in two. Best of several rounds.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::time::Duration;

use autotuner_core::workload::Api;
use autotuner_load::speed::read_answer;
use tokio::time::Instant;

const CHUNKS: u32 = 256;
const ROUNDS: u32 = 30;
const ANSWERS: u32 = 40;

/// Words as models make them; some need escapes, some are no ASCII.
const WORDS: [&str; 16] = [
    " the", " quick", ",", " brown", " fox", "\\n", " jumps", " over", " a", " lazy", " dog", ".", " é",
    " I", " 漢", " \\\"",
];

/// Name, style, and a chunk with a word (`WORD`) and a number of tokens (`COUNT`) in it.
const KINDS: [(&str, Api, &str); 7] = [
    (
        "vLLM chat",
        Api::Chat,
        r#"{"id":"chatcmpl-4f8a1f0c2b6d4e5f9a7b","object":"chat.completion.chunk","created":1764400000,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"delta":{"content":"WORD"},"logprobs":null,"finish_reason":null}]}"#,
    ),
    (
        "vLLM chat, usage in each",
        Api::Chat,
        r#"{"id":"chatcmpl-4f8a1f0c2b6d4e5f9a7b","object":"chat.completion.chunk","created":1764400000,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"delta":{"content":"WORD"},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":100,"total_tokens":1COUNT,"completion_tokens":COUNT}}"#,
    ),
    (
        "vLLM completions",
        Api::Completions,
        r#"{"id":"cmpl-4f8a1f0c2b6d4e5f9a7b","object":"text_completion","created":1764400000,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"text":"WORD","logprobs":null,"finish_reason":null,"stop_reason":null}],"usage":null}"#,
    ),
    (
        "SGLang chat",
        Api::Chat,
        r#"{"id":"4f8a1f0c2b6d4e5f9a7b","object":"chat.completion.chunk","created":1764400000,"model":"default","choices":[{"index":0,"delta":{"role":null,"content":"WORD","reasoning_content":null,"tool_calls":null},"logprobs":null,"finish_reason":null,"matched_stop":null}],"usage":null}"#,
    ),
    (
        "llama.cpp chat",
        Api::Chat,
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"WORD"}}],"created":1764400000,"id":"chatcmpl-ab12cd34ef56","model":"tiny","system_fingerprint":"b6000-abcdef","object":"chat.completion.chunk"}"#,
    ),
    (
        "llama.cpp completion",
        Api::LlamaCpp,
        r#"{"index":0,"content":"WORD","tokens":[1COUNT],"stop":false,"id_slot":0,"tokens_predicted":COUNT,"tokens_evaluated":100}"#,
    ),
    (
        "TGI",
        Api::Tgi,
        r#"{"index":COUNT,"token":{"id":1COUNT,"text":"WORD","logprob":-0.2COUNT,"special":false},"generated_text":null,"details":null}"#,
    ),
];

/// The events of one answer.
fn events(chunk: &str) -> Vec<Vec<u8>> {
    let words = WORDS.iter().cycle();
    (1..=CHUNKS)
        .zip(words)
        .map(|(count, word)| {
            let data = chunk.replace("WORD", word).replace("COUNT", &count.to_string());
            format!("data: {data}\n\n").into_bytes()
        })
        .collect()
}

/// Nanoseconds an event, the best round.
fn measure(api: Api, reads: &[Vec<u8>]) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..ANSWERS {
            let heard = read_answer(api, CHUNKS, reads.iter().map(Vec::as_slice));
            assert_eq!(heard, Ok(CHUNKS));
        }
        best = best.min(start.elapsed());
    }
    best.as_secs_f64() * 1e9 / f64::from(CHUNKS * ANSWERS)
}

fn main() {
    println!(
        "{:<26} {:>6} {:>14} {:>14} {:>14}",
        "nanoseconds an event", "bytes", "1 a read", "32 a read", "cut in two"
    );
    for (name, api, chunk) in KINDS {
        let events = events(chunk);
        let size = events.iter().map(Vec::len).sum::<usize>() / events.len();
        let several: Vec<Vec<u8>> = events.chunks(32).map(<[_]>::concat).collect();
        let cut: Vec<Vec<u8>> = events.concat().chunks(1000).map(<[u8]>::to_vec).collect();
        let [single, several, cut] = [&events, &several, &cut].map(|reads| measure(api, reads));
        println!("{name:<26} {size:>6} {single:>14.0} {several:>14.0} {cut:>14.0}");
    }
}
