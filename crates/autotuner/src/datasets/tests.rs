//! Reading files and asking a server that does as it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autotuner_core::workload::{Scenario, Source};

use super::fetch::{Fetched, fetch};
use super::*;

/// A server that gives each connection the answer of its number, and counts them.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    /// `{port}` in an answer is the server's own.
    fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let server = Self {
            port,
            asked: Arc::default(),
            heads: Arc::default(),
        };
        let (asked, heads) = (Arc::clone(&server.asked), Arc::clone(&server.heads));
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                asked.fetch_add(1, Ordering::SeqCst);
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
                heads.lock().expect("not poisoned").push(head);
                let answer = answer.replace("{port}", &port.to_string());
                // Whoever has heard enough hangs up.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn ok(headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

fn moved(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: {to}\r\n\r\n")
}

fn get(url: &str, reach: Reach) -> Result<Fetched, String> {
    fetch(
        url,
        reach,
        None,
        Duration::from_secs(30),
        &CancellationToken::new(),
    )
}

#[test]
fn addresses_that_only_we_can_reach_are_not_public() {
    for denied in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.0.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.19.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        let address: IpAddr = denied.parse().expect(denied);
        assert!(!address::is_public(address), "{denied}");
    }
    for public in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.0.0.1",
        "128.0.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.167.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2606:4700::1111",
        "2a00:1450::1",
    ] {
        let address: IpAddr = public.parse().expect(public);
        assert!(address::is_public(address), "{public}");
    }
}

#[test]
fn however_it_is_written_this_machine_is_not_asked() {
    let server = Server::start(vec![ok("", "text\na\n"); 20]);
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "127.0.0.1.",
        "LOCALHOST",
    ] {
        let url = format!("http://{host}:{}/a.csv", server.port);
        let error = get(&url, Reach::Public).expect_err(host);
        assert!(
            error.contains("not a public address") || error.contains("cannot be fetched"),
            "{host}: {error}"
        );
    }
    assert_eq!(server.asked(), 0, "nobody connected");
    assert!(get(&server.url("a.csv"), Reach::Anywhere).is_ok());
    assert_eq!(server.asked(), 1);
}

#[test]
fn other_schemes_are_refused() {
    for (url, expected) in [
        ("http://", "is no address of the web"),
        ("gopher://127.0.0.1/", "cannot be fetched"),
        ("file:///etc/passwd", "is no address of the web"),
    ] {
        let error = get(url, Reach::Anywhere).expect_err(url);
        assert!(error.contains(expected), "{url}: {error}");
    }
}

#[test]
fn a_password_goes_to_its_host_and_nowhere_else() {
    let server = Server::start(vec![
        moved("http://127.0.0.1:{port}/next"),
        "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".into(),
    ]);
    let url = format!("http://user:secret@127.0.0.1:{}/first", server.port);
    let error = get(&url, Reach::Anywhere).expect_err("forbidden");
    assert!(!error.contains("secret"), "{error}");
    let heads = server.heads.lock().expect("not poisoned").clone();
    let is_sent = heads
        .iter()
        .map(|head| head.to_lowercase().contains("authorization: basic "));
    assert_eq!(is_sent.collect::<Vec<_>>(), [true, false]);
    for (place, name) in [
        ("https://user:secret@host/a/b.json?token=1", "b.json"),
        ("https://user:secret@host", "host"),
        ("/a/b.csv", "b.csv"),
        ("/", "the data set"),
    ] {
        assert_eq!(name_of(place), name);
    }
}

#[test]
fn redirects_are_followed_three_times_and_to_the_web_only() {
    let lead = |count: usize| {
        let mut answers = vec![moved("http://127.0.0.1:{port}/next"); count];
        answers.push(ok("", "text\na\n"));
        let server = Server::start(answers);
        get(&server.url("first"), Reach::Anywhere)
    };
    assert!(lead(3).is_ok());
    assert_eq!(
        lead(4),
        Err("cannot be fetched: it leads on more than 3 times".into())
    );
    for to in ["file:///etc/passwd", "gopher://127.0.0.1/"] {
        let server = Server::start(vec![moved(to)]);
        get(&server.url("first"), Reach::Anywhere).expect_err(to);
    }
}

#[test]
fn what_is_too_large_or_wrong_is_said() {
    let server = Server::start(vec![
        "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\nab".into(),
        "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".into(),
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nab".into(),
        "nonsense\r\n\r\n".into(),
    ]);
    let mut said = Vec::new();
    for path in ["large", "missing", "short", "nonsense"] {
        said.push(get(&server.url(path), Reach::Anywhere).expect_err(path));
    }
    assert_eq!(said[0], "has 10240 MiB; at most 256 MiB are read");
    assert_eq!(said[1], "cannot be fetched: the server answers 404 Not Found");
    assert!(said[2].starts_with("cannot be fetched: "), "{}", said[2]);
    assert!(said[3].starts_with("cannot be fetched: "), "{}", said[3]);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let patience = Duration::from_millis(50);
    let said = fetch(&url, Reach::Anywhere, None, patience, &CancellationToken::new());
    assert_eq!(said, Err("cannot be fetched: it takes too long".into()));
}

fn workload(place: &str) -> Workload {
    let spec = autotuner_core::spec::TaskSpec::from_value(&serde_json::json!({
        "task_name": "t", "base_runtime": "sim", "model": { "id_or_path": "m" }, "parameters": {},
        "optimization": {}, "benchmark": { "dataset_url": place }
    }))
    .expect("sound")
    .spec;
    spec.resolve().expect("sound").workload
}

async fn questions(library: &Library, place: &str) -> Result<Vec<String>, String> {
    let mut workload = workload(place);
    library
        .fill(&mut workload, &CancellationToken::new())
        .await
        .map_err(|problem| problem.to_string())?;
    assert_eq!(workload.check(), Ok(()));
    assert_eq!(workload.scenarios, [Scenario::DataSet]);
    let Texts::Read(set) = workload.content.texts else {
        panic!("nothing read")
    };
    Ok(set
        .entries
        .iter()
        .map(|entry| entry.turns[0].question.clone())
        .collect())
}

#[tokio::test]
async fn what_has_not_changed_is_not_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let unchanged = "HTTP/1.1 304 Not Modified\r\nconnection: close\r\netag: \"1\"\r\n\r\n";
    let server = Server::start(vec![
        ok("etag: \"1\"\r\n", "text\none\n"),
        unchanged.into(),
        ok("etag: \"2\"\r\n", "text\ntwo\n"),
        ok("", "text\nthree\n"),
    ]);
    let library = Library::of_this_user(folder.path(), folder.path());
    let url = server.url("a.csv?token=1");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend(questions(&library, &url).await.expect("read"));
    }
    assert_eq!(seen, ["one", "one", "two"]);
    // A content that is not what its name says is not believed.
    for kept in std::fs::read_dir(folder.path().join("datasets")).expect("kept") {
        let path = kept.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "data") {
            std::fs::write(path, "text\nforged\n").expect("written");
        }
    }
    assert_eq!(questions(&library, &url).await, Ok(vec!["three".to_owned()]));
    let heads = server.heads.lock().expect("not poisoned").clone();
    let tags = heads
        .iter()
        .map(|head| head.to_lowercase().contains("if-none-match"));
    assert_eq!(tags.collect::<Vec<_>>(), [false, true, true, false]);
}

#[tokio::test]
async fn files_are_read_and_nothing_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("canonical");
    std::fs::write(root.join("a.jsonl"), "{\"prompt\": \"p\"}\n").expect("written");
    nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let library = Library::of_server(&root.join("data"), &root);
    let absolute = root.join("a.jsonl").display().to_string();
    for place in [
        "a.jsonl",
        &absolute,
        &format!("file://{absolute}"),
        &format!("file://localhost{absolute}"),
    ] {
        assert_eq!(
            questions(&library, place).await,
            Ok(vec!["p".to_owned()]),
            "{place}"
        );
    }
    for (place, expected) in [
        ("none.csv", "benchmark.dataset_url: cannot read "),
        ("pipe", "benchmark.dataset_url: "),
        (".", "benchmark.dataset_url: "),
    ] {
        let error = questions(&library, place).await.expect_err(place);
        assert!(error.starts_with(expected), "{place}: {error}");
    }
    let error = questions(&library, "pipe").await.expect_err("a pipe");
    assert!(error.ends_with("pipe is no file"), "{error}");
}

#[tokio::test]
async fn a_trace_becomes_the_arrivals() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "{\"timestamp\": 5, \"input_length\": 6, \"output_length\": 7}";
    std::fs::write(folder.path().join("t.jsonl"), text).expect("written");
    let mut workload = workload("unused");
    workload.sources = Sources {
        dataset: None,
        trace: Some(Source {
            place: "t.jsonl".into(),
            deduplicate: false,
        }),
    };
    let library = Library::of_this_user(folder.path(), folder.path());
    library
        .fill(&mut workload, &CancellationToken::new())
        .await
        .expect("read");
    let Arrival::Trace { starts } = &workload.arrival else {
        panic!("{:?}", workload.arrival)
    };
    assert_eq!(starts.len(), 1);
    assert_eq!(workload.sources, Sources::default());
    assert_eq!(workload.max_requests_per_level, 1, "there are no more");
}
