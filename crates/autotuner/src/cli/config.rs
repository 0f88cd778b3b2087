//! `autotuner config`

use std::process::ExitCode;

use super::{Refusal, print};
use crate::config::Config;

/// Show the effective configuration, and who set each option
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner config
  autotuner config --json | jq -r .data_dir.value

Options come from, later ones winning: defaults, ~/.config/inference-autotuner/config.toml,
environment variables such as AUTOTUNER_DATA_DIR, and flags such as --data-dir.")]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if arguments.json {
        let options: serde_json::Map<String, serde_json::Value> = config
            .origins
            .iter()
            .map(|origin| {
                let value = serde_json::json!({"value": origin.value, "source": origin.source.to_string()});
                (origin.option.to_owned(), value)
            })
            .collect();
        print(&format!("{:#}", serde_json::Value::Object(options)));
    } else {
        for origin in &config.origins {
            print(&format!(
                "{} = {}  # {}",
                origin.option, origin.value, origin.source
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}
