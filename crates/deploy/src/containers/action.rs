//! What can be done with a container.
//!
//! The idea: what is already so is a success, whoever made it so: a container that is to be
//! started and runs, one that is to be removed and is gone. Everything else that is in the way is
//! told in the daemon's own words. It goes by whole ids only, and each call may take as long as
//! what it waits for, and a while longer.

use std::time::Duration;

use bollard::query_parameters::{
    RemoveContainerOptionsBuilder, RestartContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder,
};

use tokio::time::{Instant, sleep};

use super::{ContainerError, ContainerId, Containers};
use crate::docker::ACT;

/// How much longer a call may take than the time that a container is given to end.
const SLACK: Duration = Duration::from_secs(40);

/// How long somebody else's removal is waited for, and how often it is asked what came of it.
const UNDER_WAY: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);

/// Something that can be done with a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It runs.
    Start,
    /// It is asked to end, and killed when it has not after `timeout`, in whole seconds.
    Stop {
        /// How long it is given.
        timeout: Duration,
    },
    /// The same, and it is started again; one that does not run is started.
    Restart {
        /// How long it is given.
        timeout: Duration,
    },
    /// It is taken away for good. Its volumes stay.
    Remove {
        /// Also where it runs: it is killed.
        force: bool,
    },
    /// Its processes are held.
    Pause,
    /// They go on.
    Unpause,
}

impl Action {
    /// Docker's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop { .. } => "stop",
            Self::Restart { .. } => "restart",
            Self::Remove { .. } => "remove",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
        }
    }

    /// How long the daemon may take for it.
    fn deadline(self) -> Duration {
        match self {
            Self::Stop { timeout } => timeout + SLACK,
            // It is started again, too.
            Self::Restart { timeout } => timeout + ACT,
            Self::Start | Self::Remove { .. } | Self::Pause | Self::Unpause => ACT,
        }
    }
}

impl Containers {
    /// Does something with the container of this whole id.
    ///
    /// # Errors
    /// [`ContainerError`]; a conflict where its state does not allow it.
    pub async fn act(&self, id: &ContainerId, action: Action) -> Result<(), ContainerError> {
        let until = Instant::now() + UNDER_WAY;
        loop {
            let done = self.ask_for(id, action).await;
            match done {
                Err(error) if action.is_already_so(&error) => return Ok(()),
                // Somebody else's removal may still be refused, and then nothing is gone.
                Err(error) if action.is_under_way(&error) && Instant::now() < until => sleep(PAUSE).await,
                done => return done,
            }
        }
    }

    async fn ask_for(&self, id: &ContainerId, action: Action) -> Result<(), ContainerError> {
        let daemon = self.shared.reach.daemon().await?;
        let deadline = action.deadline();
        // The client has a deadline of its own, which must not be the shorter one.
        let docker = daemon.docker().clone().with_timeout(deadline + SLACK);
        let call = async {
            let id = id.as_str();
            match action {
                Action::Start => docker.start_container(id, None::<StartContainerOptions>).await,
                Action::Stop { timeout } => {
                    let options = StopContainerOptionsBuilder::new().t(seconds(timeout)).build();
                    docker.stop_container(id, Some(options)).await
                }
                Action::Restart { timeout } => {
                    let options = RestartContainerOptionsBuilder::new().t(seconds(timeout)).build();
                    docker.restart_container(id, Some(options)).await
                }
                Action::Remove { force } => {
                    let options = RemoveContainerOptionsBuilder::new().force(force).build();
                    docker.remove_container(id, Some(options)).await
                }
                Action::Pause => docker.pause_container(id).await,
                Action::Unpause => docker.unpause_container(id).await,
            }
        };
        let done = self.shared.reach.call(&daemon, id.as_str(), deadline, call).await;
        // Its event may come later than the next question.
        self.shared.cache.touch(id);
        done
    }
}

impl Action {
    /// Whether a refusal says that what is wanted is so.
    fn is_already_so(self, error: &ContainerError) -> bool {
        matches!(
            (self, error),
            (Self::Remove { .. }, ContainerError::NotFound { .. })
        )
    }

    /// Whether a refusal says that somebody else is at it. What comes of that nobody knows yet.
    fn is_under_way(self, error: &ContainerError) -> bool {
        matches!((self, error), (Self::Remove { .. }, ContainerError::Conflict { message })
            if message.contains("already in progress"))
    }
}

/// As Docker counts; a part of a second is a whole one.
fn seconds(timeout: Duration) -> i32 {
    let seconds = timeout
        .as_secs()
        .saturating_add(u64::from(timeout.subsec_nanos() > 0));
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_removal_is_done_by_others() {
        let gone = ContainerError::NotFound { name: "x".into() };
        let going = ContainerError::Conflict {
            message: "removal of container x is already in progress".into(),
        };
        let running = ContainerError::Conflict {
            message: "You cannot remove a running container x".into(),
        };
        let remove = Action::Remove { force: false };
        assert!(remove.is_already_so(&gone) && !remove.is_already_so(&going));
        assert!(remove.is_under_way(&going) && !remove.is_under_way(&gone));
        assert!(!remove.is_already_so(&running) && !remove.is_under_way(&running));
        assert!(!Action::Start.is_already_so(&gone) && !Action::Pause.is_under_way(&going));
    }

    #[test]
    fn a_call_may_take_longer_than_what_it_waits_for() {
        for timeout in [0, 1, 10, 600].map(Duration::from_secs) {
            for action in [Action::Stop { timeout }, Action::Restart { timeout }] {
                assert!(action.deadline() >= timeout + SLACK, "{action:?}");
            }
        }
        assert_eq!(seconds(Duration::from_millis(1500)), 2);
        assert_eq!(seconds(Duration::MAX), i32::MAX);
    }
}
