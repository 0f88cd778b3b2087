//! The engine's flags, named like a real engine's.
//!
//! Values that are no number at all are clap's to refuse (code 2, naming the flag). Whether
//! the values make sense together is the model's to judge, when the engine loads (code 1, as
//! real engines do); so nothing here checks.

use clap::{Args, ValueEnum};

use crate::fault::Fault;

/// The flags of the simulated engine, for a program's own parser to flatten in.
///
/// Defaults are an honest engine's: they run anywhere and are not the best for any load.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one, told as "listening on http://..."
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Model to "load"; any name will do
    #[arg(long, default_value = "sim")]
    pub model: String,
    /// Model name that requests must give [default: the --model]
    #[arg(long)]
    pub served_model_name: Option<String>,
    /// Most sequences in one step (the batch limit)
    #[arg(long, default_value_t = 4)]
    pub max_num_seqs: u32,
    /// Most tokens computed in one step, prompts and answers together
    #[arg(long, default_value_t = 512)]
    pub max_num_batched_tokens: u32,
    /// Share of the device's memory that the engine may plan with
    #[arg(long, default_value_t = 0.9)]
    pub gpu_memory_utilization: f64,
    /// Tokens in one block of the key/value cache
    #[arg(long, default_value_t = 16)]
    pub block_size: u32,
    /// Type of the key/value cache; fp8 halves it and costs a little time
    #[arg(long, value_enum, default_value_t = KvCacheType::Auto)]
    pub kv_cache_dtype: KvCacheType,
    /// Type of the weights: fp8 halves them and computes faster, int8 halves them and computes
    /// a little slower
    #[arg(long, value_enum, default_value_t = Quantization::None)]
    pub quantization: Quantization,
    /// Reuse what was computed for a prompt's beginning (the default)
    #[arg(long, overrides_with = "no_enable_prefix_caching")]
    pub enable_prefix_caching: bool,
    /// Compute every prompt in full
    #[arg(long, overrides_with = "enable_prefix_caching")]
    pub no_enable_prefix_caching: bool,
    /// Split prompts over several steps (the default)
    #[arg(long, overrides_with = "no_enable_chunked_prefill")]
    pub enable_chunked_prefill: bool,
    /// Compute each prompt whole, in steps without decoding
    #[arg(long, overrides_with = "enable_chunked_prefill")]
    pub no_enable_chunked_prefill: bool,
    /// Devices that share the model: 1, 2, 4 or 8; each holds its part of weights and cache, and
    /// they wait for each other in every step
    #[arg(long, default_value_t = 1)]
    pub tensor_parallel_size: u32,
    /// Most tokens of one request, prompt and answer together
    #[arg(long, default_value_t = 4096)]
    pub max_model_len: u32,
    /// Start sooner and take less memory without captured graphs, but pay more for every step
    #[arg(long)]
    pub enforce_eager: bool,
    /// Seed of the words and of the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Standard deviation of a step's time, relative to its mean
    #[arg(long, default_value_t = 0.02)]
    pub noise: f64,
    /// How long loading takes, in seconds: weights, graphs and warm-up share it
    #[arg(long, default_value_t = 0.3)]
    pub startup_seconds: f64,
    /// Multiplier of all simulated times, loading included; 0.1 is ten times as fast
    #[arg(long, default_value_t = 1.0)]
    pub time_scale: f64,
    /// Memory of one simulated device, in GiB
    #[arg(long, default_value_t = 24.0)]
    pub device_memory_gib: f64,
    /// What goes wrong on purpose; may be given several times
    ///
    /// At start: never-ready, exit-at-load, oom-at-load, eat-memory=MIB (takes that much of this
    /// machine's memory), forks-children (leaves a process of its own session that ignores
    /// SIGTERM for ten minutes).
    ///
    /// At the end: ignore-sigterm, exit-after-requests=N.
    ///
    /// Under load: 503-at-high-load=N (for what comes while N are in flight), and, once N requests
    /// are in flight, oom-under-load=N, crash-under-load=N (SIGSEGV), abort-under-load=N (SIGABRT).
    ///
    /// In answers, for every request or with =N every N-th one: garbage, http-500, cut-stream,
    /// stall, bad-json, slow-first-token (ten seconds late), endless-line (32 MiB without a line's end).
    #[arg(long)]
    pub fault: Vec<Fault>,
    /// How much to tell on stderr
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

/// Type of the key/value cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KvCacheType {
    /// As the model: two bytes a number.
    Auto,
    /// One byte a number: half the memory, a little more computing.
    Fp8,
}

/// Type of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Quantization {
    /// Two bytes a parameter.
    None,
    /// One byte a parameter, computed with as it is: faster arithmetic.
    Fp8,
    /// One byte a parameter, widened before it is computed with: slower arithmetic.
    Int8,
}

/// How much the engine tells on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Why it ended.
    Error,
    /// The course of loading and stopping as well.
    Info,
    /// Every request as well.
    Debug,
}

impl Options {
    /// The model name that requests must give.
    pub fn model_name(&self) -> &str {
        self.served_model_name.as_deref().unwrap_or(&self.model)
    }

    /// Whether a prompt's known beginning is reused.
    pub fn has_prefix_caching(&self) -> bool {
        !self.no_enable_prefix_caching
    }

    /// Whether prompts are split over several steps.
    pub fn has_chunked_prefill(&self) -> bool {
        !self.no_enable_chunked_prefill
    }
}

/// The same as no flag at all.
impl Default for Options {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            model: "sim".to_owned(),
            served_model_name: None,
            max_num_seqs: 4,
            max_num_batched_tokens: 512,
            gpu_memory_utilization: 0.9,
            block_size: 16,
            kv_cache_dtype: KvCacheType::Auto,
            quantization: Quantization::None,
            enable_prefix_caching: false,
            no_enable_prefix_caching: false,
            enable_chunked_prefill: false,
            no_enable_chunked_prefill: false,
            tensor_parallel_size: 1,
            max_model_len: 4096,
            enforce_eager: false,
            seed: 0,
            noise: 0.02,
            startup_seconds: 0.3,
            time_scale: 1.0,
            device_memory_gib: 24.0,
            fault: Vec::new(),
            log_level: LogLevel::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use clap::{CommandFactory as _, Parser};

    use super::*;
    use crate::fault::KNOWN;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        options: Options,
    }

    fn parse(flags: &str) -> Result<Options, clap::Error> {
        Program::try_parse_from(std::iter::once("sim").chain(flags.split_whitespace()))
            .map(|program| program.options)
    }

    fn check_refused(flags: &str, named: &str) {
        let error = parse(flags).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{flags}");
        assert!(error.to_string().contains(named), "{flags}: {error}");
    }

    #[test]
    fn no_flag_is_the_default() {
        assert_eq!(parse("").unwrap(), Options::default());
    }

    #[test]
    fn the_later_of_a_pair_wins() {
        for (flags, expected) in [
            ("", true),
            ("--enable-prefix-caching", true),
            ("--no-enable-prefix-caching", false),
            ("--no-enable-prefix-caching --enable-prefix-caching", true),
            ("--enable-prefix-caching --no-enable-prefix-caching", false),
        ] {
            assert_eq!(parse(flags).unwrap().has_prefix_caching(), expected, "{flags}");
            let flags = flags.replace("prefix-caching", "chunked-prefill");
            assert_eq!(parse(&flags).unwrap().has_chunked_prefill(), expected, "{flags}");
        }
    }

    #[test]
    fn a_served_name_hides_the_model() {
        assert_eq!(parse("--model a/b").unwrap().model_name(), "a/b");
        assert_eq!(
            parse("--model a/b --served-model-name c").unwrap().model_name(),
            "c"
        );
    }

    #[test]
    fn faults_add_up() {
        let two = NonZeroU64::new(2).unwrap();
        let options = parse("--fault ignore-sigterm --fault stall=2").unwrap();
        assert_eq!(options.fault, [Fault::IgnoreSigterm, Fault::Stall(two)]);
    }

    #[test]
    fn what_is_not_a_flag_or_a_value_is_named() {
        check_refused("--max-num-sequences 4", "--max-num-sequences");
        check_refused("--max-num-seqs many", "--max-num-seqs");
        check_refused("--kv-cache-dtype fp4", "--kv-cache-dtype");
        check_refused("--quantization awq", "--quantization");
        check_refused("--fault crash", "no fault is called `crash`");
    }

    #[test]
    fn the_help_tells_every_fault() {
        let help = Program::command().render_long_help().to_string();
        for known in KNOWN {
            let name = known.replace("[=N]", "");
            assert!(help.contains(&name), "{name} is missing in {help}");
        }
        assert!(!help.contains("runaway"), "it is not for users");
    }
}
