//! A server process beside a real daemon, and containers that nobody else has.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use autotuner_deploy::Instance;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harbour::{Harbour, docker};
use crate::support::{Running, wait_for};

/// Longest wait for an answer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What is in the image.
const PROGRAMS: [&str; 2] = ["/usr/bin/sleep", "/usr/bin/bash"];

/// An image with `sleep` and a shell, which end when they are killed.
pub(crate) struct Image(pub(crate) String);

impl Image {
    pub(crate) fn new() -> Option<Self> {
        if let Err(why) = docker(&["version"]) {
            return skip(&why);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let output = Command::new("ldd").args(PROGRAMS).output().expect("ldd");
        let output = String::from_utf8(output.stdout).expect("text");
        let words = output.split_whitespace().filter(|word| word.starts_with('/'));
        let libraries = words.filter(|word| !word.ends_with(':'));
        for file in libraries.chain(PROGRAMS) {
            let to = folder.path().join(file.trim_start_matches('/'));
            std::fs::create_dir_all(to.parent().expect("below the root")).expect("made");
            std::fs::copy(file, to).expect("copied");
        }
        let name = format!("autotuner-test/{}:1", unique());
        let mut tar = Command::new("tar")
            .args(["-c", "."])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar");
        let archive = tar.stdout.take().expect("piped");
        let imported = Command::new("docker")
            .args(["import", "-", &name])
            .stdin(archive)
            .output();
        assert!(imported.expect("docker").status.success());
        assert!(tar.wait().expect("tar").success());
        Some(Self(name))
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = docker(&["image", "rm", "--force", &self.0]);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether Docker is required is for the environment to say"
)]
#[expect(
    clippy::print_stderr,
    reason = "a test that proves nothing must say so loudly"
)]
fn skip(why: &str) -> Option<Image> {
    let is_required = std::env::var("AUTOTUNER_REQUIRE_DOCKER").is_ok_and(|value| value == "1");
    assert!(!is_required, "no Docker daemon, and one is required: {why}");
    eprintln!("SKIPPED: no Docker daemon, so nothing was proved with containers");
    None
}

pub(crate) fn unique() -> String {
    let folder = tempfile::Builder::new().prefix("c").rand_bytes(12).tempdir();
    let folder = folder.expect("a folder");
    let name = folder.path().file_name().expect("a name");
    name.to_string_lossy().to_lowercase()
}

/// A container that goes with its test.
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Made {
    pub(crate) fn new(image: &Image, labels: &[String], command: &[&str]) -> Self {
        let name = format!("autotuner-test-{}", unique());
        let mut arguments = vec!["create", "--name", &name, "--stop-signal", "SIGKILL"];
        arguments.extend(["--network", "none", "--env", "CANARY=secret-value"]);
        for label in labels {
            arguments.extend(["--label", label]);
        }
        arguments.push(&image.0);
        arguments.extend(command);
        let id = docker(&arguments).expect("created");
        Self { id, name }
    }

    pub(crate) fn foreign(image: &Image) -> Self {
        Self::new(image, &[], &["/usr/bin/sleep", "1000"])
    }

    pub(crate) fn state(&self) -> String {
        let format = "{{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}";
        docker(&["inspect", "--format", format, &self.id]).unwrap_or_default()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.id]);
    }
}

/// A server with tokens of each role.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) harbour: Harbour,
    pub(crate) address: String,
    pub(crate) tokens: BTreeMap<&'static str, String>,
    pub(crate) agent: ureq::Agent,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) question: String,
    pub(crate) text: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.question, self.text);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Server {
    pub(crate) fn new(flags: &[&str]) -> Self {
        let harbour = Harbour::new();
        let command = harbour.command(&[&["serve", "--port", "0", "--rate-limit", "100000"], flags].concat());
        Self::of(harbour, command)
    }

    pub(crate) fn of(harbour: Harbour, command: Command) -> Self {
        let mut running = harbour.start_command(command);
        let address = address(&mut running);
        let token = std::fs::read_to_string(harbour.data_dir().join("token")).expect("the first token");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(DEADLINE))
            .build();
        let mut server = Self {
            running,
            harbour,
            address,
            tokens: BTreeMap::from([("admin", token.trim().to_owned())]),
            agent: ureq::Agent::new_with_config(agent),
        };
        for role in ["viewer", "operator"] {
            let body = json!({"name": role, "role": role});
            let made = server
                .ask("admin", "POST", "/api/auth/tokens", Some(&body))
                .is(201);
            let token = made.json()["token"].as_str().expect("a token").to_owned();
            server.tokens.insert(role, token);
        }
        server
    }

    pub(crate) fn ask(&self, role: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.tokens[role]));
        let mut answer = match body {
            None => self.agent.run(request.body(()).expect("a request")),
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).expect("a request"))
            }
        }
        .expect("it answers");
        Reply {
            status: answer.status().as_u16(),
            question: format!("{method} {path} as {role}"),
            text: answer.body_mut().read_to_string().expect("text"),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("viewer", "GET", path, None)
    }

    pub(crate) fn post(&self, role: &str, path: &str) -> Reply {
        self.ask(role, "POST", path, None)
    }

    /// Sends a request line as it is, however wrong; the status of the answer, and all of it.
    pub(crate) fn ask_raw(&self, role: &str, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let token = &self.tokens[role];
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("{path}: {answer:?}")), answer)
    }

    /// Labels of a container of this server, whose owner lives as long as the instance.
    pub(crate) fn labels(&self, instance: &Instance, task: &str) -> Vec<String> {
        let folder = self.harbour.data_dir().join("instances");
        let folder = folder.canonicalize().expect("it is there");
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        [
            ("instance", instance.name()),
            ("instances-dir", &folder.display().to_string()),
            ("host", host.trim()),
            ("task", task),
            ("experiment", "3"),
            ("attempt", "2"),
            ("log-file", "/tmp/none.log"),
        ]
        .map(|(name, value)| format!("inference-autotuner.{name}={value}"))
        .to_vec()
    }

    pub(crate) fn claim(&self) -> Instance {
        Instance::claim(&self.harbour.data_dir().join("instances"), &unique()).expect("claimed")
    }

    /// What the audit log has of a container, oldest first.
    pub(crate) fn audited(&self, made: &Made) -> Vec<(String, String)> {
        let rows = self
            .ask("admin", "GET", "/api/audit?limit=1000", None)
            .is(200)
            .json();
        let target = format!("container {}", &made.id[..12]);
        let rows = rows.as_array().expect("rows").iter().rev();
        let ours = rows.filter(|row| row["target"] == target.as_str());
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        ours.map(|row| {
            assert_eq!(row["detail"]["id"], made.id.as_str());
            (text(&row["actor"]), text(&row["action"]))
        })
        .collect()
    }

    /// Ends the server by a signal, and starts another over the same data.
    pub(crate) fn restart(&mut self, signal: Signal) {
        self.running.signal(signal);
        wait_for("the server's end", || self.running.has_ended().then_some(()));
        self.running = self
            .harbour
            .start(&["serve", "--port", "0", "--rate-limit", "100000"]);
        self.address = address(&mut self.running);
    }

    pub(crate) fn end(self) {
        self.running.signal(Signal::SIGTERM);
        self.running.wait().expect(0);
    }
}

/// Where a server listens that was just started.
fn address(running: &mut Running) -> String {
    running.wait_for("the address", |running| {
        let said = running.stderr();
        let (_, rest) = said.split_once("listening on http://")?;
        rest.lines().next().map(str::to_owned)
    })
}
