//! Which processes are an engine's, and how to end them all.
//!
//! The idea: a process is an engine's for a reason that survives everything but its own end.
//! It is in the group or session of a first process whose start time is the one on record;
//! or it carries the deployment's mark in its environment; or its parent is one of these; or
//! it was one of these when we last looked. A bare process id is never a reason, because ids
//! are used again.
//!
//! Nothing in here reaps: the caller that started a process does.

use std::collections::HashSet;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

use crate::DeployError;
use crate::procfs::{self, Stat};

/// The environment variable that carries a deployment's mark.
pub(crate) const MARK_VARIABLE: &str = "AUTOTUNER_DEPLOYMENT";

/// How long the forced end may take. A process inside a driver call dies only when the call
/// returns, which with a busy GPU can take seconds.
const FORCED_END: Duration = Duration::from_secs(10);

/// First and longest pause between two looks at the processes.
const LOOK_PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// A process that no other can be taken for until the machine restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: i32,
    /// When it started, in clock ticks since the machine did.
    pub(crate) start_ticks: u64,
}

/// By what an engine's processes are known.
#[derive(Debug, Clone)]
pub(crate) struct Kin {
    /// First processes; each leads a group of its own.
    pub(crate) leaders: Vec<Identity>,
    /// The mark, or the beginning of marks up to a dot.
    pub(crate) mark: String,
}

/// The processes of one engine, as last seen.
#[derive(Debug)]
pub(crate) struct Living {
    pub(crate) members: Vec<Stat>,
    /// Leaders that are still there, if only as zombies: their groups are surely ours.
    groups: Vec<i32>,
}

impl From<&Stat> for Identity {
    fn from(process: &Stat) -> Self {
        Self {
            pid: process.pid,
            start_ticks: process.start_ticks,
        }
    }
}

impl Kin {
    /// Looks who is alive now. `known` is who was seen before and grows by who is seen now:
    /// a process that shed every sign of its origin is still the one we saw.
    pub(crate) fn living(&self, known: &mut HashSet<Identity>) -> Result<Living, DeployError> {
        let all = procfs::all_processes().map_err(DeployError::ListProcesses)?;
        let own = std::process::id().cast_signed();
        let groups = self.surely_led(&all);
        let carries_mark = |process: &Stat| self.carries_mark(process.pid);
        let living = select_kin(&all, own, &groups, known, carries_mark);
        known.extend(living.iter().map(Identity::from));
        Ok(Living {
            members: living,
            groups,
        })
    }

    /// Whether any of them is alive.
    pub(crate) fn is_alive(&self) -> Result<bool, DeployError> {
        Ok(!self.living(&mut HashSet::new())?.members.is_empty())
    }

    /// Ids of leaders that are there and are still the ones on record.
    fn surely_led(&self, all: &[Stat]) -> Vec<i32> {
        all.iter()
            .filter(|process| self.leaders.contains(&Identity::from(*process)))
            .map(|process| process.pid)
            .collect()
    }

    fn carries_mark(&self, pid: i32) -> bool {
        let environ = procfs::environ(pid);
        let value = environ
            .as_deref()
            .and_then(|environ| procfs::environ_value(environ, MARK_VARIABLE));
        value.is_some_and(|value| is_marked(value, &self.mark))
    }
}

/// Whether a variable's value is this mark, or one that begins with it.
fn is_marked(value: &[u8], mark: &str) -> bool {
    value
        .strip_prefix(mark.as_bytes())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
}

/// Picks the living kin out of all processes. Children are followed through the dead, too,
/// as long as these have not been reaped.
fn select_kin(
    all: &[Stat],
    own: i32,
    groups: &[i32],
    known: &HashSet<Identity>,
    carries_mark: impl Fn(&Stat) -> bool,
) -> Vec<Stat> {
    let is_kin_itself = |process: &Stat| {
        groups.contains(&process.pid)
            || groups.contains(&process.group)
            || groups.contains(&process.session)
            || known.contains(&Identity::from(process))
            || carries_mark(process)
    };
    let mut kin: HashSet<i32> = all
        .iter()
        .filter(|process| process.pid != own && is_kin_itself(process))
        .map(|process| process.pid)
        .collect();
    loop {
        let before = kin.len();
        let children = all
            .iter()
            .filter(|process| process.pid != own && kin.contains(&process.parent))
            .map(|process| process.pid);
        kin.extend(children.collect::<Vec<_>>());
        if kin.len() == before {
            break;
        }
    }
    all.iter()
        .filter(|process| process.is_alive() && kin.contains(&process.pid))
        .copied()
        .collect()
}

impl Living {
    /// Sends a signal to all of them: to whole groups where these are surely ours, so that
    /// nothing escapes by forking meanwhile, and to the others one by one.
    pub(crate) fn signal(&self, signal: Signal) {
        for group in &self.groups {
            // A group that has just emptied is what we want.
            let _ = killpg(Pid::from_raw(*group), signal);
        }
        for member in &self.members {
            let is_reached = self.groups.contains(&member.group);
            let is_the_same = || {
                let now = procfs::stat(member.pid);
                now.is_some_and(|now| now.start_ticks == member.start_ticks)
            };
            if !is_reached && is_the_same() {
                let _ = kill(Pid::from_raw(member.pid), signal);
            }
        }
    }
}

/// Ends all of them: asks with SIGTERM, waits for `grace`, then kills. Answers with the ids
/// of those that lived when it began.
///
/// # Errors
/// [`DeployError::StillRunning`] when some outlive even SIGKILL, and
/// [`DeployError::ListProcesses`].
pub(crate) async fn end(kin: &Kin, grace: Duration) -> Result<Vec<i32>, DeployError> {
    let mut known = HashSet::new();
    let begun = Instant::now();
    let patience_ends = begun + grace;
    let mut pause = LOOK_PAUSE.0;
    let mut first = None;
    loop {
        let (living, seen) = look(kin, known).await?;
        known = seen;
        let ids = || living.members.iter().map(|member| member.pid).collect::<Vec<_>>();
        let is_first_look = first.is_none();
        let first = first.get_or_insert_with(ids);
        if living.members.is_empty() {
            return Ok(std::mem::take(first));
        }
        let now = Instant::now();
        if now >= patience_ends {
            living.signal(Signal::SIGKILL);
        } else if is_first_look {
            living.signal(Signal::SIGTERM);
            // A stopped process hears SIGTERM only when it goes on.
            living.signal(Signal::SIGCONT);
        }
        if now >= patience_ends + FORCED_END {
            let ids: Vec<String> = ids().iter().map(i32::to_string).collect();
            return Err(DeployError::StillRunning {
                id: format!("with process ids {}", ids.join(", ")),
            });
        }
        let next_look = now + pause;
        let is_grace_ending = now < patience_ends && patience_ends < next_look;
        sleep_until(if is_grace_ending { patience_ends } else { next_look }).await;
        pause = (pause * 2).min(LOOK_PAUSE.1);
    }
}

/// Kills all of them without asking and without a runtime, for when there is no time left.
/// Answers whether they are gone.
pub(crate) fn kill_now(kin: &Kin) -> bool {
    const LOOKS: u32 = 200;
    let mut known = HashSet::new();
    for _ in 0..LOOKS {
        match kin.living(&mut known) {
            Err(_) => return false,
            Ok(living) if living.members.is_empty() => return true,
            Ok(living) => living.signal(Signal::SIGKILL),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// Looks from a thread that may block: the kernel can take its time under memory pressure.
async fn look(kin: &Kin, known: HashSet<Identity>) -> Result<(Living, HashSet<Identity>), DeployError> {
    let kin = kin.clone();
    crate::blocking(move || {
        let mut known = known;
        let living = kin.living(&mut known)?;
        Ok((living, known))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: i32 = 999;

    /// `pid parent group session`, and `Z` for a zombie.
    fn process(text: &str) -> Stat {
        let fields: Vec<&str> = text.split(' ').collect();
        let number = |index: usize| fields[index].parse::<i32>().unwrap();
        Stat {
            pid: number(0),
            state: if fields.get(4) == Some(&"Z") { 'Z' } else { 'S' },
            parent: number(1),
            group: number(2),
            session: number(3),
            start_ticks: 7,
        }
    }

    fn check(processes: &[&str], leaders: &[i32], marked: &[i32], expected: &[i32]) {
        let all: Vec<Stat> = processes.iter().map(|text| process(text)).collect();
        let found = select_kin(&all, OWN, leaders, &HashSet::new(), |process| {
            marked.contains(&process.pid)
        });
        let found: Vec<i32> = found.iter().map(|process| process.pid).collect();
        assert_eq!(found, expected, "{processes:?}");
    }

    #[test]
    fn kin_is_found_by_group_session_mark_and_parent() {
        check(&["5 1 5 1", "6 5 5 1", "7 1 7 1"], &[5], &[], &[5, 6]);
        check(&["5 1 5 5", "6 1 6 5"], &[5], &[], &[5, 6]);
        check(&["6 1 6 6", "7 1 7 7"], &[], &[7], &[7]);
        check(&["8 7 8 8", "7 6 7 7", "6 1 6 6"], &[], &[6], &[8, 7, 6]);
    }

    #[test]
    fn without_a_sure_leader_its_old_group_is_not_ours() {
        check(&["6 1 5 5", "7 1 5 5"], &[], &[], &[]);
        check(&["6 1 5 5", "7 1 5 5"], &[], &[7], &[7]);
    }

    #[test]
    fn zombies_are_no_longer_alive_but_still_lead() {
        check(&["5 1 5 1 Z", "6 1 5 1"], &[5], &[], &[6]);
        check(&["5 1 5 1 Z", "6 5 6 6"], &[5], &[], &[6]);
    }

    #[test]
    fn we_are_never_our_own_kin() {
        check(&["999 5 5 5", "5 1 5 5"], &[5], &[999], &[5]);
        check(&["999 1 1 1", "5 999 5 5"], &[], &[999], &[]);
    }

    #[test]
    fn who_was_seen_before_stays_kin() {
        let all = [process("6 1 6 6"), process("7 1 7 7")];
        let known = HashSet::from([Identity::from(&all[0])]);
        let found = select_kin(&all, OWN, &[], &known, |_| false);
        assert_eq!(found, all[..1]);
    }

    #[test]
    fn a_leader_counts_only_with_its_start_time() {
        let kin = |start_ticks| Kin {
            leaders: vec![Identity { pid: 5, start_ticks }],
            mark: "x".into(),
        };
        assert_eq!(kin(7).surely_led(&[process("5 1 5 5")]), [5]);
        assert!(kin(8).surely_led(&[process("5 1 5 5")]).is_empty());
    }

    #[test]
    fn a_mark_is_whole_or_ends_at_a_dot() {
        let check = |value: &str, mark: &str, expected: bool| {
            assert_eq!(is_marked(value.as_bytes(), mark), expected, "{value} {mark}");
        };
        check("a.1.2.3", "a.1.2.3", true);
        check("a.1.2.3", "a.1.2", true);
        check("a.1.2.33", "a.1.2.3", false);
        check("a.1.22.3", "a.1.2", false);
        check("b.a.1.2.3", "a.1.2.3", false);
        check("", "a", false);
    }
}
