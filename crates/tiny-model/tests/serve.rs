//! The promise of the crate, kept by a real `llama-server`: it loads the model, and every token
//! that was asked for comes as one piece of printable text.
//!
//! Which server is used, `scripts/llama-server.sh` decides; where it finds none the test says so
//! and proves nothing.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use autotuner_tiny_model::{Recipe, WeightType, words, write_gguf};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Far more than anything here takes; it is there so that a hung server fails the test.
const DEADLINE: Duration = Duration::from_secs(120);

/// How many words of prompt each request has.
const PROMPT_WORDS: usize = 20;

/// How many tokens each request asks for.
const ASKED: usize = 8;

#[tokio::test]
async fn a_real_engine_serves_every_weight_type() {
    let Some(program) = timeout(DEADLINE, find_server())
        .await
        .expect("an answer in time")
    else {
        eprintln!("SKIPPED: no llama-server: run scripts/llama-server.sh --build to have one");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for weights in [WeightType::F16, WeightType::Q8_0, WeightType::Q4_0] {
        let model = folder.path().join(format!("{weights:?}.gguf"));
        write_gguf(
            &Recipe {
                weights,
                ..Recipe::tiny()
            },
            &model,
        )
        .expect("a model");
        timeout(DEADLINE, serve(&program, &model))
            .await
            .expect("served in time");
    }
}

/// Starts the server, asks it both ways, and stops it.
async fn serve(program: &Path, model: &Path) {
    let Server {
        mut process,
        port,
        log: _log,
    } = start(program, model).await;
    wait_until_healthy(port).await;
    for start in [0, 500] {
        let prompt = words()
            .skip(start)
            .take(PROMPT_WORDS)
            .collect::<Vec<_>>()
            .join(" ");
        check_chat(port, &prompt).await;
        check_completion(port, &prompt).await;
    }
    process
        .kill()
        .await
        .expect("the server was running until now");
}

async fn check_chat(port: u16, prompt: &str) {
    let body = json!({
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": ASKED, "stream": true, "stream_options": {"include_usage": true},
    });
    // Start of text, who speaks, and who is to speak next.
    check_stream(
        port,
        "/v1/chat/completions",
        &body,
        "/choices/0/delta/content",
        3,
    )
    .await;
}

async fn check_completion(port: u16, prompt: &str) {
    let body = json!({
        "prompt": prompt,
        "max_tokens": ASKED, "stream": true, "stream_options": {"include_usage": true},
    });
    // Start of text.
    check_stream(port, "/v1/completions", &body, "/choices/0/text", 1).await;
}

/// Asks, and holds the answer to the promise; `text_at` says where a chunk has its text, and
/// `extra` how many tokens a prompt has beside its words.
async fn check_stream(port: u16, path: &str, body: &Value, text_at: &str, extra: usize) {
    let answer = request(port, "POST", path, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let events: Vec<Value> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).expect("an event is JSON"))
        .collect();
    let pieces: Vec<&str> = events
        .iter()
        .filter_map(|event| event.pointer(text_at)?.as_str())
        .filter(|piece| !piece.is_empty())
        .collect();
    assert_eq!(pieces.len(), ASKED, "{path}: {pieces:?}");
    for piece in pieces {
        let is_word = piece
            .strip_prefix(' ')
            .is_some_and(|word| words().any(|known| known == word));
        assert!(is_word, "{path}: {piece:?}");
    }
    let usage = events
        .iter()
        .find_map(|event| event.get("usage").filter(|u| u.is_object()));
    let usage = usage.expect("usage was asked for");
    assert_eq!(usage["completion_tokens"], json!(ASKED), "{path}");
    assert_eq!(
        usage["prompt_tokens"],
        json!(PROMPT_WORDS + extra),
        "{path}"
    );
    let reason = events
        .iter()
        .find_map(|event| event.pointer("/choices/0/finish_reason")?.as_str());
    assert_eq!(reason, Some("length"), "{path}");
}

/// The server to use, or nothing where there is none.
async fn find_server() -> Option<PathBuf> {
    const NONE_FOUND: i32 = 3;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/llama-server.sh");
    let found = Command::new(script)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the script is there");
    let talk = String::from_utf8_lossy(&found.stderr);
    match found.status.code() {
        Some(0) => Some(PathBuf::from(
            String::from_utf8_lossy(&found.stdout).trim_end(),
        )),
        Some(NONE_FOUND) => None,
        other => panic!("scripts/llama-server.sh ended with {other:?}: {talk}"),
    }
}

/// A running server; it and the reader of its log end when this is dropped.
struct Server {
    process: Child,
    port: u16,
    /// Goes on reading the log: a full pipe would stop the server.
    log: JoinSet<()>,
}

/// Starts a server on a free port and reads from its log which one it took.
async fn start(program: &Path, model: &Path) -> Server {
    let mut process = Command::new(program)
        .arg("--model")
        .arg(model)
        .args("--host 127.0.0.1 --port 0 --ctx-size 512 --parallel 1 --threads 1".split(' '))
        .env("OMP_WAIT_POLICY", "PASSIVE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the server starts");
    let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let mut seen = Vec::new();
    while let Some(line) = log.next_line().await.expect("the log is text") {
        if let Some((_, port)) = line.split_once("listening on http://127.0.0.1:") {
            let port = port.trim().parse().expect("a port");
            let mut reader = JoinSet::new();
            reader.spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
            return Server {
                process,
                port,
                log: reader,
            };
        }
        seen.push(line);
    }
    panic!("the server did not start:\n{}", seen.join("\n"));
}

/// Waits until the model is loaded; before, the server answers that it is loading.
async fn wait_until_healthy(port: u16) {
    while request(port, "GET", "/health", "").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What came back.
struct Answer {
    status: u16,
    body: String,
}

/// One HTTP request on a connection of its own, read to its end.
async fn request(port: u16, method: &str, path: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("the server listens");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the server reads");
    stream
        .write_all(body.as_bytes())
        .await
        .expect("the server reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("the server answers in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    let is_chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = if is_chunked {
        without_chunk_sizes(body)
    } else {
        body.to_owned()
    };
    Answer { status, body }
}

/// Joins the parts of a chunked body: each is its length in hexadecimal, a line end, that many
/// bytes, and a line end.
fn without_chunk_sizes(mut chunked: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunked.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        let (part, rest) = rest.split_at(size);
        body.push_str(part);
        chunked = rest.strip_prefix("\r\n").unwrap_or(rest);
    }
    body
}
