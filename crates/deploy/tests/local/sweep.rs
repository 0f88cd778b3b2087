//! The sweep against records made by hand: who is ended, and above all who is not.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use autotuner_deploy::{SweepReport, sweep};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{ENGINE, is_alive, records, start_ticks, unique_name};

/// A dead instance, written by hand.
struct Remains {
    folder: TempDir,
    name: String,
    place: Value,
}

/// A process with a certain mark, ended with the test.
struct Process(Child);

impl Process {
    fn start(mark: Option<&str>) -> Self {
        let mut command = Command::new(ENGINE);
        command.arg("sleep").stdin(Stdio::null());
        if let Some(mark) = mark {
            command.env("AUTOTUNER_DEPLOYMENT", mark);
        }
        let process = Self(command.spawn().unwrap());
        // The kernel shows the environment a moment after the program has begun.
        let environ = format!("/proc/{}/environ", process.pid());
        while fs::read(&environ).unwrap().is_empty() {
            std::thread::yield_now();
        }
        process
    }

    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    fn is_alive(&self) -> bool {
        is_alive(self.pid())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Remains {
    fn new() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap().trim().to_owned();
        let place = json!({
            "boot_id": read("/proc/sys/kernel/random/boot_id"),
            "hostname": read("/proc/sys/kernel/hostname"),
            "pid_namespace": fs::read_link("/proc/self/ns/pid").unwrap(),
        });
        let remains = Self {
            folder: tempfile::tempdir().unwrap(),
            name: unique_name(),
            place,
        };
        fs::create_dir_all(remains.directory()).unwrap();
        remains
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    fn owner_mark(&self) -> String {
        format!("{}.1.1", self.name)
    }

    fn mark(&self, number: u32) -> String {
        format!("{}.{number}", self.owner_mark())
    }

    fn write_owner(&self) {
        let owner = json!({
            "instance": self.name,
            "pid": 1,
            "start_ticks": 1,
            "place": self.place,
            "mark": self.owner_mark(),
        });
        fs::write(self.directory().join("owner.json"), owner.to_string()).unwrap();
    }

    fn write_record(&self, number: u32, started: Value) {
        let record = json!({
            "task": "a task",
            "experiment": number,
            "attempt": 1,
            "command": ["engine"],
            "log_file": "/tmp/engine.log",
            "mark": self.mark(number),
            "place": self.place,
            "started": started,
        });
        let path = self.directory().join(format!("deployment-{number}.json"));
        fs::write(path, record.to_string()).unwrap();
    }

    async fn sweep(&self) -> SweepReport {
        let cancel = CancellationToken::new();
        sweep(self.folder.path(), Duration::from_secs(5), &cancel)
            .await
            .unwrap()
    }

    /// Sweeps, and expects this many engines stopped and gone before.
    async fn check(&self, stopped: usize, already_gone: usize) {
        let report = self.sweep().await;
        let counts = (report.stopped.len(), report.already_gone);
        assert_eq!(
            (counts, report.problems.len()),
            ((stopped, already_gone), 0),
            "{report:?}"
        );
        assert!(!self.directory().exists(), "what is swept is forgotten");
    }
}

fn identity(process: &Process, ticks_too_many: u64) -> Value {
    let pid = process.pid();
    json!({ "pid": pid, "start_ticks": start_ticks(pid) + ticks_too_many })
}

#[tokio::test]
async fn a_process_on_record_is_ended() {
    let remains = Remains::new();
    let process = Process::start(None);
    remains.write_owner();
    remains.write_record(1, identity(&process, 0));
    remains.check(1, 0).await;
    assert!(!process.is_alive());
}

#[tokio::test]
async fn a_process_that_only_got_the_same_id_is_spared() {
    let remains = Remains::new();
    let process = Process::start(None);
    remains.write_owner();
    remains.write_record(1, identity(&process, 1));
    remains.check(0, 1).await;
    assert!(process.is_alive());
}

#[tokio::test]
async fn after_a_reboot_nothing_is_ended() {
    let mut remains = Remains::new();
    let process = Process::start(None);
    remains.place["boot_id"] = json!("an earlier one");
    remains.write_owner();
    remains.write_record(1, identity(&process, 0));
    remains.check(0, 1).await;
    assert!(process.is_alive());
}

#[tokio::test]
async fn process_ids_of_another_namespace_mean_nothing() {
    let mut remains = Remains::new();
    let process = Process::start(None);
    remains.place["pid_namespace"] = json!("pid:[1]");
    remains.write_owner();
    remains.write_record(1, identity(&process, 0));
    remains.check(0, 1).await;
    assert!(process.is_alive());
}

#[tokio::test]
async fn another_machines_record_is_left_to_it() {
    let mut remains = Remains::new();
    let process = Process::start(None);
    remains.place["boot_id"] = json!("another one");
    remains.place["hostname"] = json!("another one");
    remains.write_owner();
    remains.write_record(1, identity(&process, 0));
    let report = remains.sweep().await;
    assert_eq!(report.elsewhere, [remains.name.clone()], "{report:?}");
    assert_eq!(records(&remains.directory()).len(), 1);
    assert!(process.is_alive());
}

#[tokio::test]
async fn an_intent_finds_its_process_by_the_mark() {
    let remains = Remains::new();
    let process = Process::start(Some(&remains.mark(3)));
    let strange = Process::start(Some(&remains.mark(33).replace(&remains.name, "other")));
    remains.write_owner();
    remains.write_record(3, Value::Null);
    remains.write_record(4, Value::Null);
    remains.check(1, 1).await;
    assert!(!process.is_alive());
    assert!(strange.is_alive());
}

#[tokio::test]
async fn a_lost_record_does_not_hide_its_process() {
    let remains = Remains::new();
    let process = Process::start(Some(&remains.mark(3)));
    remains.write_owner();
    fs::write(remains.directory().join("deployment-3.json"), "{\"tas").unwrap();
    remains.check(1, 0).await;
    assert!(!process.is_alive());
}

#[tokio::test]
async fn a_lost_owner_file_does_not_hide_its_processes() {
    let remains = Remains::new();
    let process = Process::start(Some(&remains.mark(1)));
    let other = Process::start(Some(&remains.mark(2)));
    remains.write_record(1, Value::Null);
    remains.check(2, 0).await;
    assert!(!process.is_alive() && !other.is_alive());
}

#[tokio::test]
async fn the_name_is_enough_where_every_file_is_lost() {
    let remains = Remains::new();
    let process = Process::start(Some(&remains.mark(1)));
    fs::write(remains.directory().join("owner.json"), "").unwrap();
    fs::write(remains.directory().join("deployment-1.json"), "").unwrap();
    remains.check(1, 0).await;
    assert!(!process.is_alive());
}

#[tokio::test]
async fn an_instance_that_died_at_birth_is_forgotten() {
    let remains = Remains::new();
    remains.check(0, 0).await;
}

#[tokio::test]
async fn nothing_to_sweep_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    for instances in [folder.path().to_owned(), folder.path().join("missing")] {
        let report = sweep(&instances, Duration::ZERO, &cancel).await.unwrap();
        assert_eq!(report, SweepReport::default());
    }
}
