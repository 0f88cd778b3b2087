//! Two workers on one database, killed and frozen again and again: nothing finished is lost or
//! recorded twice, and who comes back too late changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use nix::sys::signal::Signal;

use crate::kill::{BEST, Moments, check_database, long_task, lost, measured_twice, setting};
use crate::support::{Finished, Home, LEASE, Server, best, finished, say, wait_for};

/// Experiments of each task.
const EXPERIMENTS: usize = 10;

/// What is done to a worker.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// It is killed, and started anew.
    Kill,
    /// It stands still until another may have its tasks, and then goes on.
    Freeze,
}

/// What a worker says once it finds that another one has its task.
const TOO_LATE: &str = "another worker's by now";

struct Scene {
    database: Home,
    tasks: Vec<TaskId>,
    before: BTreeMap<(TaskId, u32), Finished>,
    lost: usize,
}

impl Scene {
    /// Looks what is on record, and counts what was and is not any more. Says whether all is over.
    fn look(&mut self) -> bool {
        let (all, has_ended) = self.database.all_experiments(&self.tasks);
        let ended = all.iter().filter(|(_, one)| one.status.is_ended());
        let now: BTreeMap<_, _> = ended
            .map(|(task, one)| ((*task, one.number.0), finished(one)))
            .collect();
        self.lost += lost(&self.before, &now);
        self.before = now;
        has_ended
    }
}

#[test]
fn nothing_is_lost_or_recorded_twice_by_two_workers() {
    let experiments = usize::try_from(setting("AUTOTUNER_SHARED_EXPERIMENTS", 40)).expect("few");
    let kills = usize::try_from(setting("AUTOTUNER_SHARED_KILLS", 4)).expect("few");
    let freezes = usize::try_from(setting("AUTOTUNER_SHARED_FREEZES", 1)).expect("few");
    let seed = setting("AUTOTUNER_KILLS_SEED", 7);
    let Some(database) = Home::on_postgres() else {
        return;
    };
    let machines = [database.beside(), database.beside()];
    let document = |number: usize| {
        let mut document = long_task(EXPERIMENTS);
        document["task_name"] = format!("shared {number}").into();
        document
    };
    let tasks = (0..experiments / EXPERIMENTS).map(|number| database.create(&document(number)));
    let mut scene = Scene {
        tasks: tasks.collect(),
        database,
        before: BTreeMap::new(),
        lost: 0,
    };
    let mut workers: Vec<Server> = machines.iter().map(|home| home.start(home.worker())).collect();
    let (mut moments, mut late, mut dealt) = (Moments(seed), 0, [0; 2]);
    // Blows fall while there is something to lose; every fifth freezes, as long as any is left.
    while !scene.look() {
        let is_freeze = dealt[1] < freezes && (dealt[0] + dealt[1]) % 5 == 1;
        let blow = if is_freeze { Blow::Freeze } else { Blow::Kill };
        if dealt[0] >= kills && !is_freeze {
            std::thread::sleep(Duration::from_millis(200));
            continue;
        }
        std::thread::sleep(moments.next(Duration::from_secs(3)));
        let index = usize::from(moments.next(Duration::from_secs(2)) > Duration::from_secs(1));
        match blow {
            Blow::Kill => {
                dealt[0] += 1;
                workers.remove(index).kill();
                let home = &machines[index];
                workers.insert(index, home.start(home.worker()));
            }
            Blow::Freeze => {
                dealt[1] += 1;
                workers[index].running.signal(Signal::SIGSTOP);
                std::thread::sleep(LEASE + Duration::from_secs(2));
                workers[index].running.signal(Signal::SIGCONT);
            }
        }
    }
    let mut twice = 0;
    for task in &scene.tasks {
        let status = scene.database.task(*task).summary.status;
        assert_eq!(status, TaskStatus::Completed, "task {task}");
        let experiments = scene.database.experiments(*task);
        twice += measured_twice(&experiments);
        assert_eq!(best(&experiments), BEST, "task {task}");
    }
    for (home, worker) in machines.iter().zip(workers) {
        late += worker.running.stderr().matches(TOO_LATE).count();
        home.end(worker);
    }
    wait_for("the end of all engines", || {
        machines
            .iter()
            .all(|home| home.sandbox.engines().is_empty())
            .then_some(())
    });
    let unsound = check_database(&scene.database);
    say(&format!(
        "two workers, {} tasks of {EXPERIMENTS} configurations, {} kills, {} freezes: {} lost, {twice} twice, \
         {unsound} unsound, {late} came back too late",
        scene.tasks.len(),
        dealt[0],
        dealt[1],
        scene.lost
    ));
    assert_eq!((scene.lost, twice, unsound), (0, 0, 0));
}
