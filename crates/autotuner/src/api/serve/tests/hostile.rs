//! What an attacker who is logged in sends: paths that lead elsewhere, documents that are bombs.

use super::roles::FOR_VIEWERS;
use super::*;

/// Payloads for each parameter of each route.
const PAYLOADS_EACH: usize = 100;

/// Texts that lead out of a folder for some decoder, to something worth reading.
fn paths_that_lead_elsewhere() -> Vec<String> {
    let ups = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "%2E%2E%2F",
        "..%252f",
        "%252e%252e%252f",
        "..%5c",
        "%2e%2e%5c",
        "%c0%ae%c0%ae%c0%af",
        "..%c0%af",
        "%uff0e%uff0e%u2215",
        "....//",
        "..;/",
        ".%00./",
        "..%00/",
        "%2e./",
        ".%2e/",
        "..%ef%bc%8f",
        "%ff%fe",
    ];
    let aims = [
        "etc/passwd",
        "proc/self/environ",
        "token",
        "autotuner.db",
        "root/.ssh/id_rsa",
    ];
    let ends = ["", "%00", "%00.log", "%0a", "/.", "%23", "%3f", ".log"];
    let mut texts = Vec::new();
    for (index, up) in ups.iter().enumerate() {
        for aim in aims {
            for (depth, end) in ends.iter().enumerate() {
                texts.push(format!("{}{aim}{end}", up.repeat(1 + (depth + index) % 9)));
            }
        }
    }
    texts.extend(
        [
            "%2fetc%2fpasswd",
            "file:%2f%2f%2fetc%2fpasswd",
            "%5c%5cevil.example%5cshare",
            "C:%5cwindows%5cwin.ini",
            "~",
            "~root",
            "%24HOME",
            "%24(id)",
            "%60id%60",
            "%7cid",
            ";id",
            "%26%26id",
            "--help",
            "-rf",
            "%0d%0aSet-Cookie:x=y",
            "%00",
            "%0a",
            "'%20OR%201=1--",
            "1%20OR%201=1",
            "1;DROP%20TABLE%20tasks",
            "%22%3e%3cscript%3e",
            "9223372036854775808",
            "-9223372036854775809",
            "1e9",
            "0x1",
            "+1",
            "%201",
            "1%20",
            "NaN",
            "null",
            "undefined",
            "%f0%9f%92%a9",
            "%e2%80%ae",
            "{{7*7}}",
            "%7B%7B7*7%7D%7D",
            "*",
            "%25",
            "%25s%25n",
            "..",
            ".",
            "%2e",
            "%2e%2e",
        ]
        .map(str::to_owned),
    );
    texts.push("a".repeat(4_000));
    texts.push("%41".repeat(2_000));
    texts
}

/// A secret file's contents, if an answer has them.
fn leak(text: &str) -> bool {
    text.contains("root:x:0:0") || text.contains("SQLite format 3") || text.contains("CANARY-FILE")
}

#[tokio::test]
async fn no_parameter_leads_out_of_our_folders() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    std::fs::write(asked.test.folder().join("token"), "CANARY-FILE").unwrap();
    let payloads = paths_that_lead_elsewhere();
    let mut payload = payloads.iter().cycle();
    let before = asked.test.census().await;
    let mut requests = 0;
    for operation in operations() {
        let mut uris = Vec::new();
        for (name, _) in &operation.path_parameters {
            for text in payload.by_ref().take(PAYLOADS_EACH) {
                let path = operation.path.replace(&format!("{{{name}}}"), text);
                uris.push(
                    Operation {
                        path,
                        ..operation.clone()
                    }
                    .sample(),
                );
            }
        }
        for name in &operation.query_parameters {
            for text in payload.by_ref().take(PAYLOADS_EACH) {
                uris.push(format!("{}?{name}={text}", operation.sample()));
            }
        }
        for uri in uris {
            let builder = request(&operation.method, &uri).header(AUTHORIZATION, &admin);
            let Ok(request) = builder.body(Body::empty()) else {
                continue;
            };
            let answer = asked.ask(request).await;
            let told = format!("{} {uri}: {answer:?}", operation.method);
            let is_ours = operation.path == "/readyz" || answer.status == StatusCode::SERVICE_UNAVAILABLE;
            assert!(answer.status.as_u16() < 500 || is_ours, "{told}");
            assert!(!leak(&answer.text), "{told}");
            if operation.is_change() && !FOR_VIEWERS.contains(&operation.name().as_str()) {
                assert!(answer.status.is_client_error() || is_ours, "{told}");
            }
            requests += 1;
        }
    }
    let after = asked.test.census().await;
    assert_eq!(after[..4], before[..4]);
    // Some paths could be the name of an image, and who wants one gone is on record before it is
    // tried. There is no daemon here to do it.
    let page = autotuner_store::Page {
        skip: 0,
        limit: after[4] - before[4],
    };
    let tried = asked.test.service.database.audit(page).await.unwrap();
    assert!(
        tried.rows.iter().all(|row| row.action == "image.remove"),
        "{:?}",
        tried.rows
    );
    println!(
        "{requests} requests with {} paths: 0 server errors, 0 effects",
        payloads.len()
    );
}

/// A task document, with these parameters.
fn document(name: &str, parameters: &str) -> String {
    format!(
        r#"{{"task_name": {name}, "deployment_mode": "local", "base_runtime": "sim",
        "model": {{"id_or_path": "sim-model"}}, "parameters": {parameters},
        "optimization": {{"strategy": "grid_search", "objective": "maximize_throughput"}},
        "benchmark": {{"traffic_scenarios": ["D(64,32)"], "num_concurrency": [16]}}}}"#
    )
}

/// Bodies that are refused by every route that changes something.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let axis = |count: usize| {
        let values: Vec<String> = (0..count).map(|value| value.to_string()).collect();
        values.join(",")
    };
    let grid = |axes: usize, values: usize| {
        let axes: Vec<String> = (0..axes)
            .map(|number| format!(r#""axis-{number}": [{}]"#, axis(values)))
            .collect();
        document("\"bomb\"", &format!("{{{}}}", axes.join(",")))
    };
    let digits = "9".repeat(100);
    let texts = [
        ("deep lists", "[".repeat(10_000)),
        (
            "deep lists, closed",
            format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
        ("deep objects", r#"{"a":"#.repeat(10_000)),
        (
            "deep in a document",
            document(
                "\"bomb\"",
                &format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000)),
            ),
        ),
        (
            "the same key twice",
            r#"{"name": "a", "name": "b", "role": "admin"}"#.into(),
        ),
        (
            "a document's key twice",
            document("\"bomb\", \"task_name\": \"bomb\"", "{\"max-num-seqs\": [4]}"),
        ),
        ("a number of 100 digits", digits.clone()),
        ("a number of many digits", "1".repeat(100_000)),
        (
            "an exponent",
            document("\"bomb\"", r#"{"max-num-seqs": [1e999]}"#),
        ),
        ("not a number", document("\"bomb\"", r#"{"max-num-seqs": [NaN]}"#)),
        (
            "infinity",
            document("\"bomb\"", r#"{"max-num-seqs": [-Infinity]}"#),
        ),
        (
            "a long axis",
            document("\"bomb\"", &format!(r#"{{"max-num-seqs": [{}]}}"#, axis(20_000))),
        ),
        (
            "a longer axis",
            document(
                "\"bomb\"",
                &format!(r#"{{"max-num-seqs": [{}]}}"#, axis(1_000_000)),
            ),
        ),
        ("a large grid", grid(18, 10)),
        ("a larger grid", grid(200, 50)),
        (
            "a huge range",
            document(
                "\"bomb\"",
                r#"{"x": {"type": "integer", "low": -9223372036854775808, "high": 9223372036854775807}}"#,
            ),
        ),
        ("many parameters", grid(2_000, 2)),
        (
            "a long name",
            document(&format!("\"{}\"", "n".repeat(100_000)), "{\"max-num-seqs\": [4]}"),
        ),
        (
            "a name with a line break",
            document(r#""a\nb""#, "{\"max-num-seqs\": [4]}"),
        ),
        (
            "a name with a NUL",
            document(r#""a\u0000b""#, "{\"max-num-seqs\": [4]}"),
        ),
        (
            "half a surrogate",
            document(r#""\ud800""#, "{\"max-num-seqs\": [4]}"),
        ),
        ("nothing", String::new()),
        ("null", "null".into()),
        ("a list", "[]".into()),
        ("a list of lists", "[[]]".into()),
        ("a text", "\"x\"".into()),
        ("an empty object", "{}".into()),
        (
            "an unknown key",
            r#"{"__proto__": {"admin": true}, "constructor": {}}"#.into(),
        ),
        ("broken off", r#"{"name": "#.into()),
        (
            "something after it",
            r#"{"name": "a", "role": "viewer"} {"#.into(),
        ),
        (
            "YAML aliases",
            "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nname: *c".into(),
        ),
    ];
    let mut bodies: Vec<(&str, Vec<u8>)> = texts.map(|(name, text)| (name, text.into_bytes())).into();
    bodies.push((
        "not UTF-8",
        b"{\"name\": \"\xff\xfe\", \"role\": \"admin\"}".to_vec(),
    ));
    bodies.push((
        "a byte order mark inside",
        b"{\xef\xbb\xbf\"name\": \"a\"}".to_vec(),
    ));
    bodies.push(("UTF-16", b"{\0\"\0n\0\"\0".to_vec()));
    bodies.push(("NULs", vec![0; 100_000]));
    for name in INJECTIONS {
        let key = serde_json::to_string(name).expect("text");
        bodies.push((
            name,
            document("\"bomb\"", &format!("{{{key}: [4]}}")).into_bytes(),
        ));
    }
    bodies
}

/// Bodies that say nothing, which some routes may take.
const NOTHING: [&str; 3] = ["nothing", "null", "an empty object"];

/// Bodies that are bombs to a task, and lists of values or nothing to a preset, which runs nothing
/// and overlooks what it does not know.
const LISTS: [&str; 8] = [
    "a large grid",
    "a larger grid",
    "a long name",
    "a name with a line break",
    "a name with a NUL",
    "an unknown key",
    "host",
    "port",
];

/// Names of parameters that would be something else for an engine or a shell.
const INJECTIONS: [&str; 22] = [
    "",
    "-",
    "--",
    "max-num-seqs --trust-remote-code",
    "max-num-seqs=4 --host",
    "max-num-seqs\n--trust-remote-code",
    "max-num-seqs\0",
    "max-num-seqs;id",
    "max-num-seqs|id",
    "max-num-seqs&&id",
    "$(id)",
    "`id`",
    "${IFS}id",
    "../max-num-seqs",
    "max num seqs",
    "max\u{2011}num\u{2011}seqs",
    "\u{202e}sqes-mun-xam",
    "host",
    "port",
    "trust-remote-code\r\n",
    "a\tb",
    "max-num-seqs'",
];

#[tokio::test]
async fn no_document_is_a_bomb() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    let bombs = bombs();
    let (task, preset) = asked.test.something_to_lose().await;
    let before = asked.test.census().await;
    let mut requests = 0;
    let mut taken = Vec::new();
    for operation in operations().iter().filter(|operation| operation.has_body) {
        let name = operation.name();
        let is_preset = name.contains("/presets/");
        let id = if is_preset { preset } else { task };
        for (bomb, body) in &bombs {
            // A large body is much the same in YAML, and takes its time.
            let kinds = ["application/json", "application/yaml"].into_iter();
            for kind in kinds.take(if body.len() > 50_000 { 1 } else { 2 }) {
                // These are aimed at nothing.
                let uri = match operation.sample() {
                    uri if NOTHING.contains(bomb) || (is_preset && LISTS.contains(bomb)) => uri,
                    uri => uri.replace("999999", &id.to_string()),
                };
                let builder = request(&operation.method, &uri)
                    .header(AUTHORIZATION, &admin)
                    .header(CONTENT_TYPE, kind);
                let answer = asked.ask(builder.body(Body::from(body.clone())).unwrap()).await;
                let told = format!(
                    "{name} with {bomb} as {kind}: {} {:.300}",
                    answer.status, answer.text
                );
                assert!(answer.status.as_u16() < 500, "{told}");
                let is_limited = answer.status == StatusCode::TOO_MANY_REQUESTS;
                // An import says of each document what came of it: here, that none was kept.
                let is_import = name == "POST /api/tasks/import" && answer.text.contains("\"imported\":0");
                let is_refused = answer.status.is_client_error() || is_import;
                if !is_refused && !FOR_VIEWERS.contains(&name.as_str()) {
                    taken.push(told.clone());
                }
                assert!(!is_limited || operation.is_public, "{told}");
                requests += 1;
            }
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
    assert_eq!(asked.test.census().await, before);
    println!(
        "{requests} requests with {} bodies: 0 server errors, 0 effects",
        bombs.len()
    );
}

#[tokio::test]
async fn no_body_is_unpacked() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    let before = asked.test.census().await;
    for operation in operations().iter().filter(|operation| operation.is_change()) {
        for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "x-gzip"] {
            let builder = request(&operation.method, &operation.sample())
                .header(AUTHORIZATION, &admin)
                .header("content-encoding", encoding);
            let answer = asked.ask(json(builder, vec![0x1f, 0x8b, 8, 0])).await;
            let told = format!("{} {encoding}", operation.name());
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{told}");
        }
    }
    assert_eq!(asked.test.census().await, before);
}
