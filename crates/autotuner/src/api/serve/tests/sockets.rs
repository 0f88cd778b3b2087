//! The real listener, asked by hand over TCP in ways that no client library would.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// How long a test waits for what is to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service that listens.
struct Listening {
    test: TestService,
    address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
    admin: String,
}

impl Listening {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let test = TestService::new(Settings {
            bound: address,
            ..unhurried()
        })
        .await;
        let (admin, _) = test.token("admin", Role::Admin, None).await;
        let serving = tokio::spawn(serve(Arc::clone(&test.service), listener));
        Self {
            test,
            address,
            serving,
            admin: admin.reveal().to_owned(),
        }
    }

    /// Sends these bytes, with `HOST` and `TOKEN` put in, ends its side and reads to the end.
    async fn ask(&self, text: &[u8]) -> String {
        let text = replaced(text, b"HOST", self.address.to_string().as_bytes());
        let text = replaced(&text, b"TOKEN", self.admin.as_bytes());
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            // A listener that closes before everything was sent is one of the answers.
            drop(stream.write_all(&text).await);
            drop(stream.shutdown().await);
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer).await);
            answer
        };
        let answer = timeout(PATIENCE, exchange)
            .await
            .expect("an end of the connection");
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn end(self) {
        self.test.service.shutdown.soft.cancel();
        let ended = timeout(PATIENCE, self.serving).await;
        ended.expect("an end of the service").unwrap().unwrap();
    }
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut rest = text;
    let mut result = Vec::new();
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}

/// The statuses of all answers in a text.
fn statuses(answer: &str) -> Vec<u16> {
    answer
        .match_indices("HTTP/1.")
        .filter_map(|(at, _)| answer.get(at + 9..at + 12)?.parse().ok())
        .collect()
}

/// Bytes that are no good request, or hide a second one in a first.
fn oddities() -> Vec<Vec<u8>> {
    let hidden = "DELETE /api/auth/tokens/1 HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer wrong\r\n\r\n";
    let post = "POST /api/auth/tokens HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\nContent-Type: application/json\r\n";
    let body = r#"{"name":"hidden","role":"admin"}"#;
    let length = body.len();
    let mut texts: Vec<Vec<u8>> = [
        // Two lengths, or a length and chunks, in every order and spelling.
        format!("{post}Content-Length: {length}\r\nContent-Length: 5\r\n\r\n{body}"),
        format!("{post}Content-Length: 5\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("{post}Content-Length: {length}, 5\r\n\r\n{body}"),
        format!("{post}Content-Length: +{length}\r\n\r\n{body}"),
        format!("{post}Content-Length: -1\r\n\r\n{body}"),
        format!("{post}Content-Length: 0x20\r\n\r\n{body}"),
        format!("{post}Content-Length: {length}a\r\n\r\n{body}"),
        format!("{post}Content-Length: 99999999999999999999\r\n\r\n{body}"),
        format!("{post}Content-Length: \r\n\r\n{body}"),
        format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer-Encoding: identity\r\n\r\n{body}"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{hidden}"),
        // Chunks that are none.
        format!("{post}Transfer-Encoding: chunked\r\n\r\nZ\r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n5\r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n20;{}\r\n{body}\r\n0\r\n\r\n", "x".repeat(50_000)),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n20"),
        // Heads that are none.
        "\r\n\r\n\r\n".into(),
        "GET /api/auth/tokens\r\n\r\n".into(),
        "GET /health HTTP/0.9\r\nHost: HOST\r\n\r\n".into(),
        "GET /health HTTP/1.0\r\n\r\n".into(),
        "GET /health HTTP/2.0\r\nHost: HOST\r\n\r\n".into(),
        "GET /health HTTP/9.9\r\nHost: HOST\r\n\r\n".into(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
        "GET  /health  HTTP/1.1\r\nHost: HOST\r\n\r\n".into(),
        "GET\t/health\tHTTP/1.1\r\nHost: HOST\r\n\r\n".into(),
        "GET /hea lth HTTP/1.1\r\nHost: HOST\r\n\r\n".into(),
        "GET health HTTP/1.1\r\nHost: HOST\r\n\r\n".into(),
        "GET /health HTTP/1.1\r\nHost: HOST\r\n Folded: x\r\n\r\n".into(),
        "GET /health HTTP/1.1\r\nHost: HOST\r\nX\0: y\r\n\r\n".into(),
        "GET /health HTTP/1.1\r\nHost: HOST\r\nX: a\0b\r\n\r\n".into(),
        "GET /health HTTP/1.1\r\nHost : HOST\r\n\r\n".into(),
        "GET /health HTTP/1.1\r\nHost: HOST\r\n: x\r\n\r\n".into(),
        "GET /\0health HTTP/1.1\r\nHost: HOST\r\n\r\n".into(),
        "OPTIONS * HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n".into(),
        "CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n".into(),
        "TRACE / HTTP/1.1\r\nHost: HOST\r\nMax-Forwards: 0\r\n\r\n".into(),
        "GET http://evil.example/api/auth/me HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET http://HOST/api/auth/tokens HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET /api/auth/tokens HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET /api/auth/tokens HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET /api/auth/tokens HTTP/1.1\r\nHost: HOST@evil.example\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET /api/auth/tokens HTTP/1.1\r\nHost: HOST\0\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET /api/auth/../../etc/passwd HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET /../../../../etc/passwd HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET //etc/passwd HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        "GET /..\\..\\etc\\passwd HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n".into(),
        format!("GET /{} HTTP/1.1\r\nHost: HOST\r\n\r\n", "a".repeat(60_000)),
        format!("GET /{} HTTP/1.1\r\nHost: HOST\r\n\r\n", "a".repeat(200_000)),
        format!("GET /health HTTP/1.1\r\nHost: HOST\r\nX: {}\r\n\r\n", "x".repeat(200_000)),
        format!("GET /health HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "X: y\r\n".repeat(10_000)),
        format!("GET /health HTTP/1.1\r\nHost: HOST\r\n{}: x\r\n\r\n", "X".repeat(70_000)),
        format!("{} /health HTTP/1.1\r\nHost: HOST\r\n\r\n", "M".repeat(70_000)),
        format!("GET /api/auth/me HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer {}\r\n\r\n", "x".repeat(50_000)),
        format!("GET /api/auth/me HTTP/1.1\r\nHost: HOST\r\nCookie: {}\r\n\r\n", "a=b; ".repeat(10_000)),
        // A body that never comes.
        format!("{post}Content-Length: 1000\r\n\r\n{{"),
    ]
    .map(String::into_bytes)
    .into();
    // What is no HTTP at all.
    texts.push(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20));
    texts.push(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec());
    texts.push((0..=255).cycle().take(20_000).collect());
    texts.push(vec![0; 20_000]);
    texts.push(vec![b'\n'; 20_000]);
    texts
}

#[tokio::test]
async fn no_odd_bytes_do_anything() {
    let listening = Listening::new().await;
    let before = listening.test.census().await;
    let mut requests = 0;
    let oddities = oddities();
    for odd in &oddities {
        let shown = String::from_utf8_lossy(&odd[..odd.len().min(200)]).into_owned();
        let answer = listening.ask(odd).await;
        let statuses = statuses(&answer);
        assert!(statuses.iter().all(|status| *status < 500), "{shown}\n{answer}");
        assert!(
            !answer.contains("root:x:0:0") && !answer.contains("hidden"),
            "{shown}\n{answer}"
        );
        let is_creation = statuses.contains(&201) || statuses.contains(&204);
        assert!(!is_creation, "{shown}\n{answer}");
        requests += 1;
    }
    // One byte of a good request is changed at a time.
    let good = b"GET /api/auth/me HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n";
    let good = replaced(good, b"HOST", listening.address.to_string().as_bytes());
    let good = replaced(&good, b"TOKEN", listening.admin.as_bytes());
    for at in 0..good.len() {
        for byte in [0, b' ', b'\r', b'\n', b'%', b':', 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[at] = byte;
            let answer = listening.ask(&bad).await;
            assert!(
                statuses(&answer).iter().all(|status| *status < 500),
                "{at} {byte}\n{answer}"
            );
            requests += 1;
        }
    }
    assert_eq!(listening.test.census().await, before);
    let answer = listening
        .ask(b"GET /health HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(statuses(&answer), [200]);
    println!("{requests} odd requests over sockets: 0 server errors, 0 effects");
    listening.end().await;
}

#[tokio::test]
async fn a_second_request_in_a_first_is_asked_who_it_is() {
    let listening = Listening::new().await;
    let inner = "GET /api/auth/tokens HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let outer = "POST /api/auth/logout HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n";
    for head in [
        "Content-Length: 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n0\r\n\r\n",
        "\r\n",
    ] {
        let answer = listening.ask(format!("{outer}{head}{inner}").as_bytes()).await;
        let found = statuses(&answer);
        assert!(found == [204, 401] || found == [204], "{head}{answer}");
    }
    listening.end().await;
}

#[tokio::test]
async fn who_never_asks_keeps_nobody_else_waiting() {
    let listening = Listening::new().await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(listening.address).await.unwrap();
        let begun = &b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nX: "[..number % 30];
        stream.write_all(begun).await.unwrap();
        slow.push(stream);
    }
    let answer = listening
        .ask(b"GET /health HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(statuses(&answer), [200]);
    drop(slow);
    listening.end().await;
}

#[tokio::test]
async fn the_end_comes_although_connections_are_open() {
    let listening = Listening::new().await;
    let mut idle = TcpStream::connect(listening.address).await.unwrap();
    let half = TcpStream::connect(listening.address).await.unwrap();
    let head = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", listening.address);
    idle.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    timeout(PATIENCE, idle.read_exact(&mut first))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let address = listening.address;
    listening.end().await;
    let mut rest = Vec::new();
    timeout(PATIENCE, idle.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    drop(half);
}
