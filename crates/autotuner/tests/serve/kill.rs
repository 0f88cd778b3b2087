//! Killed at every step, and at any moment: nothing finished is lost or recorded twice, nothing
//! is left behind, and the task ends as if nothing had happened.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::search::Role;
use nix::sys::signal::Signal;

use crate::sandbox::Sandbox;
use crate::support::{Finished, Home, best, say, task_of_scales};

/// Cases that run at once. Most of their time they wait.
const AT_ONCE: usize = 4;

/// The longest that engines may outlive their server, once it was started anew.
const ORPHANS_GONE: Duration = Duration::from_secs(10);

/// What a death has cost.
#[derive(Debug, Default)]
struct Cost {
    lost: usize,
    twice: usize,
    orphans: usize,
    wrong_best: usize,
    unsound: usize,
}

impl Cost {
    fn add(&mut self, other: &Self) {
        let Self {
            lost,
            twice,
            orphans,
            wrong_best,
            unsound,
        } = other;
        self.lost += lost;
        self.twice += twice;
        self.orphans += orphans;
        self.wrong_best += wrong_best;
        self.unsound += unsound;
    }

    fn is_zero(&self) -> bool {
        self.lost + self.twice + self.orphans + self.wrong_best + self.unsound == 0
    }
}

/// Every point, as the program itself tells them.
fn points() -> Vec<String> {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["serve"]);
    command.env("AUTOTUNER_FAULT", "?");
    let said = sandbox.start_command(command).wait().expect(2).stderr;
    let (_, points) = said
        .split_once("points are ")
        .expect("the program tells its points");
    points.trim().split(", ").map(str::to_owned).collect()
}

/// Experiments that were on record as ended and are not any more, or otherwise.
pub(crate) fn lost<K: Ord>(before: &BTreeMap<K, Finished>, after: &BTreeMap<K, Finished>) -> usize {
    let is_lost = |(number, one): &(&K, &Finished)| after.get(number) != Some(*one);
    before.iter().filter(is_lost).count()
}

/// Repetitions of the best and the defaults that a long task may make.
const MOST_AGAIN: usize = 4;

/// Configurations that were measured more often than was planned.
pub(crate) fn measured_twice(experiments: &[Experiment]) -> usize {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let measured = || experiments.iter().filter(|one| one.score().is_some());
    // What was slow for no reason of its own is measured once more, and says so.
    let is_first = |one: &&Experiment| !one.reason.starts_with("measured once more");
    for one in measured()
        .filter(|one| one.role != Role::Replicate)
        .filter(is_first)
    {
        *counts
            .entry((one.role.as_str(), one.candidate.to_string()))
            .or_default() += 1;
    }
    let again = measured().filter(|one| one.role == Role::Replicate).count();
    counts.values().filter(|count| **count > 1).count() + again.saturating_sub(MOST_AGAIN)
}

pub(crate) fn check_database(home: &Home) -> usize {
    home.with_database(async |database| database.check().await.expect("readable").len())
}

/// What is wrong at the end of a task whose server was killed.
fn judge(
    home: &Home,
    id: TaskId,
    before: &BTreeMap<u32, Finished>,
    orphans_after: Duration,
    expected: &str,
) -> Cost {
    let experiments = home.experiments(id);
    Cost {
        lost: lost(before, &home.finished(id)),
        twice: measured_twice(&experiments),
        orphans: usize::from(orphans_after > ORPHANS_GONE),
        wrong_best: usize::from(best(&experiments) != expected),
        unsound: check_database(home),
    }
}

/// Scales far apart, so that there is no doubt which is best.
const SCALES: [f64; 2] = [6.0, 0.5];
pub(crate) const BEST: &str = "time-scale=0.5";

/// At which passage of a point the server is killed: at the second, where there is one, so that
/// something is on record by then.
fn passage(point: &str) -> u32 {
    match point {
        "claim" | "open-log" | "prepare" | "renew" | "release" | "sweep" | "end-task" => 1,
        _ => 2,
    }
}

fn kill_at(home: &Home, point: &str, side: &str) -> Cost {
    let id = home.create(&task_of_scales(&SCALES));
    let fault = format!("{point}:{side}:{}", passage(point));
    let mut server = home.serve_with(&fault);
    if point == "release" {
        // Only a server that ends gives a claim back.
        server
            .running
            .wait_for("an experiment", |_| (!home.finished(id).is_empty()).then_some(()));
        server.running.signal(Signal::SIGTERM);
    }
    let dead = server.wait_for_death();
    let before = home.finished(id);
    let mut server = home.serve();
    let orphans_after = home.orphans_gone_after(dead);
    let status = home.wait_for_end(&mut server, id);
    assert_eq!(status, TaskStatus::Completed, "{fault}");
    home.end(server);
    let cost = judge(home, id, &before, orphans_after, BEST);
    if !cost.is_zero() {
        say(&format!("{fault}: {cost:?}, {:#?}", home.finished(id)));
    }
    cost
}

#[test]
fn at_every_step() {
    killed_at_every_step(&|| Some(Home::new()));
}

#[test]
fn at_every_step_on_a_database_that_is_shared() {
    killed_at_every_step(&Home::on_postgres);
}

fn killed_at_every_step(home: &(dyn Fn() -> Option<Home> + Sync)) {
    if home().is_none() {
        return;
    }
    let points = points();
    assert!(points.len() >= 20, "{points:?}");
    let cases: Vec<(&str, &str)> = points
        .iter()
        .flat_map(|point| [(point.as_str(), "before"), (point.as_str(), "after")])
        .collect();
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Cost::default()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((point, side)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let cost = kill_at(&home().expect("there was one"), point, side);
                    total.lock().expect("no case has failed").add(&cost);
                }
            });
        }
    });
    let total = total.into_inner().expect("no case has failed");
    say(&format!(
        "killed at {} points, before and after: {} deaths, {total:?}",
        points.len(),
        cases.len()
    ));
    assert!(total.is_zero(), "{total:?}");
}

/// Moments from a seed: a linear congruential generator, which is random enough for that.
pub(crate) struct Moments(pub(crate) u64);

impl Moments {
    pub(crate) fn next(&mut self, most: Duration) -> Duration {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = u32::try_from(self.0 >> 40).expect("24 bits");
        most.mul_f64(f64::from(share) / f64::from(1_u32 << 24))
    }
}

/// How often, and from which seed.
#[expect(
    clippy::disallowed_methods,
    reason = "what the script says that makes this test longer"
)]
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// A task of so many experiments.
pub(crate) fn long_task(experiments: usize) -> serde_json::Value {
    let count = u32::try_from(experiments).expect("few");
    let slow = (1..count).map(|step| 4.0 + 0.01 * f64::from(step));
    let mut scales: Vec<f64> = slow.collect();
    // In the middle, so that it is tried neither first nor last.
    scales.insert(scales.len() / 2, 0.5);
    let mut task = task_of_scales(&scales);
    task["optimization"]["max_replicates"] = MOST_AGAIN.into();
    task
}

#[test]
fn at_random_moments() {
    killed_at_random_moments(&|| Some(Home::new()), setting("AUTOTUNER_KILLS", 20));
}

#[test]
fn at_random_moments_on_a_database_that_is_shared() {
    killed_at_random_moments(&Home::on_postgres, setting("AUTOTUNER_KILLS", 10));
}

fn killed_at_random_moments(home: &dyn Fn() -> Option<Home>, kills: u64) {
    let seed = setting("AUTOTUNER_KILLS_SEED", 7);
    say(&format!("{kills} kills, seed {seed}"));
    let mut moments = Moments(seed);
    let (mut total, mut killed, mut tasks, mut longest) = (Cost::default(), 0, 0, Duration::ZERO);
    while killed < kills {
        let Some(home) = home() else { return };
        let id = home.create(&long_task(10));
        tasks += 1;
        let mut before = BTreeMap::new();
        let mut killed_here: Vec<u32> = Vec::new();
        loop {
            let mut server = home.serve();
            if killed < kills && killed_here.len() < 25 {
                std::thread::sleep(moments.next(Duration::from_secs(3)));
                let has_ended = home.task(id).summary.status.is_ended();
                if !has_ended {
                    let dead = server.kill();
                    killed += 1;
                    let now = home.finished(id);
                    total.lost += lost(&before, &now);
                    before = now;
                    killed_here.push(dead);
                    total.unsound += check_database(&home);
                    continue;
                }
            }
            let status = home.wait_for_end(&mut server, id);
            assert_eq!(status, TaskStatus::Completed);
            for dead in killed_here {
                longest = longest.max(home.orphans_gone_after(dead));
            }
            home.end(server);
            break;
        }
        total.add(&judge(&home, id, &before, longest, BEST));
    }
    say(&format!(
        "{killed} kills in {tasks} tasks, traces gone after {} ms at most: {total:?}",
        longest.as_millis()
    ));
    assert!(total.is_zero(), "{total:?}");
}
