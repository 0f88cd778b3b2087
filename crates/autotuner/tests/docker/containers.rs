//! The daemon's containers over the REST API of a server that runs.
//!
//! Every test makes containers of its own, of which some carry this server's labels and others
//! nobody's. Whoever else uses the daemon is left alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::harbour::{Harbour, docker};
use crate::served::{DEADLINE, Image, Made, Server, unique};
use crate::support::sim_task;

/// Requests with names that nobody gave anything, or nothing of ours.
const HOSTILE: usize = 1000;

#[expect(clippy::print_stdout, reason = "the figures are what these tests are for")]
fn say(line: &str) {
    println!("{line}");
}

/// Everything that `/api/events` tells of a container, until it is gone.
fn listen(server: &Server, name: &str) -> std::thread::JoinHandle<Vec<Value>> {
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let token = &server.tokens["viewer"];
    let request = format!(
        "GET /api/events HTTP/1.0\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut lines = BufReader::new(stream).lines();
    let is_hello = |line: std::io::Result<String>| line.expect("it goes on").contains("\"hello\"");
    assert!(lines.by_ref().any(is_hello));
    let name = name.to_owned();
    std::thread::spawn(move || {
        let mut heard = Vec::new();
        for line in lines {
            let line = line.expect("it goes on");
            let Some(data) = line.strip_prefix("data: ") else {
                continue;
            };
            let event: Value = serde_json::from_str(data).expect("events are JSON");
            if event["type"] == "container_changed" && event["data"]["name"] == name.as_str() {
                let is_last = event["data"]["action"] == "destroy";
                heard.push(event["data"].clone());
                if is_last {
                    break;
                }
            }
        }
        heard
    })
}

/// The keys of a JSON text in their order.
fn keys_of(text: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).expect("JSON");
    let keys = value.as_object().expect("an object").keys();
    let mut keys: Vec<String> = keys.cloned().collect();
    keys.sort_by_key(|key| text.find(&format!("\"{key}\":")));
    keys
}

#[test]
fn nine_operations_have_the_contract_s_shapes_and_texts() {
    let Some(image) = Image::new() else { return };
    let server = Server::new(&[]);
    let instance = server.claim();
    let mut task = sim_task(&json!({"max-num-seqs": [4]}));
    task["task_name"] = "of the test".into();
    task["engine"]["args"] = json!(["--startup-seconds", "50"]);
    let task = server
        .ask("admin", "POST", "/api/tasks", Some(&task))
        .is(201)
        .json();
    let made = Made::new(
        &image,
        &server.labels(&instance, "of the test"),
        &["/usr/bin/sleep", "1000"],
    );
    let heard = listen(&server, &made.name);
    let at = |rest: &str| format!("/api/docker/containers/{}{rest}", made.name);
    let did = |method: &str, rest: &str, word: &str| {
        let done = server.ask("operator", method, &at(rest), None).is(200).json();
        let message = format!("Container {} {word} successfully", made.name);
        assert_eq!(done, json!({"message": message}));
    };
    let state = || server.get(&at("")).is(200).json()["state"].clone();

    let found = server.get(&at("")).is(200);
    let contract = [
        "id",
        "short_id",
        "name",
        "image",
        "status",
        "state",
        "created",
        "started_at",
        "finished_at",
        "ports",
        "labels",
        "command",
    ];
    assert_eq!(keys_of(&found.text)[..12], contract);
    let one = found.json();
    assert_eq!((&one["id"], &one["name"]), (&json!(made.id), &json!(made.name)));
    assert_eq!(one["short_id"], made.id[..12]);
    assert_eq!(
        (&one["status"], &one["state"]),
        (&json!("created"), &json!("created"))
    );
    assert_eq!(
        (&one["started_at"], &one["exit_code"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&one["command"], &one["image"]),
        (&json!("/usr/bin/sleep 1000"), &json!(image.0))
    );
    assert!(one["created"].as_str().expect("a time").ends_with('Z'));
    assert_eq!(
        (&one["is_ours"], &one["manageable"]),
        (&json!(true), &json!(false)),
        "a viewer looks"
    );
    assert_eq!(
        (&one["task_name"], &one["task_id"]),
        (&json!("of the test"), &task["id"])
    );
    assert_eq!((&one["experiment_id"], &one["attempt"]), (&json!(3), &json!(2)));
    assert!(!found.text.contains("secret-value"), "{}", found.text);

    did("POST", "/start", "started");
    did("POST", "/start", "started");
    assert_eq!(state(), "running");
    let listed = server
        .ask("operator", "GET", "/api/docker/containers", None)
        .is(200)
        .json();
    let listed = listed.as_array().expect("a list");
    let listed = listed
        .iter()
        .find(|container| container["id"] == made.id.as_str())
        .expect("listed");
    assert_eq!(
        (&listed["state"], &listed["manageable"]),
        (&json!("running"), &json!(true))
    );
    assert_eq!(listed["task_id"], task["id"]);
    assert!(listed["started_at"].is_string());
    did("POST", "/pause", "paused");
    assert_eq!(state(), "paused");
    let refused = server.post("operator", &at("/start")).is(409).json();
    assert_eq!(
        refused["detail"],
        "cannot start a paused container, try unpause instead"
    );
    assert_eq!(refused["hint"], "unpause it first");
    did("POST", "/unpause", "unpaused");
    did("POST", "/restart?timeout=5", "restarted");
    let refused = server.ask("operator", "DELETE", &at(""), None).is(409).json();
    assert!(
        refused["detail"].as_str().expect("a text").contains(&made.id),
        "{refused}"
    );
    assert_eq!(refused["code"], "conflict");

    server
        .post("admin", &format!("/api/tasks/{}/start", task["id"]))
        .is(200);
    let stopped = server.post("operator", &at("/stop?timeout=3")).is(200).json();
    assert_eq!(
        stopped["message"],
        format!("Container {} stopped successfully", made.name)
    );
    let warning = stopped["warning"].as_str().expect("a warning");
    assert!(
        warning.starts_with("Experiment 3 of the running task 'of the test'"),
        "{warning}"
    );
    let one = server.get(&at("")).json();
    assert_eq!(
        (&one["state"], &one["exit_code"]),
        (&json!("exited"), &json!(137))
    );
    assert!(one["finished_at"].is_string());
    let listed = server.get("/api/docker/containers?all=false").is(200);
    assert!(!listed.text.contains(&made.id));
    for wrong in ["/stop?timeout=-1", "/stop?timeout=601", "/restart?timeout=x"] {
        server.post("operator", &at(wrong)).is(422);
    }
    server
        .ask("operator", "DELETE", &at("?force=maybe"), None)
        .is(422);
    did("DELETE", "?force=true", "removed");
    let gone = server.get(&at("")).is(404).json();
    assert_eq!(gone["detail"], format!("Container {} not found", made.name));
    let gone = server.ask("operator", "DELETE", &at(""), None).is(404).json();
    assert_eq!(gone["detail"], format!("Container {} not found", made.name));

    let heard = heard.join().expect("it was heard of");
    let actions: Vec<&str> = heard.iter().filter_map(|data| data["action"].as_str()).collect();
    for action in ["start", "pause", "unpause", "die", "destroy"] {
        assert!(actions.contains(&action), "{action} is missing: {actions:?}");
    }
    assert!(
        heard
            .iter()
            .all(|data| data["task"] == "of the test" && data["experiment"] == 3)
    );
    let words: Vec<String> = server
        .audited(&made)
        .into_iter()
        .map(|(_, action)| action)
        .collect();
    let expected = [
        "start",
        "start",
        "pause",
        "start",
        "start.failed",
        "unpause",
        "restart",
        "remove",
        "remove.failed",
        "stop",
        "remove",
    ];
    assert_eq!(words, expected.map(|word| format!("container.{word}")));

    let info = server.get("/api/docker/info").is(200);
    let contract = [
        "version",
        "api_version",
        "containers",
        "containers_running",
        "containers_paused",
        "containers_stopped",
        "images",
        "driver",
        "memory_total",
        "cpus",
        "operating_system",
        "architecture",
    ];
    assert_eq!(keys_of(&info.text)[..12], contract);
    let info = info.json();
    assert!(
        info["memory_total"].as_str().expect("a text").ends_with('B'),
        "{info}"
    );
    assert!(info["cpus"].as_u64() >= Some(1), "{info}");
    server.end();
}

#[test]
fn a_container_that_cannot_start_is_the_caller_s_or_the_daemon_s_fault() {
    let Some(image) = Image::new() else { return };
    let server = Server::new(&["--manage-all-containers"]);
    let broken = Made::new(&image, &[], &["/nothing/here"]);
    let path = format!("/api/docker/containers/{}/start", broken.id);
    let refused = server.post("admin", &path).is(400).json();
    assert_eq!(refused["code"], "invalid", "{refused}");
    assert!(
        refused["detail"]
            .as_str()
            .expect("a text")
            .contains("/nothing/here")
    );
    let found = server
        .get(&format!("/api/docker/containers/{}", broken.id))
        .json();
    assert_eq!(found["state"], "created");
    assert!(found["error"].is_string(), "{found}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let name = format!("autotuner-test-{}", unique());
    let published = format!("127.0.0.1:{port}:80");
    let arguments = ["create", "--name", &name, "--publish", &published, &image.0];
    let id = docker(&[&arguments[..], &["/usr/bin/sleep", "1000"]].concat()).expect("created");
    let clash = Made { id, name };
    let path = format!("/api/docker/containers/{}/start", clash.name);
    let refused = server.post("admin", &path).is(500).json();
    assert_eq!(refused["code"], "docker_error", "{refused}");
    let detail = refused["detail"].as_str().expect("a text");
    assert!(detail.starts_with("Docker API error: "), "{detail}");
    assert!(detail.contains(&port.to_string()), "{detail}");
    server.end();
}

#[test]
fn strangers_containers_are_for_admins_where_the_server_allows_it() {
    let Some(image) = Image::new() else { return };
    let foreign = Made::foreign(&image);
    docker(&["start", &foreign.id]).expect("started");
    let before = foreign.state();
    let verbs = [
        ("POST", "/start"),
        ("POST", "/stop"),
        ("POST", "/restart"),
        ("POST", "/pause"),
        ("POST", "/unpause"),
        ("DELETE", "?force=true"),
    ];
    let at = |rest: &str| format!("/api/docker/containers/{}{rest}", foreign.name);

    let closed = Server::new(&[]);
    let found = closed.ask("admin", "GET", &at(""), None).is(200).json();
    assert_eq!(
        (&found["is_ours"], &found["manageable"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        (&found["task_name"], &found["experiment_id"]),
        (&Value::Null, &Value::Null)
    );
    for role in ["viewer", "operator", "admin"] {
        for (method, rest) in verbs {
            let refused = closed.ask(role, method, &at(rest), None).is(403).json();
            if role == "viewer" {
                assert_eq!(refused["code"], "forbidden");
                continue;
            }
            assert_eq!(refused["code"], "not_ours");
            let hint = refused["hint"].as_str().expect("a hint");
            assert!(hint.contains("--manage-all-containers"), "{hint}");
        }
        assert_eq!(foreign.state(), before, "{role}");
    }
    let audited = closed.audited(&foreign);
    assert_eq!(audited.len(), 12);
    assert!(
        audited.iter().all(|(_, action)| action.ends_with(".refused")),
        "{audited:?}"
    );
    let bulk = json!({"action": "remove", "force": true, "ids": [foreign.name, "nobody", "../x"]});
    let answer = closed
        .ask("admin", "POST", "/api/docker/containers/bulk", Some(&bulk))
        .is(200)
        .json();
    let codes: Vec<&Value> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| &result["error"]["code"])
        .collect();
    assert_eq!(codes, ["not_ours", "not_found", "bad_path"]);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(0), &json!(3)));
    assert_eq!(foreign.state(), before);
    closed.end();

    let open = Server::new(&["--manage-all-containers"]);
    let refused = open.post("operator", &at("/stop")).is(403).json();
    assert_eq!(refused["code"], "not_ours");
    let found = open.ask("admin", "GET", &at(""), None).json();
    assert_eq!(found["manageable"], true);
    open.post("admin", &at("/stop?timeout=1")).is(200);
    let bulk = json!({"action": "start", "ids": [foreign.name, foreign.name, foreign.id, &foreign.id[..12]]});
    let answer = open
        .ask("admin", "POST", "/api/docker/containers/bulk", Some(&bulk))
        .is(200)
        .json();
    assert_eq!(
        (&answer["action"], &answer["succeeded"], &answer["failed"]),
        (&json!("start"), &json!(3), &json!(0)),
        "{answer}"
    );
    let message = format!("Container {} started successfully", foreign.name);
    assert_eq!(answer["results"][0]["message"], message);
    let bulk = json!({"action": "stopp", "ids": [1], "force": 1, "timeout": 601, "x": 0});
    let wrong = open
        .ask("admin", "POST", "/api/docker/containers/bulk", Some(&bulk))
        .is(422)
        .json();
    assert_eq!(wrong["problems"].as_array().map(Vec::len), Some(5), "{wrong}");
    check_commands(&open, &foreign);
    open.ask("admin", "DELETE", &at("?force=true"), None).is(200);
    assert_eq!(foreign.state(), "");
    open.end();
}

/// The same from the command line, which finds the server by its data directory.
fn check_commands(server: &Server, made: &Made) {
    let run = |arguments: &[&str]| server.harbour.run(&[&["containers"], arguments].concat());
    let listed = run(&["list", "--json"]).expect(0).json();
    let listed = listed.as_array().expect("a list").iter();
    let found = listed.filter(|container| container["name"] == made.name.as_str());
    assert_eq!(found.count(), 1);
    assert!(run(&["list", "--running"]).expect(0).stdout.contains(&made.name));
    assert!(!run(&["list", "--ours"]).expect(0).stdout.contains(&made.name));
    run(&["stop", &made.name, "--timeout", "1"])
        .expect(0)
        .says(&[&format!("Container {} stopped successfully", made.name)]);
    assert!(run(&[]).expect(0).stdout.contains("exited with 137"));
    run(&["start", "nobody-has-this-name", &made.name])
        .expect(1)
        .says(&["Container nobody-has-this-name not found", "started successfully"]);
    run(&["rm", &made.name])
        .expect(1)
        .says(&["error: ", "hint: stop it first"]);
    run(&["stop", &made.name, "--timeout", "601"]).expect(2);
    let results = run(&["restart", &made.name, "--timeout", "0", "--json"])
        .expect(0)
        .json();
    assert_eq!(results[0]["ok"], true);
}

/// Numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % below
    }
}

/// A name in a path: of another's container, of none, or what leads elsewhere for some decoder.
fn hostile(numbers: &mut Numbers, foreign: &Made) -> String {
    const TRICKS: [&str; 24] = [
        "..",
        ".",
        "%2e%2e",
        "..%2f..%2fetc",
        "..%2fjson",
        "%2e%2e%2finfo",
        "../json",
        "../../info",
        "..;/info",
        "a%2fb",
        "a%00b",
        "%00",
        "a%0d%0aX-Y:%20z",
        "'",
        "*",
        "%252e%252e%252f",
        "a%3Fforce=true",
        "a%23b",
        "json",
        "prune",
        "create",
        "%ff%fe",
        "%e6%a8%a1%e5%9e%8b",
        "a%20b",
    ];
    let hexadecimal = |numbers: &mut Numbers, length: usize| {
        (0..length).fold(String::new(), |mut text, _| {
            let _ = write!(text, "{:x}", numbers.next(16));
            text
        })
    };
    match numbers.next(8) {
        0 => foreign.name.clone(),
        1 => foreign.id.clone(),
        2 => foreign.id[..=numbers.next(63)].to_owned(),
        3 => hexadecimal(numbers, 64),
        4 => {
            let length = 12 + numbers.next(20);
            hexadecimal(numbers, length)
        }
        5 => format!("{}x", foreign.name),
        6 => "x".repeat(1 + numbers.next(5000)),
        _ => {
            let trick = TRICKS[numbers.next(TRICKS.len())];
            match numbers.next(2) {
                0 => trick.to_owned(),
                _ => format!("{}{trick}", foreign.id),
            }
        }
    }
}

#[test]
fn no_name_leads_to_a_container_that_is_not_ours() {
    let Some(image) = Image::new() else { return };
    let (running, created) = (Made::foreign(&image), Made::foreign(&image));
    docker(&["start", &running.id]).expect("started");
    let server = Server::new(&[]);
    let before = (running.state(), created.state());
    let verbs = [
        ("POST", "/start"),
        ("POST", "/stop?timeout=0"),
        ("POST", "/restart?timeout=0"),
        ("POST", "/pause"),
        ("POST", "/unpause"),
        ("DELETE", "?force=true"),
        ("DELETE", ""),
    ];
    let mut numbers = Numbers(2026);
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    for number in 0..HOSTILE {
        let foreign = if number % 2 == 0 { &running } else { &created };
        let name = hostile(&mut numbers, foreign);
        let (method, rest) = verbs[numbers.next(verbs.len())];
        let role = if numbers.next(2) == 0 { "operator" } else { "admin" };
        let (status, answer) = server.ask_raw(role, method, &format!("/api/docker/containers/{name}{rest}"));
        assert!((400..500).contains(&status), "{method} {name}{rest}: {answer}");
        *counts.entry(status).or_default() += 1;
    }
    assert_eq!((running.state(), created.state()), before);
    say(&format!(
        "{HOSTILE} hostile requests: 0 effects, 0 server errors; answers {counts:?}"
    ));
    assert!(counts.contains_key(&403) && counts.contains_key(&404) && counts.contains_key(&422));
    server.end();
}

/// Asks everything of a server without a daemon.
fn check_without_daemon(server: &Server, remedy: &str) {
    let gets = [
        "/api/docker/containers",
        "/api/docker/containers/some",
        "/api/docker/info",
    ];
    let posts = ["start", "stop", "restart", "pause", "unpause"];
    let posts = posts.map(|verb| format!("/api/docker/containers/some/{verb}"));
    let asked = gets.iter().map(|path| ("GET", (*path).to_owned()));
    let asked = asked.chain(posts.map(|path| ("POST", path)));
    let asked = asked.chain([("DELETE", "/api/docker/containers/some".to_owned())]);
    for (method, path) in asked {
        let refused = server.ask("admin", method, &path, None).is(503).json();
        let detail = refused["detail"].as_str().expect("a text");
        assert!(
            detail.starts_with("Unable to connect to Docker daemon: "),
            "{detail}"
        );
        assert!(detail.contains(remedy), "{detail}");
        assert_eq!(refused["code"], "docker_unreachable");
    }
    let bulk = json!({"action": "stop", "ids": ["some"]});
    let answer = server
        .ask("admin", "POST", "/api/docker/containers/bulk", Some(&bulk))
        .is(200)
        .json();
    assert_eq!(answer["results"][0]["error"]["code"], "docker_unreachable");
    let health = server.get("/api/system/health").is(200).json();
    assert_eq!(health["status"], "healthy", "{health}");
    assert!(
        health["docker"].as_str().expect("a text").contains(remedy),
        "{health}"
    );
    server.get("/readyz").is(200);
}

fn without_daemon(host: &str, user: Option<u32>) -> Server {
    let harbour = Harbour::new();
    let mut command = harbour.command(&["serve", "--port", "0", "--rate-limit", "100000"]);
    command.env("DOCKER_HOST", host);
    if let Some(user) = user {
        let folder = harbour.data_dir();
        let folder = folder.parent().expect("the sandbox");
        let owner = format!("{user}:{user}");
        let status = Command::new("chown").args(["-R", &owner]).arg(folder).status();
        assert!(status.expect("chown").success());
        command.uid(user).gid(user);
    }
    Server::of(harbour, command)
}

#[test]
fn without_a_daemon_it_is_said_why_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| format!("unix://{}", folder.path().join(name).display());
    let server = without_daemon(&at("absent.sock"), None);
    check_without_daemon(&server, "install and start Docker");
    server.end();
    drop(UnixListener::bind(folder.path().join("dead.sock")).expect("bound"));
    let server = without_daemon(&at("dead.sock"), None);
    check_without_daemon(&server, "start the Docker daemon");
    server.end();
}

#[test]
fn a_socket_that_may_not_be_used_is_told_from_one_that_is_dead() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    // Whom nothing is forbidden has to be somebody else for it.
    if std::fs::metadata("/proc/self").expect("it is there").uid() != 0 {
        return say("SKIPPED: only root can become somebody else, so nothing was proved");
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("ours");
    let socket = folder.path().join("forbidden.sock");
    let _listener = UnixListener::bind(&socket).expect("bound");
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).expect("ours");
    let server = without_daemon(&format!("unix://{}", socket.display()), Some(65_534));
    check_without_daemon(&server, "we have no permission to use its socket");
    server.end();
}
