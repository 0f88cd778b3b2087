//! What options mean, and who wins.

use super::*;

fn defaults() -> Options {
    Options {
        data_dir: "/default/data".into(),
        model_dir: "/default/models".into(),
        stop_grace_seconds: 5.0,
        log: "warn".into(),
        docker_host: String::new(),
        hub_cache: "/default/cache".into(),
        kubernetes_config: PathBuf::new(),
        kubernetes_context: String::new(),
        kubernetes_namespace: String::new(),
        kubernetes_agent_image: "agent".into(),
        kubernetes_gpu_resource: "nvidia.com/gpu".into(),
        kubernetes_schedule_timeout_seconds: 300.0,
        kubernetes_autoscaled: false,
        container_shm: "16GiB".into(),
        allowed_programs: Vec::new(),
        allowed_model_dirs: Vec::new(),
        url: String::new(),
        token: String::new(),
        database: String::new(),
        max_tasks: 8,
        cpu_slots: 0,
        manage_all_containers: false,
    }
}

fn load(file: &str, flags: &Flags) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("config.toml");
    std::fs::write(&path, file).expect("written");
    let environment = from_environment(|name| (name == "AUTOTUNER_LOG").then(|| "".into()))?;
    Config::from_sources(&defaults(), &path, &environment, flags)
}

fn origin(config: &Config, option: &str) -> (String, String) {
    let origin = config
        .origins
        .iter()
        .find(|origin| origin.option == option)
        .expect("known");
    (origin.value.clone(), origin.source.to_string())
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
        from_environment(move |name| {
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
    assert_eq!(environment["data_dir"], "2024");
    assert!(!environment.contains_key("model_dir"));
    assert_eq!(environment["stop_grace_seconds"], 10.0);
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
    check("container_shm = 'much'", "an amount of memory");
    check("data_dir = '~/data'", "only a shell knows what ~ is");
}

#[test]
fn a_token_is_never_shown() {
    let config = load(
        "token = 'tuner-secret'\nurl = 'https://tuner.example'\n",
        &Flags::default(),
    )
    .expect("sound");
    let (value, source) = origin(&config, "token");
    assert_eq!(value, "***");
    assert!(source.ends_with("config.toml"), "{source}");
    assert_eq!(config.token.as_ref().map(Secret::reveal), Some("tuner-secret"));
    assert!(!format!("{config:?}").contains("tuner-secret"));
    assert_eq!(origin(&config, "url").0, "https://tuner.example");
    let config = load("", &Flags::default()).expect("sound");
    assert_eq!(origin(&config, "token"), (String::new(), "default".into()));
    assert_eq!((config.url, config.token), (None, None));
}

#[test]
fn lists_come_from_a_file_as_such_and_from_a_variable_with_commas() {
    let file = "allowed_programs = ['/opt/a', 'b']\nallowed_model_dirs = ['/m']\n";
    let config = load(file, &Flags::default()).expect("sound");
    assert_eq!(config.allowed_programs, ["/opt/a", "b"]);
    assert_eq!(config.allowed_model_dirs, [PathBuf::from("/m")]);
    let said = from_environment(|name| (name == "AUTOTUNER_ALLOWED_PROGRAMS").then(|| "a:1, b,,".into()));
    assert_eq!(
        said.expect("sound")["allowed_programs"],
        serde_json::json!(["a:1", "b"])
    );
    let refused = load("allowed_model_dirs = ['~/m']\n", &Flags::default());
    assert!(refused.is_err());
}

#[test]
fn every_option_says_what_it_is_for_and_who_set_it() {
    let flags = Flags {
        data_dir: Some("/flag/data".into()),
        ..Flags::default()
    };
    let mut config = load("max_tasks = 2\n", &flags).expect("sound");
    for origin in &config.origins {
        let is_sentence = origin.help.ends_with('.') && !origin.help.contains('\n');
        assert!(is_sentence, "{}: {:?}", origin.option, origin.help);
    }
    let kind = |config: &Config, option: &str| {
        let origin = config.origins.iter().find(|origin| origin.option == option);
        origin.expect("known").source.as_str()
    };
    assert_eq!(kind(&config, "data_dir"), "flag");
    assert_eq!(kind(&config, "max_tasks"), "file");
    assert_eq!(kind(&config, "log"), "default");
    let said = from_environment(|name| (name == "AUTOTUNER_MAX_TASKS").then(|| "3".into())).expect("sound");
    let read =
        Config::from_sources(&defaults(), Path::new("/nonexistent.toml"), &said, &flags).expect("sound");
    assert_eq!(kind(&read, "max_tasks"), "environment");
    assert_eq!(origin(&config, "manage_all_containers").0, "false");
    config.let_all_containers_be_managed();
    let now = ("true".to_owned(), "--manage-all-containers".to_owned());
    assert_eq!(origin(&config, "manage_all_containers"), now);
}
