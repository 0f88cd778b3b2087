//! Why a claimed task did not get to an end of any kind.

use autotuner_core::problem::Problem;
use autotuner_store::StoreError;

use crate::worker::RunError;
use crate::worker::logs::TaskLogs;

/// Why it did not get to an end of any kind.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The task cannot be run as it is.
    #[error("{}", in_words(.0))]
    Refused(Vec<Problem>),
    /// It broke off.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its log cannot be written.
    #[error("its log cannot be opened")]
    Log(#[source] std::io::Error),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Run(RunError::Record(error))
    }
}

/// Puts down in the task's log what kept it from being run.
pub(super) fn log_problems(logs: &TaskLogs, failed: &Failed) {
    if let Failed::Refused(problems) = failed {
        for problem in problems {
            logs.line("ERROR", &problem.to_string());
        }
    }
}

fn in_words(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
