//! Fetches an engine's metrics.
//!
//! On a connection of its own, with a deadline and a limit: whatever is wrong, there is no
//! reading, and that is all. Many engines publish nothing unless they are told to.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::engines::Reading;
use crate::clock::Clock;
use crate::connection::{Connection, connect};
use crate::stream::Read;
use crate::target::Target;
use crate::wire::{AnswerReader, Piece};

/// Most bytes of metrics that are read.
const LONGEST: usize = 16 * 1024 * 1024;

/// Asks the engine for its metrics. `None` when there are none by the deadline.
pub(crate) async fn read(target: &Target, deadline: Duration) -> Option<Reading> {
    let asking = async {
        let mut connection = connect(target, deadline, Clock::start()).await.ok()?;
        connection.prepare(&target.metrics_head, "at-metrics", &Bytes::new());
        let mut page = Page::default();
        poll_fn(|cx| page.poll(&mut connection, cx))
            .await
            .then_some(page.text)
    };
    let text = tokio::time::timeout(deadline, asking).await.ok()??;
    let reading = Reading::parse(&String::from_utf8_lossy(&text));
    // A page of something else has nothing that any engine publishes.
    (reading != Reading::default()).then_some(reading)
}

/// A page that is being read.
#[derive(Default)]
struct Page {
    text: Vec<u8>,
    is_sent: bool,
}

impl Page {
    /// Reads on; ready with whether the page is whole and may be metrics.
    fn poll(&mut self, connection: &mut Connection, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.is_sent {
            match connection.poll_send(cx) {
                Poll::Pending => (),
                Poll::Ready(Ok(())) => self.is_sent = true,
                Poll::Ready(Err(_)) => return Poll::Ready(false),
            }
        }
        loop {
            let text = &mut self.text;
            let read = connection.poll_receive(cx, |reader, bytes, _| take(text, reader, bytes));
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Ready(Ok(Read::Closed)) => {
                    return Poll::Ready(connection.reader.ends_with_connection());
                }
                Poll::Ready(Ok(Read::Taken {
                    value: Some(is_good), ..
                })) => return Poll::Ready(is_good),
                Poll::Ready(Ok(Read::Taken { is_full: true, .. })) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(Read::Taken { .. })) => (),
            }
        }
    }
}

/// Takes what a read has brought; tells whether the page is good once that is known.
fn take(text: &mut Vec<u8>, reader: &mut AnswerReader, mut bytes: &[u8]) -> Option<bool> {
    loop {
        match reader.next(&mut bytes) {
            Ok(Some(Piece::Status(200))) => (),
            Ok(Some(Piece::Body(body))) if text.len() + body.len() <= LONGEST => text.extend_from_slice(body),
            Ok(Some(Piece::End)) => return Some(true),
            Ok(None) => return None,
            Ok(Some(Piece::Status(_) | Piece::Body(_))) | Err(_) => return Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use autotuner_core::engine::Endpoint;
    use autotuner_core::workload::Api;
    use autotuner_sim_engine::{LogLevel, Options, spawn_in_process};
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    async fn ask(address: SocketAddr, base_path: &str, deadline: Duration) -> Option<Reading> {
        let endpoint = Endpoint {
            base_url: format!("http://{address}{base_path}"),
            model: "m".into(),
            api_key: Some("key".into()),
        };
        let target = Target::resolve(&endpoint, Api::Chat, DEADLINE).await.unwrap();
        read(&target, deadline).await
    }

    /// What is read of a server that answers so, and what it was asked; it stays connected for
    /// as long as it is read.
    async fn answered(answer: Vec<u8>, deadline: Duration) -> (Option<Reading>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") && stream.read_buf(&mut asked).await.unwrap() > 0 {}
            // The reader may have had enough before the end.
            let _ = stream.write_all(&answer).await;
            let _ = stream.flush().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
            String::from_utf8(asked).unwrap()
        };
        tokio::join!(ask(address, "/base/v1/", deadline), serving)
    }

    fn page(head: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[tokio::test]
    async fn metrics_are_read() {
        let body = "vllm:generation_tokens_total{engine=\"0\"} 7\n";
        let (reading, asked) = answered(
            page("200 OK\r\ncontent-type: text/plain; version=0.0.4", body),
            DEADLINE,
        )
        .await;
        let figures = reading.unwrap().since(&Reading::default());
        assert_eq!(figures.output_tokens, Some(7.0));
        assert!(asked.starts_with("GET /base/metrics HTTP/1.1\r\n"), "{asked}");
        assert!(
            asked.to_lowercase().contains("authorization: bearer key\r\n"),
            "{asked}"
        );
    }

    #[tokio::test]
    async fn what_is_no_metrics_is_none() {
        let text = "200 OK\r\ncontent-type: text/plain";
        let endless = format!("HTTP/1.1 {text}\r\n\r\n{}", "# x\n".repeat(LONGEST / 4 + 1));
        for answer in [
            page("404 Not Found\r\ncontent-type: text/plain", "no such page"),
            page("501 Not Implemented\r\ncontent-type: application/json", "{}"),
            page("200 OK\r\ncontent-type: text/html", "<html>"),
            page("200 OK\r\ncontent-type: application/json", "{}"),
            b"rubbish\r\n\r\n".to_vec(),
            endless.into_bytes(),
        ] {
            let shown = String::from_utf8_lossy(&answer[..60.min(answer.len())]).into_owned();
            assert_eq!(answered(answer, DEADLINE).await.0, None, "{shown}");
        }
    }

    #[tokio::test]
    async fn silence_and_refusal_are_none() {
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nvllm:x 3".to_vec();
        for answer in [Vec::new(), cut] {
            let (reading, _) = answered(answer, Duration::from_millis(50)).await;
            assert_eq!(reading, None);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(ask(address, "", DEADLINE).await, None);
    }

    #[tokio::test]
    async fn the_simulated_engine_is_read() {
        let options = Options {
            time_scale: 0.01,
            noise: 0.0,
            log_level: LogLevel::Off,
            ..Options::default()
        };
        let sim = spawn_in_process(options).await.unwrap();
        let before = ask(sim.address(), "/v1", DEADLINE).await.unwrap();
        let body = r#"{"model":"sim","prompt":"one two three","max_tokens":5,"ignore_eos":true}"#;
        let mut stream = TcpStream::connect(sim.address()).await.unwrap();
        let request = format!(
            "POST /v1/completions HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let figures = ask(sim.address(), "/v1", DEADLINE).await.unwrap().since(&before);
        sim.shutdown().await.unwrap();
        assert_eq!(figures.requests, Some(1.0));
        assert_eq!(figures.output_tokens, Some(5.0));
        assert!(figures.input_tokens > Some(2.0), "{figures:?}");
        assert_eq!((figures.preemptions, figures.prefix_hits), (Some(0.0), Some(0.0)));
    }
}
