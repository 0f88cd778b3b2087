//! Every option as people are shown it: its value, who set it, and what it is for.

use std::fmt;
use std::path::PathBuf;

use figment2::Figment;
use serde_json::Value;
use utoipa::PartialSchema as _;

use super::environment::variable;
use super::{Environment, Options};

/// Options that nobody is shown.
const SECRETS: [&str; 2] = ["token", "database"];

/// An option, its value, and who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The option.
    pub(crate) option: &'static str,
    /// Its value, as text; a secret's is hidden.
    pub(crate) value: String,
    /// Who set it.
    pub(crate) source: Source,
    /// What it is for.
    pub(crate) help: String,
}

/// Who set an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody.
    Default,
    /// The configuration file at this path.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
    /// This flag of the command line.
    Flag(String),
}

impl Source {
    /// The flag of an option.
    pub(super) fn flag(option: &str) -> Self {
        Self::Flag(format!("--{}", option.replace('_', "-")))
    }

    /// What kind of source it is, in one word.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// An option's value as it may be shown.
pub(super) fn shown(option: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if SECRETS.contains(&option) && !text.is_empty() {
        return "***".into();
    }
    text
}

/// Who set an option, the last one winning.
pub(super) fn source_of(figment: &Figment, option: &str, environment: &Environment, said: &Value) -> Source {
    if said.get(option).is_some() {
        return Source::flag(option);
    }
    if environment.contains_key(option) {
        return Source::Environment(variable(option));
    }
    let metadata = figment.find_metadata(option);
    let file = metadata
        .and_then(|metadata| metadata.source.as_ref()?.file_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    file.map_or(Source::Default, |path| Source::File(path.to_owned()))
}

/// What an option is for: its own comment in the code.
pub(super) fn help(option: &str) -> String {
    let schema = serde_json::to_value(Options::schema()).unwrap_or_default();
    let text = schema["properties"][option]["description"].as_str();
    text.unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
