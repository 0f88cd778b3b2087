//! Why the service gave no answer, in words for a terminal.
//!
//! What the service itself says of a refusal is passed on to the letter: the texts are its own,
//! wherever it was asked from.

use autotuner_core::problem::Problem;
use axum::http::StatusCode;
use serde::Deserialize;

use super::super::{NOTHING, WRONG, say};

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nobody listens there.
    #[error("no service answers at {url}")]
    Unreachable {
        /// Where.
        url: String,
        /// What to do about it.
        hint: String,
        /// Why not.
        #[source]
        source: ureq::Error,
    },
    /// The question was sent and the answer did not come, or not whole.
    #[error("the service at {url} did not answer {question}")]
    Silent {
        /// Where.
        url: String,
        /// What it was asked: `GET /api/tasks`.
        question: String,
        /// Why not.
        #[source]
        source: ureq::Error,
    },
    /// It refuses, or cannot.
    #[error("{}", said.detail)]
    Refused {
        /// With which status.
        status: StatusCode,
        /// What it says of it.
        said: Said,
    },
    /// Whoever answers does not speak as the service does.
    #[error("what answers at {url} is not the service: {what}")]
    Strange {
        /// Where.
        url: String,
        /// What was wrong with it.
        what: String,
    },
}

/// An error as the service tells it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Said {
    /// What happened, to what.
    pub(crate) detail: String,
    /// What to do about it.
    #[serde(default)]
    pub(crate) hint: Option<String>,
    /// Everything that is wrong with a document.
    #[serde(default)]
    pub(crate) problems: Vec<SaidProblem>,
}

/// One thing wrong with a document, as the service tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SaidProblem {
    /// Where.
    #[serde(default)]
    pub(crate) path: String,
    /// What.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(default)]
    pub(crate) hint: Option<String>,
}

impl From<SaidProblem> for Problem {
    fn from(said: SaidProblem) -> Self {
        let SaidProblem { path, message, hint } = said;
        Self { path, message, hint }
    }
}

impl Trouble {
    /// An answer that is an error.
    pub(super) fn refused(url: &str, status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice::<Said>(body) {
            Ok(mut said) => {
                if status == StatusCode::UNAUTHORIZED {
                    // The service's own advice is for programs that speak to it.
                    said.hint = Some(NO_TOKEN.to_owned());
                }
                Self::Refused { status, said }
            }
            // Whoever stands before the service has words of its own.
            Err(_) => Self::Strange {
                url: url.to_owned(),
                what: format!("it answers {status} without a reason that can be read"),
            },
        }
    }

    /// Whether there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND)
    }

    /// Whether a later attempt may succeed.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Strange { .. } => false,
        }
    }

    /// The exit code: the question was wrong, or it was right and nothing came of it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::Silent { .. } if self.is_passing() => NOTHING,
            _ => WRONG,
        }
    }

    /// Tells it on standard error.
    pub(crate) fn tell(&self) {
        let said = match self {
            Self::Refused { said, .. } => said.clone(),
            _ => Said::default(),
        };
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        let problems: Vec<Problem> = said.problems.into_iter().map(Problem::from).collect();
        // Who shows nothing else is told the first problem in the text; here all follow.
        if let Some(first) = problems.first()
            && let Some((before, _)) = text.split_once(&first.to_string())
        {
            text = before.trim_end_matches([' ', ':']).to_owned();
        }
        say(&format!("error: {text}"));
        for problem in problems {
            say(&format!("  {problem}"));
        }
        let hint = match self {
            Self::Unreachable { hint, .. } => Some(hint.as_str()),
            Self::Refused { said, .. } => said.hint.as_deref(),
            _ => None,
        };
        if let Some(hint) = hint {
            say(&format!("hint: {hint}"));
        }
    }
}

/// How to be let in.
const NO_TOKEN: &str = "pass a token with --token or AUTOTUNER_TOKEN; where the service runs, \
     autotuner token create NAME --role operator makes one";
