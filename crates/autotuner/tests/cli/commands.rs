//! Every other command: what it prints, where, and with which exit code.

use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Running, Sandbox, sim_task};

/// The subcommands that `--help` lists, `help` itself apart.
fn subcommands(sandbox: &Sandbox) -> Vec<String> {
    let help = sandbox.run(&["--help"]).expect(0).stdout;
    let (_, rest) = help.split_once("Commands:\n").expect("a list of commands");
    rest.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_of_the_whole() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!("help", sandbox.run(&["--help"]).expect(0).stdout);
    let version = sandbox.run(&["--version"]).expect(0).stdout;
    assert_eq!(version, format!("autotuner {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_command_has_an_example() {
    let sandbox = Sandbox::new();
    let commands = subcommands(&sandbox);
    for known in ["run", "bench", "validate", "doctor", "demo", "sim-engine"] {
        assert!(commands.iter().any(|command| command == known), "{commands:?}");
    }
    for command in &commands {
        let help = sandbox.run(&[command.as_str(), "--help"]).expect(0).stdout;
        let (_, examples) = help
            .split_once("Example")
            .unwrap_or_else(|| panic!("no example in the help of {command}:\n{help}"));
        assert!(examples.contains(&format!("autotuner {command}")), "{examples}");
    }
}

#[test]
fn wrong_command_lines_are_refused_with_the_word_named() {
    let sandbox = Sandbox::new();
    let check = |arguments: &[&str], parts: &[&str]| {
        let finished = sandbox.run(arguments).expect(2).says(parts);
        assert_eq!(finished.stdout, "");
    };
    check(&["turn"], &["turn"]);
    check(&["run"], &["TASK_FILE"]);
    check(
        &["run", "no-such.yaml"],
        &["cannot read the task file no-such.yaml"],
    );
    check(&["run", "task.yaml", "--mode", "moon"], &["moon", "local"]);
    check(&["engines", "vlm"], &["unknown engine \"vlm\"", "vllm"]);
    check(&["bench", "--url", "http://127.0.0.1:1"], &["--model"]);
    check(
        &[
            "bench",
            "--url",
            "http://127.0.0.1:1",
            "--model",
            "m",
            "--scenario",
            "D(1)",
        ],
        &["D(1)"],
    );
    check(&["doctor", "--log", "no=such=filter"], &["no=such=filter"]);
}

#[test]
fn sound_task_files_are_summed_up() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "good.json",
        &sim_task(&json!({"max-num-seqs": [4, 8]})).to_string(),
    );
    let finished = sandbox.run(&["validate", "good.json"]).expect(0);
    assert_eq!(
        finished.stdout,
        "good.json: ok, sim on local, 1 parameter, 2 configurations, grid_search of at most 2 \
         experiments, 1 level each\n"
    );
}

#[test]
fn every_example_is_sound() {
    let sandbox = Sandbox::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let files: Vec<String> = std::fs::read_dir(folder)
        .expect("there are examples")
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .filter(|path| !path.ends_with(".md"))
        .collect();
    assert!(files.len() > 10, "{files:?}");
    let arguments: Vec<&str> = ["validate"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    sandbox.run(&arguments).expect(0);
}

#[test]
fn what_a_run_would_refuse_is_told_of_a_sound_file() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"max-num-seqs": [4, 8]}));
    task["storage"] = json!({"type": "pvc", "pvc_name": "models"});
    sandbox.write("later.json", &task.to_string());
    let told = sandbox.run(&["validate", "later.json"]).expect(0).stdout;
    for part in [
        "later.json: ok, sim on local",
        "cannot run yet: storage: is a volume of a Kubernetes cluster, and the engine runs elsewhere",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let json = sandbox
        .run(&["validate", "--json", "later.json"])
        .expect(0)
        .json();
    let told = json[0]["cannot_run_yet"].as_array().expect("a list");
    let places: Vec<_> = told.iter().map(|problem| problem["path"].clone()).collect();
    assert_eq!(places, ["storage"]);
}

#[test]
fn every_problem_of_a_task_file_is_told_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("good.json", &sim_task(&json!({})).to_string());
    sandbox.write(
        "bad.yaml",
        "task_name: bad\n\
         base_runtime: vlm\n\
         model: { id_or_path: m }\n\
         parameters: { max-num-seqs: 64 }\n\
         optimization: { strategy: baysian }\n\
         benchmark: { num_concurrency: [0] }\n",
    );
    let places = [
        "base_runtime",
        "parameters.max-num-seqs",
        "optimization.strategy",
        "benchmark.num_concurrency[0]",
    ];
    let finished = sandbox.run(&["validate", "bad.yaml", "good.json"]).expect(2);
    for place in places {
        assert!(finished.stdout.contains(place), "{}", finished.stdout);
    }
    assert!(finished.stdout.contains("did you mean \"bayesian\"?"));
    assert!(finished.stdout.contains("good.json: ok"));

    let files = sandbox
        .run(&["validate", "--json", "bad.yaml", "good.json", "no-such.yaml"])
        .expect(2)
        .json();
    assert_eq!(files[0]["valid"], false);
    let told: Vec<&Value> = files[0]["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|problem| &problem["path"])
        .collect();
    for place in places {
        assert!(told.contains(&&json!(place)), "{told:?}");
    }
    assert_eq!(files[1]["valid"], true);
    assert_eq!(files[1]["problems"], json!([]));
    assert_eq!(files[2]["valid"], false);

    sandbox.write("broken.yaml", "task_name: [\n");
    sandbox.run(&["validate", "broken.yaml"]).expect(2);
    sandbox
        .run(&["run", "bad.yaml"])
        .expect(2)
        .says(&["bad.yaml has 4 problems", "base_runtime"]);
}

#[test]
fn the_schema_describes_task_files() {
    let sandbox = Sandbox::new();
    let schema = sandbox.run(&["schema"]).expect(0).json();
    for key in ["task_name", "parameters", "optimization", "benchmark", "slo"] {
        assert!(schema["properties"].get(key).is_some(), "no {key}");
    }
}

#[test]
fn the_configuration_says_who_set_what() {
    let sandbox = Sandbox::new();
    let file = sandbox.config_file();
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(&file, "log = 'info'\nmodel_dir = '/from/the/file'\n").expect("written");
    let shown = sandbox
        .run(&["config", "--json", "--model-dir", "/from/a/flag"])
        .expect(0)
        .json();
    let check = |option: &str, value: &str, source: &str| {
        assert_eq!(
            shown[option],
            json!({"value": value, "source": source}),
            "{option}"
        );
    };
    let data_dir = sandbox.data_dir();
    let data_dir = data_dir.to_str().expect("text");
    check("data_dir", data_dir, "environment variable AUTOTUNER_DATA_DIR");
    check("model_dir", "/from/a/flag", "--model-dir");
    check("log", "info", file.to_str().expect("text"));
    check("manage_all_containers", "false", "default");
    let mut command = sandbox.command(&["config", "--json"]);
    command.env("AUTOTUNER_MANAGE_ALL_CONTAINERS", "true");
    let set = sandbox.start_command(command).wait().expect(0).json();
    assert_eq!(set["manage_all_containers"]["value"], "true");

    let plain = sandbox.run(&["config"]).expect(0).stdout;
    assert!(plain.contains("model_dir = /from/the/file  # "), "{plain}");
    let mut bare = sandbox.command(&["config"]);
    // Set to nothing is not set; a text is a text, though it may look like a number.
    bare.env("AUTOTUNER_DATA_DIR", "")
        .env("AUTOTUNER_MODEL_DIR", "2024");
    let bare = sandbox.start_command(bare).wait().expect(0).stdout;
    let expected = "data_dir = SANDBOX/home/.local/share/inference-autotuner  # default";
    assert!(sandbox.redact(&bare).contains(expected), "{bare}");
    assert!(bare.contains("model_dir = 2024  # environment"), "{bare}");
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["config"]);
    command.env("AUTOTUNER_STOP_GRACE_SECONDS", "1e9");
    let finished = sandbox.start_command(command).wait().expect(2);
    finished.says(&["stop_grace_seconds cannot be 1000000000", "between 0 and 600"]);

    let mut command = sandbox.command(&["config"]);
    command.env("AUTOTUNER_STOP_GRACE_SECONDS", "soon");
    let finished = sandbox.start_command(command).wait().expect(2);
    finished.says(&["stop_grace_seconds", "soon"]);

    let mut command = sandbox.command(&["config"]);
    command.env("AUTOTUNER_MANAGE_ALL_CONTAINERS", "perhaps");
    let finished = sandbox.start_command(command).wait().expect(2);
    finished.says(&["manage_all_containers cannot be perhaps", "true or false"]);

    let file = sandbox.config_file();
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(&file, "data_dri = '/x'\n").expect("written");
    sandbox.run(&["config"]).expect(2).says(&["data_dri"]);
}

#[test]
fn completions_for_shells() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.run(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("validate"), "{shell}: {script}");
        assert!(
            !script.contains("engine-exec"),
            "{shell}: what is hidden stays so"
        );
        assert!(script.contains("data-dir"), "{shell}: global options, too");
    }
}

#[test]
fn a_reader_who_has_gone_away_is_no_error() {
    let sandbox = Sandbox::new();
    for arguments in [&["schema"][..], &["completions", "bash"], &["engines", "vllm"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = sandbox.command(arguments);
        command.stdout(writer).stderr(std::process::Stdio::piped());
        let output = command
            .spawn()
            .expect("it starts")
            .wait_with_output()
            .expect("it ends");
        let talk = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*talk), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn engines_and_their_flags() {
    let sandbox = Sandbox::new();
    let plain = sandbox.run(&["engines"]).expect(0).stdout;
    let words = ["vllm", "sglang", "tensorrt-llm", "llamacpp", "sim", "custom"];
    for word in words {
        assert!(plain.lines().any(|line| line.starts_with(word)), "{plain}");
    }
    assert!(plain.contains("in Docker: vllm/vllm-openai:v"), "{plain}");
    let engines = sandbox.run(&["engines", "--json"]).expect(0).json();
    let sim = engines
        .as_array()
        .expect("a list")
        .iter()
        .find(|engine| engine["engine"] == "sim")
        .expect("it is always here");
    assert_eq!(sim["path"], crate::support::PROGRAM);
    assert_eq!(sim["image"], "inference-autotuner/sim-engine:latest");
    let version = sim["version"].as_str().expect("it tells its version");
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");

    let flags = sandbox.run(&["engines", "llamacpp"]).expect(0).stdout;
    for flag in ["threads", "parallel", "ubatch-size", "flash-attn"] {
        assert!(flags.lines().any(|line| line.starts_with(flag)), "{flags}");
    }
    let flags = sandbox.run(&["engines", "sim", "--json"]).expect(0).json();
    let keys: Vec<&String> = flags[0].as_object().expect("a flag").keys().collect();
    assert_eq!(keys[..5], ["name", "kind", "default", "help", "group"]);

    let common = sandbox.run(&["engines", "vllm", "--common"]).expect(0).stdout;
    let listed = |flag: &str| common.lines().any(|line| line.starts_with(&format!("{flag} ")));
    assert!(listed("max-num-seqs") && !listed("root-path"), "{common}");
    assert!(common.contains("64, 128, 256"), "what to try: {common}");
    assert!(common.contains("set by the product: host"), "{common}");
    sandbox.run(&["engines", "--common"]).expect(2).says(&["ENGINE"]);
    let none = sandbox.run(&["engines", "custom"]).expect(0).stdout;
    assert!(none.contains("passed on as the task spells it"), "{none}");
}

#[test]
fn presets_are_listed_shown_and_merged() {
    let sandbox = Sandbox::new();
    let plain = sandbox.run(&["presets"]).expect(0).stdout;
    assert!(plain.contains("18 parameters, 648 combinations"), "{plain}");
    let list = sandbox.run(&["presets", "--json"]).expect(0).json();
    assert_eq!(list[1]["name"], "SGLang Performance Tuning");
    assert_eq!(list[1]["combinations"], 20_736);

    let file = sandbox
        .run(&["presets", "show", "vllm", "--json"])
        .expect(0)
        .stdout;
    sandbox.write("all.json", &file);
    let mine = json!({"version": "1.0", "preset": {
        "name": "mine", "runtime": "vllm", "parameters": {"max_num_seqs": [512], "env.A": ["b c"]}
    }});
    sandbox.write("mine.json", &mine.to_string());
    let merge = |mode: &str| sandbox.run(&["presets", "merge", "vLLM", "mine.json", "--mode", mode]);
    let union = merge("union").expect(0).says(&[]).stdout;
    assert!(union.contains("  max-num-seqs: [64, 128, 256, 512]\n"), "{union}");
    let last = merge("last_wins")
        .expect(0)
        .says(&["conflict: max-num-seqs: [64,128,256] becomes [512], as \"mine\" has it"])
        .stdout;
    assert!(last.contains("  max-num-seqs: [512]\n"), "{last}");
    let common = merge("intersection").expect(0).says(&["left out"]).stdout;
    assert_eq!(common, "parameters: {}\n");
    let json = sandbox
        .run(&[
            "presets",
            "merge",
            "all.json",
            "mine.json",
            "--mode",
            "last-wins",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(json["conflicts"][0]["overridden_by"], "mine");
    assert_eq!(
        json["applied_presets"],
        json!(["vLLM Performance Tuning", "mine"])
    );

    // What is printed can stand in a task file as it is.
    let task = format!(
        "task_name: t\nbase_runtime: vllm\nmodel: {{ id_or_path: m }}\n{union}optimization: {{ max_iterations: 9 }}\nbenchmark: {{}}\n"
    );
    sandbox.write("task.yaml", &task);
    sandbox.run(&["validate", "task.yaml"]).expect(0);
}

#[test]
fn presets_that_cannot_be_used_are_refused() {
    let sandbox = Sandbox::new();
    let check = |arguments: &[&str], parts: &[&str]| {
        let finished = sandbox
            .run(&[&["presets"], arguments].concat())
            .expect(2)
            .says(parts);
        assert_eq!(finished.stdout, "");
    };
    check(
        &["show", "nope"],
        &["no preset is called \"nope\"", "vLLM Performance Tuning"],
    );
    check(&["show", ""], &["no preset is called"]);
    check(&["show", "none.json"], &["cannot read the preset file none.json"]);
    check(&["merge", "vllm", "sglang"], &["is for sglang"]);
    check(
        &["merge", "vllm", "--mode", "unin"],
        &["unin", "union", "intersection", "last-wins"],
    );
    sandbox.write("text.json", "{");
    check(&["show", "text.json"], &["not valid JSON"]);
    let bad = json!({"version": "1.0", "preset": {
        "name": "bad", "runtime": "sglang", "parameters": {"page-size": [0], "x": []}
    }});
    sandbox.write("bad.json", &bad.to_string());
    check(
        &["show", "bad.json"],
        &[
            "bad.json has 2 problems",
            "parameters.page-size[0]",
            "parameters.x",
        ],
    );
}

#[test]
fn the_listed_flags_of_the_simulated_engine_are_its_own() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(&["sim-engine", "--help"]).expect(0).stdout;
    let flags = sandbox.run(&["engines", "sim", "--json"]).expect(0).json();
    for flag in flags.as_array().expect("a list") {
        let name = flag["name"].as_str().expect("text");
        let (_, rest) = help
            .split_once(&format!("--{name}"))
            .unwrap_or_else(|| panic!("no --{name}"));
        let about = rest.split("\n      --").next().expect("some text");
        let told = about.split_once("[default: ").map(|(_, rest)| rest);
        if let Some(told) = told.and_then(|rest| rest.split(']').next()) {
            assert_eq!(flag["default"], told, "the default of {name}");
        }
    }
}

#[test]
fn the_doctor_looks_at_this_machine() {
    let sandbox = Sandbox::new();
    let checks = sandbox.run(&["doctor", "--json"]).expect(0).json();
    let checks = checks.as_array().expect("a list");
    let names: Vec<&Value> = checks.iter().map(|check| &check["check"]).collect();
    for name in [
        "machine",
        "GPUs",
        "data directory",
        "disk",
        "open files",
        "engines",
        "left behind",
    ] {
        assert!(names.contains(&&json!(name)), "{names:?}");
    }
    for check in checks {
        assert!(
            ["ok", "note", "bad"].contains(&check["state"].as_str().expect("a word")),
            "{check}"
        );
    }
    let plain = sandbox.run(&["doctor"]).expect(0).stdout;
    assert!(plain.contains("data directory"), "{plain}");

    sandbox.write("file", "in the way");
    let finished = sandbox.run(&["doctor", "--data-dir", "file/data"]).expect(1);
    assert!(
        finished.stdout.contains("cannot be written"),
        "{}",
        finished.stdout
    );
}

/// A simulated engine that runs until this is dropped, and its address.
pub(crate) fn start_sim(sandbox: &Sandbox) -> (Running, String) {
    let mut engine = sandbox.start(&["sim-engine", "--time-scale", "0.05", "--startup-seconds", "0"]);
    let url = url_of(&mut engine);
    (engine, url)
}

/// Where a simulated engine listens, once it is ready.
pub(crate) fn url_of(engine: &mut Running) -> String {
    engine.wait_for("the engine's address", |engine| {
        let is_ready = engine.stderr().contains("ready");
        let stdout = engine.stdout();
        let (_, url) = stdout.split_once("listening on ")?;
        is_ready.then(|| url.trim().to_owned())
    })
}

#[test]
fn bench_measures_a_running_server() {
    let sandbox = Sandbox::new();
    let (engine, url) = start_sim(&sandbox);
    let arguments = [
        "bench",
        "--url",
        &url,
        "--model",
        "sim",
        "--scenario",
        "D(8,4)",
        "--concurrency",
        "1",
        "--concurrency",
        "2",
        "--max-requests",
        "8",
    ];
    let plain = sandbox.run(&arguments).expect(0);
    assert!(plain.stdout.contains("D(8,4)"), "{}", plain.stdout);
    plain.says(&["level 1 of 2", "level 2 of 2"]);

    let finished = sandbox.run(&[&arguments[..], &["--json"]].concat()).expect(0);
    let measured = finished.json();
    assert_eq!(measured["total_completed_requests"], 16);
    assert_eq!(measured["concurrency_levels"], json!([1, 2]));
    for key in [
        "mean_ttft",
        "mean_tpot",
        "p99_e2e_latency",
        "mean_output_throughput",
    ] {
        assert!(measured[key].is_f64(), "no {key} in {measured:#}");
    }
    let level = &measured["raw_results"][1];
    assert_eq!(level["num_concurrency"], 2);
    assert_eq!(level["token_source"], "server_usage");
    assert_eq!(level["stats"]["num_output_tokens"]["mean"], 4.0);
    assert!(measured["notes"].is_array());

    let wrong_model = sandbox
        .run(&["bench", "--url", &url, "--model", "another"])
        .expect(1);
    assert_eq!(wrong_model.stdout, "");
    wrong_model.says(&["another"]);
    drop(engine);
    let gone = sandbox.run(&["bench", "--url", &url, "--model", "sim"]).expect(1);
    assert_eq!(gone.stdout, "");
    let address = url.trim_start_matches("http://");
    gone.says(&["error: ", address]);
    sandbox.assert_nothing_left();
}

#[test]
fn a_bench_can_be_cancelled() {
    let sandbox = Sandbox::new();
    let mut engine = sandbox.start(&["sim-engine", "--fault", "stall", "--log-level", "debug"]);
    let url = url_of(&mut engine);
    let arguments = ["bench", "--url", &url, "--model", "sim", "--api", "completions"];
    let bench = sandbox.start(&arguments);
    engine.wait_for("a request", |engine| {
        engine.stderr().contains("request").then_some(())
    });
    bench.signal(Signal::SIGINT);
    let finished = bench.wait().expect(130);
    assert_eq!(finished.stdout, "");
}

#[test]
fn addresses_that_cannot_be_benchmarked_are_named() {
    let sandbox = Sandbox::new();
    for url in ["ftp://127.0.0.1:1", "no-scheme", "http://"] {
        sandbox
            .run(&["bench", "--url", url, "--model", "m"])
            .expect(2)
            .says(&["error: ", url]);
    }
}

#[test]
fn the_simulated_engine_stops_when_asked() {
    let sandbox = Sandbox::new();
    let (engine, _) = start_sim(&sandbox);
    engine.signal(Signal::SIGTERM);
    engine.wait().expect(0);
}

#[test]
fn the_truth_server_tells_what_it_answered_and_stops_when_asked() {
    let sandbox = Sandbox::new();
    let flags = [
        "truth-server",
        "--ttft-ms",
        "1",
        "--itl-ms",
        "0.1",
        "--tokens",
        "8",
    ];
    let mut server = sandbox.start(&flags);
    let url = server.wait_for("the server's address", |server| {
        let stdout = server.stdout();
        let (_, url) = stdout.split_once("listening on ")?;
        url.ends_with('\n').then(|| url.trim().to_owned())
    });
    let arguments = [
        "bench",
        "--url",
        &url,
        "--model",
        "any",
        "--max-requests",
        "4",
        "--json",
    ];
    let measured = sandbox.run(&arguments).expect(0).json();
    assert_eq!(measured["total_completed_requests"], 4);
    assert_eq!(
        measured["raw_results"][0]["stats"]["num_output_tokens"]["mean"],
        8.0
    );
    server.signal(Signal::SIGTERM);
    server.wait().expect(0);
    let refused = sandbox.run(&["truth-server", "--role-chunk-ms", "60"]).expect(1);
    refused.says(&["error: ", "--role-chunk-ms"]);
}

#[test]
fn the_demos_task_is_the_example() {
    let sandbox = Sandbox::new();
    let printed = sandbox.run(&["demo", "--print"]).expect(0).stdout;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sim-local.yaml");
    assert_eq!(printed, std::fs::read_to_string(example).expect("readable"));
    sandbox.write("task.yaml", &printed);
    sandbox.run(&["validate", "task.yaml"]).expect(0);
}
