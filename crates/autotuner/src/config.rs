//! The configuration: defaults < file < environment < flags, and who said what.
//!
//! This is the only module that reads the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autotuner_core::problem::closest;
use etcetera::{BaseStrategy, choose_base_strategy};
use figment2::Figment;
use figment2::providers::{Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

/// Prefix of our environment variables.
const PREFIX: &str = "AUTOTUNER_";

/// Every option.
const OPTIONS: [&str; 4] = ["data_dir", "model_dir", "stop_grace_seconds", "log"];

/// Variables with our prefix that are no options: marks of engines, and what our scripts heed.
const NO_OPTIONS: [&str; 8] = [
    "INSTANCE",
    "DEPLOYMENT",
    "LLAMA_SERVER",
    "SKIP_LLAMA_BUILD",
    "SIM_IMAGE",
    "LLAMA_IMAGE",
    "REQUIRE_DOCKER",
    "SKIP_DOCKER",
];

/// What the operator may set. Every option's doc comment is its reference text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Where logs, records of running engines and, later, the database live.
    data_dir: PathBuf,
    /// Directory below which a model that is named without a slash is looked for.
    model_dir: PathBuf,
    /// Seconds between asking an engine to end and forcing it, 0 to 600.
    stop_grace_seconds: f64,
    /// What to log to the terminal, in the syntax of `RUST_LOG`: `info`, `autotuner=debug`.
    log: String,
}

/// The effective configuration, validated.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Where logs, records of running engines and, later, the database live.
    pub(crate) data_dir: PathBuf,
    /// Directory below which a model that is named without a slash is looked for.
    pub(crate) model_dir: PathBuf,
    /// Time between asking an engine to end and forcing it.
    pub(crate) stop_grace: Duration,
    /// What to log.
    pub(crate) log: String,
    /// Where programs are looked up.
    pub(crate) search_path: Option<OsString>,
    /// Whether the environment asks for output without colour (`NO_COLOR`).
    pub(crate) no_color: bool,
    /// Every option, its value, and who set it.
    pub(crate) origins: Vec<Origin>,
    /// What to warn of: variables that look like options and are none.
    pub(crate) warnings: Vec<String>,
}

/// Who set an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The option.
    pub(crate) option: &'static str,
    /// Its value, as text.
    pub(crate) value: String,
    /// Who set it.
    pub(crate) source: String,
}

/// What the command line says of options.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
pub(crate) struct Flags {
    /// Where logs and records of running engines live [default: the XDG data directory]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<PathBuf>,
    /// Directory below which models named without a slash are looked for
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    model_dir: Option<PathBuf>,
    /// What to log to the terminal, for example `info` or `autotuner=debug`
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Global options")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

/// What the environment says of options. A variable that is set to nothing is not set.
#[derive(Debug, Clone, Default, Serialize)]
struct Environment {
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_grace_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// No home directory, so no default places.
    #[error("cannot tell where your home directory is; set HOME, or pass --data-dir")]
    NoHome(#[source] etcetera::HomeDirError),
    /// A source could not be read.
    #[error("cannot read the configuration")]
    Read(#[source] Box<figment2::Error>),
    /// An option has a value that cannot be used.
    #[error("option {option} cannot be {value}: {reason}")]
    Value {
        /// Which one.
        option: &'static str,
        /// What was given.
        value: String,
        /// Why not.
        reason: &'static str,
    },
}

impl Config {
    /// Reads every source once.
    ///
    /// # Errors
    /// A source that cannot be read, or a value that cannot be used.
    pub(crate) fn load(flags: &Flags) -> Result<Self, ConfigError> {
        let environment = Environment::read(read_environment)?;
        let (data_dir, file) = match choose_base_strategy() {
            Ok(base) => (
                base.data_dir().join("inference-autotuner"),
                base.config_dir().join("inference-autotuner").join("config.toml"),
            ),
            // Who has no home has no file of ours in it, and has said where data goes.
            Err(_) if flags.data_dir.is_some() || environment.data_dir.is_some() => Default::default(),
            Err(error) => return Err(ConfigError::NoHome(error)),
        };
        let defaults = Options {
            data_dir,
            model_dir: PathBuf::from("/mnt/data/models"),
            stop_grace_seconds: 5.0,
            log: "warn".into(),
        };
        let mut config = Self::from_sources(&defaults, &file, &environment, flags)?;
        config.warnings = environment_names()
            .iter()
            .filter_map(|name| stranger(name))
            .collect();
        Ok(config)
    }

    fn from_sources(
        defaults: &Options,
        file: &Path,
        environment: &Environment,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let figment = Figment::from(Serialized::defaults(defaults))
            .merge(Toml::file(file).search(false))
            .merge(Serialized::defaults(environment))
            .merge(Serialized::defaults(flags));
        let options: Options = figment
            .extract()
            .map_err(|error| ConfigError::Read(Box::new(error)))?;
        no_tilde("data_dir", &options.data_dir)?;
        no_tilde("model_dir", &options.model_dir)?;
        let origins = OPTIONS
            .into_iter()
            .map(|option| Origin {
                option,
                value: value_of(&options, option),
                source: source_of(&figment, option, environment, flags),
            })
            .collect();
        Ok(Self {
            data_dir: std::path::absolute(&options.data_dir).unwrap_or(options.data_dir),
            model_dir: options.model_dir,
            stop_grace: grace(options.stop_grace_seconds)?,
            log: options.log,
            search_path: read_environment("PATH"),
            no_color: read_environment("NO_COLOR").is_some_and(|value| !value.is_empty()),
            origins,
            warnings: Vec::new(),
        })
    }

    /// Where records of running engines live.
    pub(crate) fn instances_dir(&self) -> PathBuf {
        self.data_dir.join("instances")
    }

    /// Where logs live.
    pub(crate) fn logs_dir(&self) -> PathBuf {
        self.data_dir.join("logs")
    }
}

impl Environment {
    /// Asks for every option's variable. Values are taken as they are: a directory may be
    /// called `2024`.
    ///
    /// # Errors
    /// A number of seconds that is none.
    fn read(read: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let value = |option: &str| read(&variable(option)).filter(|value| !value.is_empty());
        let text = |option| value(option).map(|value| value.to_string_lossy().into_owned());
        let option = "stop_grace_seconds";
        let stop_grace_seconds = match text(option) {
            None => None,
            Some(value) => Some(value.parse().map_err(|_| ConfigError::Value {
                option,
                value,
                reason: "it is a number of seconds",
            })?),
        };
        Ok(Self {
            data_dir: value("data_dir").map(PathBuf::from),
            model_dir: value("model_dir").map(PathBuf::from),
            stop_grace_seconds,
            log: text("log"),
        })
    }

    fn sets(&self, option: &str) -> bool {
        match option {
            "data_dir" => self.data_dir.is_some(),
            "model_dir" => self.model_dir.is_some(),
            "stop_grace_seconds" => self.stop_grace_seconds.is_some(),
            _ => self.log.is_some(),
        }
    }
}

/// The environment variable of an option.
fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.to_uppercase())
}

/// Names of the environment's variables, those apart that are not text.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one module that reads the environment"
)]
fn environment_names() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect()
}

/// What to say of a variable that looks like an option of ours and is none.
fn stranger(name: &str) -> Option<String> {
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
fn read_environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// `~` in a file or in `--data-dir=~/x` is not a shell's to expand, and a directory of that
/// name wherever we happen to be started is nobody's wish.
fn no_tilde(option: &'static str, path: &Path) -> Result<(), ConfigError> {
    let value = path.display().to_string();
    if value.starts_with('~') {
        return Err(ConfigError::Value {
            option,
            value,
            reason: "only a shell knows what ~ is; write the whole path",
        });
    }
    Ok(())
}

fn grace(seconds: f64) -> Result<Duration, ConfigError> {
    if (0.0..=600.0).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(ConfigError::Value {
        option: "stop_grace_seconds",
        value: seconds.to_string(),
        reason: "it lies between 0 and 600",
    })
}

fn value_of(options: &Options, option: &str) -> String {
    let Options {
        data_dir,
        model_dir,
        stop_grace_seconds,
        log,
    } = options;
    match option {
        "data_dir" => data_dir.display().to_string(),
        "model_dir" => model_dir.display().to_string(),
        "stop_grace_seconds" => stop_grace_seconds.to_string(),
        _ => log.clone(),
    }
}

fn source_of(figment: &Figment, option: &str, environment: &Environment, flags: &Flags) -> String {
    let Flags {
        data_dir,
        model_dir,
        log,
    } = flags;
    let is_flag = match option {
        "data_dir" => data_dir.is_some(),
        "model_dir" => model_dir.is_some(),
        "log" => log.is_some(),
        _ => false,
    };
    if is_flag {
        return format!("--{}", option.replace('_', "-"));
    }
    if environment.sets(option) {
        return format!("environment variable {}", variable(option));
    }
    match figment.find_metadata(option) {
        Some(metadata) => match metadata.source.as_ref().and_then(|source| source.file_path()) {
            Some(path) if path.extension().is_some_and(|extension| extension == "toml") => {
                path.display().to_string()
            }
            _ => "default".into(),
        },
        None => "default".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Options {
        Options {
            data_dir: "/default/data".into(),
            model_dir: "/default/models".into(),
            stop_grace_seconds: 5.0,
            log: "warn".into(),
        }
    }

    fn load(file: &str, flags: &Flags) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("config.toml");
        std::fs::write(&path, file).expect("written");
        let environment = Environment::read(|name| (name == "AUTOTUNER_LOG").then(|| "".into()))?;
        Config::from_sources(&defaults(), &path, &environment, flags)
    }

    fn origin(config: &Config, option: &str) -> (String, String) {
        let origin = config
            .origins
            .iter()
            .find(|origin| origin.option == option)
            .expect("known");
        (origin.value.clone(), origin.source.clone())
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let flags = Flags {
            data_dir: Some("/flag/data".into()),
            ..Flags::default()
        };
        let config = load("data_dir = '/file/data'\nstop_grace_seconds = 2.5\n", &flags).expect("sound");
        assert_eq!(config.data_dir, PathBuf::from("/flag/data"));
        assert_eq!(config.stop_grace, Duration::from_millis(2500));
        assert_eq!(
            origin(&config, "data_dir"),
            ("/flag/data".into(), "--data-dir".into())
        );
        let (value, source) = origin(&config, "stop_grace_seconds");
        assert_eq!(value, "2.5");
        assert!(source.ends_with("config.toml"), "{source}");
        assert_eq!(origin(&config, "log"), ("warn".into(), "default".into()));
    }

    #[test]
    fn variables_are_taken_as_they_are() {
        let read = |given: &'static [(&str, &str)]| {
            Environment::read(move |name| {
                let (_, value) = given.iter().find(|(known, _)| *known == name)?;
                Some(OsString::from(value))
            })
        };
        let environment = read(&[
            ("AUTOTUNER_DATA_DIR", "2024"),
            ("AUTOTUNER_MODEL_DIR", ""),
            ("AUTOTUNER_STOP_GRACE_SECONDS", "1e1"),
        ])
        .expect("sound");
        assert_eq!(environment.data_dir, Some("2024".into()));
        assert_eq!(environment.model_dir, None);
        assert_eq!(environment.stop_grace_seconds, Some(10.0));
        let error = read(&[("AUTOTUNER_STOP_GRACE_SECONDS", "soon")]).expect_err("no number");
        assert_eq!(
            error.to_string(),
            "option stop_grace_seconds cannot be soon: it is a number of seconds"
        );
    }

    #[test]
    fn variables_that_look_like_options_are_told() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(stranger(name).as_deref(), expected, "{name}");
        };
        check(
            "AUTOTUNER_DATADIR",
            Some("environment variable AUTOTUNER_DATADIR is not an option; did you mean AUTOTUNER_DATA_DIR?"),
        );
        check(
            "AUTOTUNER_COLOUR",
            Some("environment variable AUTOTUNER_COLOUR is not an option"),
        );
        check("AUTOTUNER_DATA_DIR", None);
        check("AUTOTUNER_INSTANCE", None);
        check("PATH", None);
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_key_named() {
        let check = |file: &str, part: &str| {
            let error = load(file, &Flags::default()).expect_err(file);
            let mut text = error.to_string();
            if let Some(source) = std::error::Error::source(&error) {
                text = format!("{text}: {source}");
            }
            assert!(text.contains(part), "{text}");
        };
        check("data_dri = '/x'", "data_dri");
        check("stop_grace_seconds = 'soon'", "stop_grace_seconds");
        check("stop_grace_seconds = 1e9", "between 0 and 600");
        check("data_dir = '~/data'", "only a shell knows what ~ is");
    }
}
