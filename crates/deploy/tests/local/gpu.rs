//! GPUs that exist on paper, held by real locks and watched by a real task.

use std::collections::HashSet;
use std::error::Error as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use autotuner_core::gpu::{ChoiceRules, GpuDevice, GpuVendor, Obstacle};
use autotuner_deploy::gpu::{FixedGpus, GpuError, GpuPool, GpuSampler, GpuSource as _, HeldGpus};
use autotuner_deploy::{Deployer as _, Placement};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::{ENGINE, PATIENCE, World, plan, until};

/// A pool of idle GPUs in a folder of its own, and what it has said.
struct Machine {
    gpus: Arc<FixedGpus>,
    pool: GpuPool,
    folder: tempfile::TempDir,
    told: Mutex<Vec<String>>,
    cancel: CancellationToken,
}

impl Machine {
    fn idle(count: u32) -> Self {
        let gpus = Arc::new(FixedGpus::idle(count));
        let folder = tempfile::tempdir().unwrap();
        Self {
            pool: GpuPool::new(gpus.clone(), folder.path().join("gpus")),
            gpus,
            folder,
            told: Mutex::default(),
            cancel: CancellationToken::new(),
        }
    }

    /// Another pool over the same GPUs, as another process has one.
    fn other_pool(&self) -> GpuPool {
        GpuPool::new(self.gpus.clone(), self.folder.path().join("gpus"))
    }

    async fn hold_for(&self, wanted: u32, deadline: Duration) -> Result<HeldGpus, GpuError> {
        let told = |news: &str| self.told.lock().unwrap().push(news.to_owned());
        self.pool.hold(wanted, &told, deadline, &self.cancel).await
    }

    async fn hold(&self, wanted: u32) -> Result<HeldGpus, GpuError> {
        self.hold_for(wanted, PATIENCE).await
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

fn numbers(held: &HeldGpus) -> Vec<u32> {
    held.devices().iter().map(|device| device.index).collect()
}

#[tokio::test]
async fn none_wanted_is_none_held_and_nothing_asked() {
    let machine = Machine::idle(2);
    let held = machine.hold(0).await.unwrap();
    assert_eq!(numbers(&held), [] as [u32; 0]);
    assert_eq!(held.placement(), Placement::default());
    assert_eq!(machine.gpus.looks(), 0);
    assert!(!machine.folder.path().join("gpus").exists());
}

#[tokio::test]
async fn gpus_are_held_once_and_free_again_when_dropped() {
    let machine = Machine::idle(3);
    let one = machine.hold(1).await.unwrap();
    let two = machine.hold(2).await.unwrap();
    assert_eq!((numbers(&one), numbers(&two)), (vec![0], vec![1, 2]));
    let obstacles = |seen: Vec<autotuner_deploy::gpu::SeenGpu>| -> Vec<Option<Obstacle>> {
        seen.into_iter().map(|gpu| gpu.obstacle).collect()
    };
    let seen = machine.other_pool().survey(&machine.cancel).await.unwrap();
    assert_eq!(obstacles(seen), vec![Some(Obstacle::Held); 3]);
    drop(two);
    let seen = machine.pool.survey(&machine.cancel).await.unwrap();
    assert_eq!(obstacles(seen), [Some(Obstacle::Held), None, None]);
    assert_eq!(numbers(&machine.hold(2).await.unwrap()), [1, 2]);
    assert_eq!(machine.told(), [] as [String; 0]);
}

#[tokio::test]
async fn a_survey_leaves_no_trace() {
    let machine = Machine::idle(1);
    let seen = machine.pool.survey(&machine.cancel).await.unwrap();
    assert_eq!(seen[0].obstacle, None);
    assert!(!machine.folder.path().join("gpus").exists());
}

#[tokio::test]
async fn what_can_never_be_is_refused_at_once() {
    let machine = Machine::idle(2);
    let _held = machine.hold(1).await.unwrap();
    let error = machine.hold(3).await.unwrap_err();
    assert!(matches!(error, GpuError::Impossible(_)), "{error}");
    let why = error.source().unwrap().to_string();
    assert!(why.starts_with("3 GPUs are wanted and 1 of 2 free"), "{why}");
    let none = Machine::idle(0).hold(1).await.unwrap_err();
    assert!(
        none.source()
            .unwrap()
            .to_string()
            .contains("none that can be seen")
    );
    machine.gpus.fail("Driver/library version mismatch");
    let error = machine.hold(1).await.unwrap_err();
    assert!(error.to_string().contains("version mismatch"), "{error}");
    assert_eq!(machine.told(), [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_says_so_once_for_each_reason() {
    let machine = Machine::idle(1);
    let other = machine.other_pool();
    let quiet = |_: &str| {};
    let held = other.hold(1, &quiet, PATIENCE, &machine.cancel).await.unwrap();
    let change = async {
        sleep(Duration::from_secs(9)).await;
        let mut busy = machine.gpus.states();
        busy[0].utilization_percent = Some(99);
        machine.gpus.set(busy.clone());
        drop(held);
        sleep(Duration::from_secs(9)).await;
        busy[0].utilization_percent = Some(80);
        machine.gpus.set(busy.clone());
        sleep(Duration::from_secs(9)).await;
        busy[0].utilization_percent = Some(2);
        machine.gpus.set(busy);
    };
    let (got, ()) = tokio::join!(machine.hold_for(1, Duration::from_secs(300)), change);
    assert_eq!(numbers(&got.unwrap()), [0]);
    let told = machine.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].ends_with("GPU 0 (Fixed GPU) is held for another engine"),
        "{told:?}"
    );
    assert!(told[1].ends_with("GPU 0 (Fixed GPU) is 99 % busy"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_its_deadline_and_with_a_cancel() {
    let machine = Machine::idle(1);
    let held = machine.hold(1).await.unwrap();
    let error = machine.hold_for(1, Duration::from_secs(7)).await.unwrap_err();
    assert!(
        matches!(&error, GpuError::TooLate { waited, .. } if waited.as_secs() == 7),
        "{error:?}"
    );
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("held for another engine")
    );
    let waiting = machine.hold(1);
    let cancel = async {
        sleep(Duration::from_secs(3)).await;
        machine.cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(waiting, cancel);
    assert!(matches!(outcome, Err(GpuError::Cancelled)));
    assert!(matches!(machine.hold(1).await, Err(GpuError::Cancelled)));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_release_is_heard_at_once_in_the_same_process() {
    let machine = Machine::idle(1);
    let held = machine.hold(1).await.unwrap();
    let began = tokio::time::Instant::now();
    let release = async {
        sleep(Duration::from_millis(10)).await;
        drop(held);
    };
    let (got, ()) = tokio::join!(machine.hold(1), release);
    got.unwrap();
    assert_eq!(
        began.elapsed(),
        Duration::from_millis(10),
        "on a clock that stands still meanwhile"
    );
}

#[tokio::test]
async fn a_model_is_insisted_on() {
    let machine = Machine::idle(2);
    let mut states = machine.gpus.states();
    states[1].device.name = "Other".to_owned();
    machine.gpus.set(states);
    let rules = ChoiceRules {
        model: Some("Other".to_owned()),
        ..ChoiceRules::default()
    };
    let pool = machine.pool.with_rules(rules);
    let held = pool.hold(1, &|_| {}, PATIENCE, &machine.cancel).await.unwrap();
    assert_eq!(numbers(&held), [1]);
    assert!(pool.rules().model.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_share_a_gpu_and_all_have_their_turn() {
    let machine = Arc::new(Machine::idle(8));
    let in_use: Arc<Mutex<HashSet<u32>>> = Arc::default();
    let mut holders = tokio::task::JoinSet::new();
    for number in 0..40_u32 {
        let (machine, in_use) = (Arc::clone(&machine), Arc::clone(&in_use));
        holders.spawn(async move {
            let wanted = number % 4 + 1;
            let held = machine.hold(wanted).await.unwrap();
            assert_eq!(held.devices().len(), wanted as usize);
            for number in numbers(&held) {
                assert!(
                    in_use.lock().unwrap().insert(number),
                    "GPU {number} is held twice"
                );
            }
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            for number in numbers(&held) {
                in_use.lock().unwrap().remove(&number);
            }
        });
    }
    let all = async { while holders.join_next().await.transpose().unwrap().is_some() {} };
    assert!(timeout(PATIENCE, all).await.is_ok(), "somebody never gets any");
    assert_eq!(numbers(&machine.hold(8).await.unwrap()).len(), 8);
}

/// Another process that holds GPUs; killed when dropped.
struct Holder {
    child: Child,
    said: String,
}

impl Holder {
    /// Returns when it has said its first word.
    fn start(folder: &Path, count: u32, wanted: u32) -> Self {
        let mut child = Command::new(ENGINE)
            .args(["hold-gpus", &folder.display().to_string()])
            .args([count.to_string(), wanted.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut said).unwrap();
        Self {
            child,
            said: said.trim().to_owned(),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn two_processes_never_share_a_gpu_and_a_killed_one_lets_go() {
    let machine = Machine::idle(3);
    let folder = machine.folder.path().join("gpus");
    let first = Holder::start(&folder, 3, 2);
    assert_eq!(first.said, "holds [0, 1]");
    let own = machine.hold(1).await.unwrap();
    assert_eq!(numbers(&own), [2]);
    let second = Holder::start(&folder, 3, 1);
    assert!(
        second
            .said
            .starts_with("waiting for GPUs: 1 GPU is wanted and none of 3 is free")
    );
    drop(own);
    drop(second);
    drop(first);
    assert_eq!(numbers(&machine.hold(3).await.unwrap()), [0, 1, 2]);
}

#[tokio::test]
async fn files_that_hold_gpus_can_be_locked_by_every_user_and_removed_by_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::idle(1);
    let mut odd = machine.gpus.states();
    odd[0].device.uuid = "../a b/é".to_owned();
    machine.gpus.set(odd);
    let _held = machine.hold(1).await.unwrap();
    let folder = machine.folder.path().join("gpus");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&folder), 0o1777);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(files.len(), 2, "a GPU's file and the gate");
    for file in &files {
        assert_eq!(mode(&file.path()), 0o644);
    }
    assert_eq!(std::fs::read_dir(machine.folder.path()).unwrap().count(), 1);
    // What is no folder, or no file of ours, is said by its name.
    let taken = machine.folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let pool = GpuPool::new(machine.gpus.clone(), taken);
    let error = pool
        .hold(1, &|_| {}, PATIENCE, &machine.cancel)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("/taken"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn gpus_are_watched_each_second_until_somebody_asks() {
    let machine = Machine::idle(3);
    let held = machine.hold(2).await.unwrap();
    let looks_before = machine.gpus.looks();
    let sampler = machine.pool.sample(&held);
    sleep(Duration::from_millis(2500)).await;
    let mut states = machine.gpus.states();
    states[0].utilization_percent = Some(90);
    machine.gpus.set(states);
    sleep(Duration::from_secs(2)).await;
    let sampled = sampler.finish().await;
    assert_eq!(sampled.note, None);
    // At 0, 1, 2, 3 and 4 seconds, and a last one.
    let counts: Vec<(u32, u32)> = sampled
        .uses
        .iter()
        .map(|gpu| (gpu.device.index, gpu.samples))
        .collect();
    assert_eq!(counts, [(0, 6), (1, 6)]);
    assert_eq!(machine.gpus.looks() - looks_before, 6);
    let busy = sampled.uses[0].utilization_percent.unwrap();
    assert_eq!((busy.min, busy.max), (0.0, 90.0));
    assert!(
        (sampled.uses[0].seconds - 4.5).abs() < 0.1,
        "{}",
        sampled.uses[0].seconds
    );
    assert!((sampled.uses[0].energy_j.unwrap() - 70.0 * 4.5).abs() < 7.0);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_costs_samples_and_is_noted() {
    let machine = Machine::idle(1);
    let held = machine.hold(1).await.unwrap();
    let sampler = machine.pool.sample(&held);
    sleep(Duration::from_millis(1500)).await;
    machine.gpus.fail("GPU is lost");
    sleep(Duration::from_secs(60)).await;
    let looks = machine.gpus.looks();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(machine.gpus.looks(), looks, "it is not asked for ever");
    let sampled = sampler.finish().await;
    assert_eq!(sampled.uses[0].samples, 2);
    let note = sampled.note.unwrap();
    assert!(
        note.starts_with("3 looks at the GPUs failed") && note.contains("GPU is lost"),
        "{note}"
    );
    // One that is not there is noted, too.
    machine.gpus.set(Vec::new());
    let sampled = machine.pool.sample(&held).finish().await;
    assert_eq!(
        sampled.note.as_deref(),
        Some("1 of the GPUs could not be watched")
    );
    assert_eq!(sampled.uses, []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_watched_for_nobody() {
    let machine = Machine::idle(1);
    let none = GpuSampler::start(machine.gpus.clone(), &[]).finish().await;
    assert_eq!((none.uses.len(), none.note), (0, None));
    let held = machine.hold(1).await.unwrap();
    let sampler = machine.pool.sample(&held);
    sleep(Duration::from_secs(2)).await;
    drop(sampler);
    sleep(Duration::from_secs(2)).await;
    let looks = machine.gpus.looks();
    sleep(Duration::from_secs(20)).await;
    assert_eq!(machine.gpus.looks(), looks);
}

#[tokio::test]
async fn fixed_gpus_keep_the_promise_of_a_source() {
    let gpus = FixedGpus::idle(1);
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    assert!(matches!(gpus.look(&cancelled).await, Err(GpuError::Cancelled)));
}

#[tokio::test]
async fn an_engine_is_shown_its_gpus_by_number_and_no_others() {
    let check = async |vendor: GpuVendor, given: &[u32], variable: &str, expected: &str| {
        let world = World::guarded();
        let gpus = given.iter().map(|index| GpuDevice {
            index: *index,
            uuid: format!("GPU-{index}"),
            name: "a GPU".to_owned(),
            vendor,
            memory_bytes: 0,
        });
        let placement = Placement {
            gpus: gpus.collect(),
            ..Placement::default()
        };
        let mut plan = plan(&["environment", variable]);
        plan.env
            .insert("ROCR_VISIBLE_DEVICES_OF_A_TASK".to_owned(), "kept".to_owned());
        let deployment = world
            .deployer
            .launch(&plan, &placement, &world.label())
            .await
            .unwrap();
        let line = format!("{variable}: {expected}");
        until(&line, async || {
            let lines = world.deployer.logs(&deployment, 10).await.unwrap();
            lines.iter().any(|said| said == &line)
        })
        .await;
        world.deployer.stop(&deployment, PATIENCE).await.unwrap();
    };
    check(GpuVendor::Nvidia, &[3, 1], "CUDA_VISIBLE_DEVICES", "1,3").await;
    check(GpuVendor::Nvidia, &[3, 1], "CUDA_DEVICE_ORDER", "PCI_BUS_ID").await;
    check(GpuVendor::Amd, &[0], "HIP_VISIBLE_DEVICES", "0").await;
    check(GpuVendor::Amd, &[0], "ROCR_VISIBLE_DEVICES_OF_A_TASK", "kept").await;
}

#[tokio::test]
async fn an_engine_that_may_use_all_gpus_is_told_of_none() {
    let world = World::guarded();
    let placement = Placement {
        gpus: vec![GpuDevice {
            index: 3,
            uuid: "GPU-3".to_owned(),
            name: "a GPU".to_owned(),
            vendor: GpuVendor::Nvidia,
            memory_bytes: 0,
        }],
        has_all_gpus: true,
        ..Placement::default()
    };
    let mut plan = plan(&["environment", "CUDA_VISIBLE_DEVICES"]);
    plan.env
        .insert("CUDA_VISIBLE_DEVICES".to_owned(), "of the container".to_owned());
    let deployment = world
        .deployer
        .launch(&plan, &placement, &world.label())
        .await
        .unwrap();
    let line = "CUDA_VISIBLE_DEVICES: of the container";
    until(line, async || {
        let lines = world.deployer.logs(&deployment, 10).await.unwrap();
        lines.iter().any(|said| said == line)
    })
    .await;
    world.deployer.stop(&deployment, PATIENCE).await.unwrap();
}
