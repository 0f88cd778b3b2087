//! An image that has to be fetched, from a registry of the test's own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::harbour::{Harbour, assert_nothing_left, docker, sim_image, sim_task};
use crate::support::{experiments, wait_for};

/// A registry that ends with the test.
struct Registry {
    child: Child,
    address: String,
}

impl Registry {
    /// `None` where the program is not installed.
    fn start(harbour: &Harbour) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let address = format!("127.0.0.1:{port}");
        let storage = harbour.path("registry");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            storage.display()
        );
        let file = harbour.write("registry.yml", &text);
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(file);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let registry = Self { child, address };
        wait_for("the registry", || {
            std::net::TcpStream::connect(&registry.address).ok()
        });
        Some(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_image_is_fetched_and_its_digest_recorded() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let Some(registry) = Registry::start(&harbour) else {
        eprintln!("SKIPPED: docker-registry is not installed, so no image was fetched");
        return;
    };
    let name = format!("{}/sim-engine:1", registry.address);
    docker(&["tag", &image, &name]).expect("tagged");
    docker(&["push", "--quiet", &name]).expect("pushed");
    docker(&["rmi", &name]).expect("forgotten");

    let finished = harbour
        .run_task(&sim_task(&name, &json!({"max-num-seqs": [8]})))
        .expect(0);
    assert!(
        finished.stderr.contains(&format!("fetching image {name}")),
        "{}",
        finished.stderr
    );
    assert_nothing_left(&harbour);
    let results = harbour.results();
    for experiment in experiments(&results) {
        let digest = experiment["image_digest"].as_str().expect("a digest");
        assert!(
            digest.starts_with(&format!("{}/sim-engine@sha256:", registry.address)),
            "{digest}"
        );
    }
    docker(&["rmi", &name]).expect("forgotten");
}

#[test]
fn a_registry_that_does_not_answer_is_said() {
    if sim_image().is_none() {
        return;
    }
    let harbour = Harbour::new();
    let port = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("it")
        .port();
    let name = format!("127.0.0.1:{port}/sim-engine:1");
    harbour
        .run_task(&sim_task(&name, &json!({"max-num-seqs": [8]})))
        .expect(2)
        .says(&["engine.image", &name, "could not be fetched"]);
    assert_nothing_left(&harbour);
}

#[test]
fn fetching_ends_with_a_cancel() {
    if sim_image().is_none() {
        return;
    }
    let harbour = Harbour::new();
    // A registry that takes the daemon's connection and says nothing.
    let registry = TcpListener::bind("127.0.0.1:0").expect("a port");
    registry.set_nonblocking(true).expect("set");
    let name = format!("{}/sim-engine:1", registry.local_addr().expect("its address"));
    let mut running = harbour.start_task(&sim_task(&name, &json!({"max-num-seqs": [8]})));
    let _silent = running.wait_for("the daemon to ask", |_| registry.accept().ok());
    running.signal(Signal::SIGINT);
    running.wait().expect(130);
    assert_nothing_left(&harbour);
    assert_eq!(harbour.try_results(), None);
}
