//! What is worth trying, engine by engine.
//!
//! The one idea: few parameters with ranges that fit the load and the machine, because a
//! budget of some tens of experiments is spread thin by every further one. Left out on
//! purpose: what this benchmark cannot judge, such as the reuse of prompts' beginnings (its
//! prompts share none), and what changes nothing but the model's answers.

use serde_json::{Value as Json, json};

use super::draft::Draft;
use super::place::Machine;
use super::workloads::Load;
use crate::engine::EngineKind;
use crate::spec::{ObjectiveWord, ParameterSpec, Range};

/// Slots and batch limits beyond this serve no load that one machine can make.
const MOST_AT_ONCE: u32 = 2048;

/// GPUs that share one copy of a model at most: those of one machine.
const MOST_SHARING: u32 = 8;

/// Most parallel slots of llama.cpp, without and with a GPU.
const MOST_SLOTS: (u32, u32) = (8, 32);

/// The simulated engine's longest request, when it is told nothing.
const SIMULATED_LENGTH: u32 = 4_096;

/// Bytes of key/value cache for one token of a model of eight billion parameters in sixteen
/// bits: keys and values of 8 heads of 128 numbers in each of 32 layers.
const CACHE_BYTES_PER_TOKEN: u64 = 2 * 8 * 128 * 32 * 2;

/// The default space.
pub(super) fn draft(engine: EngineKind, circumstances: &Circumstances<'_>) -> Draft {
    let mut draft = Draft::new(engine);
    match engine {
        EngineKind::Vllm => draft.vllm(circumstances),
        EngineKind::Sglang => draft.sglang(circumstances),
        EngineKind::TensorRtLlm => draft.tensorrt_llm(circumstances),
        EngineKind::LlamaCpp => draft.llamacpp(circumstances),
        EngineKind::Sim => draft.sim(circumstances.load),
        EngineKind::Custom => {}
    }
    draft
}

/// What the default space depends on, the engine apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    /// What to improve.
    pub(super) objective: ObjectiveWord,
    /// What there is to compute with.
    pub(super) machine: &'a Machine,
    /// What is sent.
    pub(super) load: &'a Load,
    /// The longest request that the engine is told to take, where the user fixes one.
    pub(super) longest: Option<i64>,
}

impl Draft {
    fn vllm(&mut self, circumstances: &Circumstances<'_>) {
        let Circumstances {
            machine,
            load,
            longest,
            ..
        } = *circumstances;
        self.list("max-num-seqs", around(load.most_at_once()));
        let most_tokens = if load.longest_input() > 4_096 {
            32_768
        } else {
            16_384
        };
        self.tokens("max-num-batched-tokens", 1_024, most_tokens);
        self.require("{max-num-batched-tokens} >= {max-num-seqs}");
        // Without it the engine refuses a step that is smaller than its longest request, and
        // how long that is only the model knows, unless it is told.
        if let Some(longest) = longest {
            self.switch("enable-chunked-prefill");
            self.require(&format!(
                "{{enable-chunked-prefill}} or {{max-num-batched-tokens}} >= {longest}"
            ));
        }
        if machine.gpus == 0 {
            return;
        }
        self.range("gpu-memory-utilization", 0.8, 0.95);
        if machine.has_fp8 {
            self.list("kv-cache-dtype", [json!("auto"), json!("fp8")]);
        }
        self.sizes("tensor-parallel-size", "data-parallel-size", circumstances);
    }

    fn sglang(&mut self, circumstances: &Circumstances<'_>) {
        let Circumstances { machine, load, .. } = *circumstances;
        self.list("max-running-requests", around(load.most_at_once()));
        self.list("chunked-prefill-size", [2_048, 4_096, 8_192, 16_384]);
        self.range("schedule-conservativeness", 0.3, 1.3);
        if machine.gpus == 0 {
            self.fix("device", "cpu");
            return;
        }
        self.range("mem-fraction-static", 0.75, 0.92);
        self.list("cuda-graph-max-bs", around(load.most_at_once()));
        self.require("{cuda-graph-max-bs} <= {max-running-requests}");
        if !machine.has_amd {
            self.list(
                "attention-backend",
                [Json::Null, json!("flashinfer"), json!("triton")],
            );
        }
        self.sizes("tp-size", "dp-size", circumstances);
    }

    fn tensorrt_llm(&mut self, circumstances: &Circumstances<'_>) {
        let Circumstances { machine, load, .. } = *circumstances;
        self.list("max_batch_size", around(load.most_at_once()));
        self.tokens(
            "max_num_tokens",
            2_048,
            16_384.max(load.longest_input().next_power_of_two()),
        );
        self.range("kv_cache_free_gpu_memory_fraction", 0.8, 0.95);
        self.switch("enable_chunked_prefill");
        self.require("{max_num_tokens} >= {max_batch_size}");
        // A prompt that is not split has to fit into one step.
        let longest = load.longest_input();
        self.require(&format!(
            "{{enable_chunked_prefill}} or {{max_num_tokens}} >= {longest}"
        ));
        self.tensor_sizes("tp_size", machine);
    }

    fn llamacpp(&mut self, circumstances: &Circumstances<'_>) {
        let Circumstances { machine, load, .. } = *circumstances;
        self.list("parallel", slots(machine, load));
        self.list(
            "ubatch-size",
            if machine.gpus == 0 {
                [64, 128, 256, 512]
            } else {
                [256, 512, 1_024, 2_048]
            },
        );
        self.list("batch-size", [512, 2_048]);
        self.require("{batch-size} >= {ubatch-size}");
        // Words, not switches: the engine also knows a third one.
        self.list("flash-attn", [json!("on"), json!("off")]);
        self.list("cache-type-k", [json!("f16"), json!("q8_0")]);
        self.list("cache-type-v", [json!("f16"), json!("q8_0")]);
        self.require("{cache-type-v} == 'f16' or {flash-attn} == 'on'");
        if machine.gpus == 0 {
            self.list("threads", threads(machine.cpus));
            self.list("env.OMP_WAIT_POLICY", [json!("PASSIVE"), json!("ACTIVE")]);
        } else {
            // More than any model has: all of them, in the spelling that every build knows.
            self.fix("n-gpu-layers", 999);
        }
    }

    fn sim(&mut self, load: &Load) {
        self.list("max-num-seqs", around(load.most_at_once()));
        self.list("max-num-batched-tokens", [256, 512, 1_024, 2_048]);
        self.require("{max-num-batched-tokens} >= {max-num-seqs}");
        self.list("kv-cache-dtype", [json!("auto"), json!("fp8")]);
        self.range("gpu-memory-utilization", 0.6, 0.95);
        let longest = load.longest_request();
        if longest > SIMULATED_LENGTH {
            self.fix("max-model-len", longest);
        }
        if longest > 2 * SIMULATED_LENGTH {
            // The usual simulated device has no room for a cache that long.
            self.fix("device-memory-gib", 80);
        }
    }

    fn sizes(&mut self, tensor: &str, data: &str, circumstances: &Circumstances<'_>) {
        let Circumstances {
            objective, machine, ..
        } = *circumstances;
        self.tensor_sizes(tensor, machine);
        // The throughput that is scored is that of one GPU: copies of the model do not raise it.
        if objective != ObjectiveWord::MaximizeThroughput && machine.gpus > 1 {
            self.list(data, powers(1, machine.gpus));
            self.require(&format!("{{{tensor}}} * {{{data}}} <= {}", machine.gpus));
        }
    }

    fn tensor_sizes(&mut self, name: &str, machine: &Machine) {
        if machine.gpus > 1 {
            self.list(name, powers(1, machine.gpus.min(MOST_SHARING)));
        }
    }
}

/// What follows from the space once it is final: llama.cpp divides its context among the
/// slots, so it needs one that is large enough for the most of them.
pub(super) fn settle(draft: &mut Draft, load: &Load) {
    if draft.engine != EngineKind::LlamaCpp {
        return;
    }
    let each = load.longest_request();
    let is_fixed = |name: &str| draft.fixed.iter().any(|(known, _)| draft.one_name(known) == name);
    if is_fixed("ctx-size") {
        return;
    }
    let most_slots = match draft.position("parallel") {
        Some(index) => largest(&draft.parameters[index].1),
        None => fixed_slots(draft),
    };
    match draft
        .position("ctx-size")
        .map(|index| draft.parameters[index].0.clone())
    {
        Some(context) if draft.position("parallel").is_some() => {
            draft.require(&format!("{{{context}}} >= {{parallel}} * {each}"));
        }
        Some(_) => {}
        None => {
            let context = i64::from(each).saturating_mul(most_slots.max(1));
            draft.fix("ctx-size", context);
        }
    }
}

/// Types of a real engine's cache: smaller ones are less exact.
const CACHE_TYPES: [&str; 3] = ["kv-cache-dtype", "cache-type-k", "cache-type-v"];

/// What a benchmark of speed does not see.
pub(super) fn caution(draft: &Draft) -> Option<String> {
    let names = draft.parameters.iter().map(|(name, _)| name.as_str());
    let names: Vec<&str> = names.filter(|name| CACHE_TYPES.contains(name)).collect();
    let is_real = draft.engine != EngineKind::Sim && !names.is_empty();
    is_real.then(|| {
        let names = names.join(" and ");
        format!("{names} may change answers a little, which no benchmark of speed sees")
    })
}

fn fixed_slots(draft: &Draft) -> i64 {
    let fixed = draft
        .fixed
        .iter()
        .find(|(name, _)| draft.one_name(name) == "parallel");
    fixed.and_then(|(_, value)| value.as_i64()).unwrap_or(USUAL_SLOTS)
}

/// Slots that llama.cpp makes when it is told nothing.
const USUAL_SLOTS: i64 = 4;

fn largest(spec: &ParameterSpec) -> i64 {
    match spec {
        // A slot count that is left out is the engine's own.
        ParameterSpec::Values(values) => {
            let counts = values.iter().map(|value| value.as_i64().unwrap_or(USUAL_SLOTS));
            counts.max().unwrap_or(1)
        }
        ParameterSpec::Range(Range::Integer { high, .. }) => *high,
        ParameterSpec::Range(_) => USUAL_SLOTS,
    }
}

/// Limits around a load: below it requests wait, above it nothing changes but the memory
/// that is set aside.
fn around(load: u32) -> Vec<u32> {
    let top = load.clamp(8, MOST_AT_ONCE / 2).next_power_of_two();
    powers(top / 4, top * 2)
}

/// Powers of two from `low`, which is one, to `high`.
fn powers(low: u32, high: u32) -> Vec<u32> {
    std::iter::successors(Some(low.max(1)), |power| power.checked_mul(2))
        .take_while(|power| *power <= high)
        .collect()
}

/// Slots for which a context of a usual model takes at most a quarter of the memory.
fn slots(machine: &Machine, load: &Load) -> Vec<u32> {
    let (memory, most) = if machine.gpus == 0 {
        (machine.memory_bytes, MOST_SLOTS.0)
    } else {
        (machine.gpu_memory_bytes, MOST_SLOTS.1)
    };
    let tokens = memory / 4 / CACHE_BYTES_PER_TOKEN;
    let fitting = u32::try_from(tokens / u64::from(load.longest_request())).unwrap_or(u32::MAX);
    let useful = load.most_at_once().next_power_of_two();
    let all = powers(1, most.min(fitting).min(useful.max(4)).max(1));
    all[all.len().saturating_sub(4)..].to_vec()
}

/// All logical processors, half of them (the physical ones, often), and between.
fn threads(cpus: u32) -> Vec<u32> {
    let mut counts = vec![cpus.div_ceil(4), cpus.div_ceil(2), (cpus * 3).div_ceil(4), cpus];
    counts.dedup();
    counts
}
