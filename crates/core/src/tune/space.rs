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
use crate::space::{Candidate, Constraint, Value};
use crate::spec::{ObjectiveWord, ParameterSpec, ParameterValues, Range};

/// Slots and batch limits beyond this serve no load that one machine can make.
const MOST_AT_ONCE: u32 = 2048;

/// GPUs that share one copy of a model at most: those of one machine.
const MOST_SHARING: u32 = 8;

/// Most parallel slots of llama.cpp, without and with a GPU.
const MOST_SLOTS: (u32, u32) = (8, 32);

/// Memory from which on a GPU has room for large steps beside weights and cache.
const LARGE_GPU: u64 = 40 << 30;

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
        // The memory for a chunk comes out of what the fixed share leaves, little on small GPUs.
        let is_small = machine.gpus > 0 && machine.gpu_memory_bytes < LARGE_GPU;
        self.list(
            "chunked-prefill-size",
            if is_small {
                [1_024, 2_048, 4_096, 8_192]
            } else {
                [2_048, 4_096, 8_192, 16_384]
            },
        );
        self.range("schedule-conservativeness", 0.3, 1.3);
        if machine.gpus == 0 {
            self.fix("device", "cpu");
            return;
        }
        let (least, most) = if is_small { (0.7, 0.88) } else { (0.75, 0.92) };
        self.range("mem-fraction-static", least, most);
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
        // A prompt that is not split has to fit into one step, and the usual image has no flag
        // for splitting prompts.
        let longest = load.longest_input().div_ceil(512).saturating_mul(512);
        self.tokens(
            "max_num_tokens",
            2_048.max(longest),
            16_384.max(longest.next_power_of_two()),
        );
        self.range("kv_cache_free_gpu_memory_fraction", 0.8, 0.95);
        self.require("{max_num_tokens} >= {max_batch_size}");
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
        self.require("{cache-type-v} == 'f16' or not ({flash-attn} in ['off', false])");
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
        // With less, some of these batch limits leave no cache for the longest request.
        self.range("gpu-memory-utilization", 0.8, 0.95);
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

/// What follows from the space once it is final.
pub(super) fn settle(draft: &mut Draft, load: &Load) {
    match draft.engine {
        EngineKind::LlamaCpp => settle_context(draft, load),
        EngineKind::Sglang => settle_graphs(draft),
        _ => {}
    }
    narrow(draft);
}

/// SGLang captures graphs for no more requests than it runs at once: where that limit is
/// changed, the sizes to try follow it.
fn settle_graphs(draft: &mut Draft) {
    let most = match draft.position("max-running-requests") {
        Some(index) => most_listed(&draft.parameters[index].1),
        None => fixed_whole(draft, "max-running-requests"),
    };
    let Some(most) = most
        .and_then(|most| u32::try_from(most).ok())
        .filter(|most| *most > 0)
    else {
        return;
    };
    let Some(index) = draft.position("cuda-graph-max-bs") else {
        return;
    };
    if let ParameterValues::List(values) = &mut draft.parameters[index].1.values
        && values
            .iter()
            .filter_map(Json::as_u64)
            .all(|size| size > u64::from(most))
    {
        let sizes = powers(1, most);
        let last = sizes.len().saturating_sub(4);
        *values = sizes[last..].iter().map(|size| (*size).into()).collect();
    }
}

/// Leaves out the listed values that a condition on this parameter alone forbids, and the
/// condition with them. Where it forbids all of them it stays, and the document is refused.
fn narrow(draft: &mut Draft) {
    let conditions = std::mem::take(&mut draft.constraints);
    for source in conditions {
        if !apply_to_list(draft, &source) {
            draft.constraints.push(source);
        }
    }
}

fn apply_to_list(draft: &mut Draft, source: &str) -> bool {
    let Ok(condition) = Constraint::parse(source) else {
        return false;
    };
    let [name] = condition.parameters()[..] else {
        return false;
    };
    let Some(index) = draft.position(name.as_str()) else {
        return false;
    };
    let ParameterValues::List(values) = &mut draft.parameters[index].1.values else {
        return false;
    };
    let holds = |value: &Json| {
        Value::from_json(value).is_ok_and(|value| condition.holds(&Candidate::new([(name.clone(), value)])))
    };
    if values.iter().any(holds) {
        values.retain(holds);
        true
    } else {
        false
    }
}

/// llama.cpp divides its context among the slots, so it needs one that is large enough for
/// the most of them.
fn settle_context(draft: &mut Draft, load: &Load) {
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
    fixed_whole(draft, "parallel").unwrap_or(USUAL_SLOTS)
}

/// The whole number that this flag is fixed at.
fn fixed_whole(draft: &Draft, flag: &str) -> Option<i64> {
    let mut fixed = draft.fixed.iter();
    let (_, value) = fixed.find(|(name, _)| draft.one_name(name) == flag)?;
    value.as_i64()
}

/// The largest whole number that a parameter may have.
fn most_listed(spec: &ParameterSpec) -> Option<i64> {
    match &spec.values {
        ParameterValues::List(values) => values.iter().filter_map(Json::as_i64).max(),
        ParameterValues::Range(Range::Integer { high, .. }) => Some(*high),
        ParameterValues::Range(_) => None,
    }
}

/// Slots that llama.cpp makes when it is told nothing.
const USUAL_SLOTS: i64 = 4;

fn largest(spec: &ParameterSpec) -> i64 {
    match &spec.values {
        // A slot count that is left out is the engine's own.
        ParameterValues::List(values) => {
            let counts = values.iter().map(|value| value.as_i64().unwrap_or(USUAL_SLOTS));
            counts.max().unwrap_or(1)
        }
        ParameterValues::Range(Range::Integer { high, .. }) => *high,
        ParameterValues::Range(_) => USUAL_SLOTS,
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
