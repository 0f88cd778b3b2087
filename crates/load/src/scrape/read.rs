//! Fetches an engine's metrics.
//!
//! On a connection of its own, with a deadline and a limit: whatever is wrong, there is no
//! reading, and that is all. Many engines publish nothing unless they are told to.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::engines::Reading;

/// Most bytes of metrics that are read.
const LONGEST: usize = 16 * 1024 * 1024;

/// Asks the engine at `address` for its metrics. `base_path` is that of the endpoint: whatever
/// comes before `/v1`. `None` when there are none by the deadline.
pub(crate) async fn read(
    address: SocketAddr,
    host: &HeaderValue,
    base_path: &str,
    api_key: Option<&str>,
    deadline: Duration,
) -> Option<Reading> {
    let request = request(host, base_path, api_key)?;
    let asking = async {
        let stream = TcpStream::connect(address).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        let text = driven(connection, async move {
            let response = sender.send_request(request).await.ok()?;
            text(response).await
        });
        text.await
    };
    let text = tokio::time::timeout(deadline, asking).await.ok()??;
    Some(Reading::parse(&String::from_utf8_lossy(&text)))
}

fn request(host: &HeaderValue, base_path: &str, api_key: Option<&str>) -> Option<Request<Empty<Bytes>>> {
    let base = base_path.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    let mut request = Request::get(format!("{base}/metrics"))
        .header(HOST, host)
        .header(ACCEPT, "text/plain; version=0.0.4")
        .header(CONNECTION, "close");
    if let Some(key) = api_key {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    request.body(Empty::new()).ok()
}

/// The body of an answer that may be metrics.
async fn text(response: Response<Incoming>) -> Option<Vec<u8>> {
    let kind = response.headers().get(CONTENT_TYPE);
    let is_text = kind.is_none_or(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"text/plain") || kind.starts_with(b"application/openmetrics-text")
    });
    if response.status() != StatusCode::OK || !is_text {
        return None;
    }
    let mut body = response.into_body();
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.ok()?;
        let bytes = frame.data_ref().map_or(&[][..], |bytes| bytes);
        if text.len() + bytes.len() > LONGEST {
            return None;
        }
        text.extend_from_slice(bytes);
    }
    Some(text)
}

/// Runs `talk` and the connection that it needs, in this one task.
async fn driven<T>(
    connection: http1::Connection<TokioIo<TcpStream>, Empty<Bytes>>,
    talk: impl Future<Output = T>,
) -> T {
    let mut talk = pin!(talk);
    let mut connection = Some(connection);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(value) = talk.as_mut().poll(cx) {
            return Poll::Ready(value);
        }
        if let Some(open) = &mut connection
            && Pin::new(open).poll(cx).is_ready()
        {
            // A closed connection answers whatever still waits for it when it is dropped.
            connection = None;
        }
        talk.as_mut().poll(cx)
    })
    .await
}

#[cfg(test)]
mod tests {
    use autotuner_sim_engine::{LogLevel, Options, spawn_in_process};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    async fn ask(address: SocketAddr, base_path: &str, deadline: Duration) -> Option<Reading> {
        let host = HeaderValue::from_str(&address.to_string()).unwrap();
        read(address, &host, base_path, Some("key"), deadline).await
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
