//! Rules of parallel sizes: which ones an engine has, and how they hang together.
//!
//! The one idea: a table of what each engine has, and three rules of what must divide what.
//! Nothing here makes flags.

use super::super::EngineKind::{self, Custom, LlamaCpp, Sglang, Sim, TensorRtLlm, Vllm};
use super::super::portable::{engine_name, size, switch};
use super::KEY;
use super::sizes::Sizes;
use crate::problem::Problem;
use crate::space::Value;

/// Most GPUs of one configuration.
const MOST_GPUS: u32 = 64;

/// The sizes that an engine may have beside 1, or why it has none.
fn possible(kind: EngineKind, field: &str) -> Result<&'static [u32], (&'static str, &'static str)> {
    match (kind, field) {
        (Vllm | Sglang, "tp" | "dp") => Ok(&[2, 4, 8, 16]),
        (Vllm, "pp" | "dcp") => Ok(&[2, 4, 8]),
        (Sglang, "pp") => Ok(&[2, 4]),
        (Sglang, "moe_ep") | (TensorRtLlm, "tp" | "moe_ep") => Ok(&[2, 4, 8, 16]),
        (Sglang, "moe_dense_tp") => Err((
            "splits dense layers as tp says, or not at all",
            "use 1, or leave it out",
        )),
        (TensorRtLlm, "pp" | "moe_cluster") => Ok(&[2, 4]),
        (TensorRtLlm, "cp" | "moe_tp") => Ok(&[2, 4, 8]),
        (Sim, "tp") => Ok(&[2, 4, 8]),
        (Vllm, "cp") => Err((
            "has no context parallelism of this kind",
            "use dcp, its context parallelism of decoding",
        )),
        (Sglang, "cp" | "dcp") => Err(("has no context parallelism", "leave it out")),
        (TensorRtLlm, "dp") => Err((
            "has no data parallelism: each copy is a server of its own",
            "leave it out, or raise tp",
        )),
        (TensorRtLlm, "dcp") => Err(("has no context parallelism of decoding alone", "use cp")),
        (Vllm, "moe_tp" | "moe_ep") => Err((
            "spreads experts over all GPUs of tp and dp, or not at all",
            "use enable_expert_parallel",
        )),
        (Sglang, "moe_tp") => Err(("splits experts by what moe_ep leaves of tp", "use moe_ep")),
        (Vllm | Sglang, "moe_cluster") => Err(("has no clusters of experts", "leave it out")),
        (Vllm | TensorRtLlm, "moe_dense_tp") => {
            Err(("has no size of its own for dense layers", "leave it out"))
        }
        (LlamaCpp, _) => Err((
            "shares a model by its own flags alone",
            "set split-mode, tensor-split or device under parameters",
        )),
        (Custom, _) => Err((
            "may take any flags, and which one this is we cannot know",
            "set the program's own flags under parameters",
        )),
        _ => Err(("has no such size", "leave it out")),
    }
}

/// What is wrong with one value of one field, whatever the others are.
///
/// # Errors
/// The engine has no such size.
pub(crate) fn check_value(kind: EngineKind, field: &str, value: &Value) -> Result<(), Problem> {
    let path = format!("{KEY}.{field}");
    let size = match field {
        "preset" => return Ok(()),
        "enable_expert_parallel" => {
            let is_on = switch(&path, value)? == Some(true);
            return match kind {
                LlamaCpp | Custom | Sim if is_on => {
                    let (message, hint) = possible(kind, field).err().unwrap_or_default();
                    Err(Problem::new(path, format!("{} {message}", engine_name(kind))).with_hint(hint))
                }
                _ => Ok(()),
            };
        }
        _ => size(&path, value)?.unwrap_or(1),
    };
    match possible(kind, field) {
        _ if size == 1 => Ok(()),
        Ok(sizes) if sizes.contains(&size) => Ok(()),
        Ok(sizes) => {
            let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
            let message = format!(
                "is {size}; {} is run with 1, {}",
                engine_name(kind),
                sizes.join(", ")
            );
            Err(Problem::new(path, message)
                .with_hint("for another size, set the engine's own flag under parameters"))
        }
        Err((message, hint)) => {
            let message = format!("is {size}, and {} {message}", engine_name(kind));
            Err(Problem::new(path, message).with_hint(hint))
        }
    }
}

/// What is wrong with sizes together.
pub(super) fn check(kind: EngineKind, sizes: &Sizes) -> Vec<Problem> {
    [
        check_gpus(kind, sizes),
        check_inside_tp(kind, sizes),
        check_experts(kind, sizes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn check_gpus(kind: EngineKind, sizes: &Sizes) -> Option<Problem> {
    let copies = if sizes.attention_copies { 1 } else { sizes.dp };
    let all = [sizes.tp, sizes.pp, copies, sizes.cp];
    let gpus = all.into_iter().fold(1_u32, u32::saturating_mul);
    (gpus > MOST_GPUS).then(|| {
        let message = format!(
            "{} would need {gpus} GPUs; at most {MOST_GPUS} are possible",
            engine_name(kind)
        );
        Problem::new(KEY, message).with_hint("lower one of the sizes")
    })
}

/// What lies inside tensor parallelism must divide it.
fn check_inside_tp(kind: EngineKind, sizes: &Sizes) -> Option<Problem> {
    let (field, inner, why) = match kind {
        Sglang if sizes.attention_copies => {
            ("dp", sizes.dp, "with enable-dp-attention, copies lie inside tp")
        }
        Vllm => ("dcp", sizes.dcp, "context parallelism of decoding lies inside tp"),
        _ => return None,
    };
    (!sizes.tp.is_multiple_of(inner)).then(|| {
        let message = format!("is {inner}, which does not divide the tp of {}: {why}", sizes.tp);
        Problem::new(format!("{KEY}.{field}"), message).with_hint("choose a size that divides tp")
    })
}

/// The ways of dividing experts multiply to tensor parallelism.
fn check_experts(kind: EngineKind, sizes: &Sizes) -> Option<Problem> {
    let spread_over = spread(kind, sizes);
    if sizes.expert_parallel == Some(false) && spread_over > 1 {
        let (field, size, follows) = if sizes.moe_ep > 1 {
            ("moe_ep", sizes.moe_ep, String::new())
        } else {
            let follows = format!(
                " of a tp of {}, so that experts are spread over {spread_over} GPUs",
                sizes.tp
            );
            ("moe_tp", sizes.moe_tp, follows)
        };
        let message = format!("is {size}{follows}, and enable_expert_parallel is false");
        let problem = Problem::new(format!("{KEY}.{field}"), message);
        return Some(problem.with_hint("leave one of them out"));
    }
    if !matches!(kind, Sglang | TensorRtLlm) {
        return None;
    }
    let inner = spread_over.max(1) * sizes.moe_cluster;
    let split = if sizes.moe_tp > 1 {
        sizes.moe_tp
    } else {
        sizes.tp / inner
    };
    (split * inner != sizes.tp).then(|| {
        let fields = [
            ("moe_tp", sizes.moe_tp),
            ("moe_ep", sizes.moe_ep),
            ("moe_cluster", sizes.moe_cluster),
        ];
        let given: Vec<String> = fields
            .iter()
            .filter(|(_, size)| *size > 1)
            .map(|(field, size)| format!("{field} {size}"))
            .collect();
        let message = format!("{} cannot share out a tp of {}", given.join(" and "), sizes.tp);
        let hint = if kind == Sglang {
            "choose a moe_ep that divides tp"
        } else {
            "moe_tp times moe_ep times moe_cluster is tp"
        };
        Problem::new(KEY, message).with_hint(hint)
    })
}

/// Over how many GPUs experts are spread whole, where the engine is told so as a size.
pub(super) fn spread(kind: EngineKind, sizes: &Sizes) -> u32 {
    let has_rest = sizes.expert_parallel == Some(true) || sizes.moe_tp > 1;
    match kind {
        Sglang | TensorRtLlm if sizes.moe_ep > 1 => sizes.moe_ep,
        Sglang | TensorRtLlm if has_rest => sizes.tp / (sizes.moe_tp * sizes.moe_cluster),
        _ => 1,
    }
}
