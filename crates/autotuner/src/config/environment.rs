//! The environment: what it says of options, and which of its variables look like options.

use std::ffi::OsString;

use autotuner_core::problem::closest;

use super::{ConfigError, Environment, OPTIONS, shown};

/// Prefix of our environment variables.
const PREFIX: &str = "AUTOTUNER_";

/// Variables with our prefix that are no options: marks of engines, and what our scripts heed.
const NO_OPTIONS: [&str; 18] = [
    "INSTANCE",
    "DEPLOYMENT",
    "LLAMA_SERVER",
    "SKIP_LLAMA_BUILD",
    "SIM_IMAGE",
    "LLAMA_IMAGE",
    "REQUIRE_DOCKER",
    "SKIP_DOCKER",
    "TEST_POSTGRES",
    "REQUIRE_POSTGRES",
    "SKIP_POSTGRES",
    "AGENT_IMAGE",
    "TEST_KUBECONFIG",
    "REQUIRE_KUBERNETES",
    "KUBERNETES_FOLDER",
    "BINARY",
    "FAULT",
    "LEASE_SECONDS",
];

/// Asks for every option's variable. Values are taken as they are: a directory may be called
/// `2024`.
///
/// # Errors
/// A number that is none, or what is no text.
pub(super) fn from_environment(read: impl Fn(&str) -> Option<OsString>) -> Result<Environment, ConfigError> {
    let mut said = Environment::new();
    for option in OPTIONS {
        let Some(value) = read(&variable(option)).filter(|value| !value.is_empty()) else {
            continue;
        };
        let wrong = |value: String, reason| ConfigError::Value {
            option,
            value: shown(option, &value.into()),
            reason,
        };
        let text = value
            .into_string()
            .map_err(|value| wrong(value.to_string_lossy().into_owned(), "it is not UTF-8 text"))?;
        let value = match option {
            "stop_grace_seconds" | "kubernetes_schedule_timeout_seconds" => text
                .parse::<f64>()
                .map_err(|_| wrong(text, "it is a number of seconds"))?
                .into(),
            "allowed_programs" | "allowed_model_dirs" => listed(&text).collect(),
            "max_tasks" | "cpu_slots" => text
                .parse::<u32>()
                .map_err(|_| wrong(text, "it is a whole number from 0"))?
                .into(),
            "manage_all_containers" | "kubernetes_autoscaled" => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => true.into(),
                "false" | "0" => false.into(),
                _ => return Err(wrong(text, "it is true or false")),
            },
            _ => text.into(),
        };
        said.insert(option.to_owned(), value);
    }
    Ok(said)
}

/// What `AUTOTUNER_LEASE_SECONDS` says, for tests that cannot wait for a minute: in milliseconds.
///
/// # Errors
/// It is no whole number of seconds from 2 to 3600.
pub(super) fn lease_ms(read: impl Fn(&str) -> Option<OsString>) -> Result<Option<i64>, ConfigError> {
    let Some(value) = read(&variable("lease_seconds")).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let seconds = value.to_str().and_then(|text| text.parse::<i64>().ok());
    match seconds {
        Some(seconds @ 2..=3600) => Ok(Some(seconds * 1000)),
        _ => Err(ConfigError::Value {
            option: "lease_seconds",
            value: value.to_string_lossy().into_owned(),
            reason: "it is a whole number of seconds from 2 to 3600",
        }),
    }
}

/// The entries of a list in a variable.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// The environment variable of an option.
pub(super) fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.to_uppercase())
}

/// Names of the environment's variables, those apart that are not text.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one module that reads the environment"
)]
pub(super) fn environment_names() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect()
}

/// What to say of a variable that looks like an option of ours and is none.
pub(super) fn stranger(name: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX)?;
    let options = OPTIONS.map(str::to_uppercase);
    if NO_OPTIONS.contains(&rest) || options.iter().any(|option| option == rest) {
        return None;
    }
    let hint = match closest(rest, options.iter().map(String::as_str)) {
        Some(option) => format!("; did you mean {PREFIX}{option}?"),
        None => String::new(),
    };
    Some(format!("environment variable {name} is not an option{hint}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(super) fn read_environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
