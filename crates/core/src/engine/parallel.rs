//! Parallel sizes in words that fit every engine, and what each engine makes of them.
//!
//! The one idea: a size of 1 asks for nothing; any other becomes a flag of the engine or a
//! problem that says why the engine has no such size. Rules that tie sizes together are held
//! here, so that no engine is started only to refuse them. Whether a model can be split so
//! is for the engine to say.

use super::EngineKind::{self, Custom, LlamaCpp, Sglang, Sim, TensorRtLlm, Vllm};
use super::portable::{Setting, engine_name, flag_of, size, switch, word};
use crate::problem::Problem;
use crate::space::Value;

/// Where these fields stand in a task document.
pub(crate) const KEY: &str = "parallel_config";

/// What is said of a flag that older versions lack.
const NEWER: &str = "only newer versions of the engine know it";

/// Most GPUs of one configuration.
const MOST_GPUS: u32 = 64;

/// The sizes of one configuration, 1 where nothing is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    tp: u32,
    pp: u32,
    dp: u32,
    cp: u32,
    dcp: u32,
    /// Whether experts are spread whole; `None` where nothing is said.
    expert_parallel: Option<bool>,
    moe_tp: u32,
    moe_ep: u32,
    moe_cluster: u32,
    /// Not asked for is something else than 1 here.
    moe_dense_tp: Option<u32>,
    /// Whether copies share the GPUs of `tp` and split attention alone. Has no word of its
    /// own: a preset or the engine's own flag says so.
    attention_copies: bool,
}

const NO_SIZES: Sizes = Sizes {
    tp: 1,
    pp: 1,
    dp: 1,
    cp: 1,
    dcp: 1,
    expert_parallel: None,
    moe_tp: 1,
    moe_ep: 1,
    moe_cluster: 1,
    moe_dense_tp: None,
    attention_copies: false,
};

/// What the user sets by the engine's own flags, which the rules must know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Own {
    /// By `engine.args`: counts where no word says otherwise.
    pub(crate) fixed: OwnSizes,
    /// By parameters: counts whatever the words say.
    pub(crate) tuned: OwnSizes,
    /// Whether SGLang's `enable-dp-attention` is on, by either.
    pub(crate) attention_copies: bool,
}

/// Sizes by the engine's own flags, `None` where not set so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OwnSizes {
    tp: Option<u32>,
    pp: Option<u32>,
    dp: Option<u32>,
}

impl OwnSizes {
    /// The sizes among flags, asked by their resolved names. What is no size is not one:
    /// the flag itself is complained about elsewhere.
    pub(crate) fn of<'a>(kind: EngineKind, value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let size = |field: &str| {
            value(flag_of(kind, field)?)?
                .parse()
                .ok()
                .filter(|size| *size > 0)
        };
        Self {
            tp: size("tp"),
            pp: size("pp"),
            dp: size("dp"),
        }
    }

    fn put_into(self, sizes: &mut Sizes) {
        sizes.tp = self.tp.unwrap_or(sizes.tp);
        sizes.pp = self.pp.unwrap_or(sizes.pp);
        sizes.dp = self.dp.unwrap_or(sizes.dp);
    }
}

/// The presets of an engine by name.
pub(crate) fn presets(kind: EngineKind) -> &'static [&'static str] {
    match kind {
        Vllm => &[
            "single-gpu",
            "high-throughput",
            "large-model-tp",
            "large-model-tp-pp",
            "moe-optimized",
            "long-context",
            "balanced",
        ],
        Sglang => &[
            "single-gpu",
            "high-throughput",
            "large-model-tp",
            "large-model-tp-pp",
            "moe-optimized",
            "balanced",
        ],
        TensorRtLlm => &[
            "single-gpu",
            "large-model-tp",
            "large-model-tp-pp",
            "moe-optimized",
            "long-context",
        ],
        Sim => &["single-gpu", "large-model-tp"],
        LlamaCpp | Custom => &["single-gpu"],
    }
}

/// The sizes of a preset, so chosen that the engine takes them and that they mean what the
/// name says.
fn preset(kind: EngineKind, name: &str) -> Option<Sizes> {
    if !presets(kind).contains(&name) {
        return None;
    }
    Some(match (kind, name) {
        (_, "high-throughput") => Sizes { dp: 8, ..NO_SIZES },
        (_, "large-model-tp") => Sizes { tp: 8, ..NO_SIZES },
        (_, "large-model-tp-pp") => Sizes {
            tp: 8,
            pp: 2,
            ..NO_SIZES
        },
        (_, "balanced") => Sizes {
            tp: 2,
            dp: 4,
            ..NO_SIZES
        },
        (Vllm, "moe-optimized") => Sizes {
            tp: 2,
            dp: 8,
            expert_parallel: Some(true),
            ..NO_SIZES
        },
        // Attention is copied and experts are spread, both over the same eight GPUs.
        (Sglang, "moe-optimized") => Sizes {
            tp: 8,
            dp: 8,
            expert_parallel: Some(true),
            moe_dense_tp: Some(1),
            attention_copies: true,
            ..NO_SIZES
        },
        // Each expert is split over two of the four GPUs.
        (TensorRtLlm, "moe-optimized") => Sizes {
            tp: 4,
            moe_tp: 2,
            moe_ep: 2,
            ..NO_SIZES
        },
        (Vllm, "long-context") => Sizes {
            tp: 4,
            dcp: 4,
            ..NO_SIZES
        },
        (TensorRtLlm, "long-context") => Sizes {
            tp: 8,
            cp: 2,
            ..NO_SIZES
        },
        _ => NO_SIZES,
    })
}

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

/// The flags of one configuration: values of the fields of `parallel_config`, or of `preset`.
///
/// # Errors
/// Everything that the engine cannot do, with the field's path.
pub(crate) fn settings(
    kind: EngineKind,
    own: &Own,
    fields: &[(&str, &Value)],
) -> Result<Vec<Setting>, Vec<Problem>> {
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let mut asked = NO_SIZES;
    let mut sizes = NO_SIZES;
    own.fixed.put_into(&mut sizes);
    let mut problems = Vec::new();
    for (field, value) in fields {
        if *field == "preset" {
            let name = word(&format!("{KEY}.presets"), value).map_err(|problem| vec![problem])?;
            return of_preset(kind, own, name);
        }
        let step = check_value(kind, field, value)
            .and_then(|()| put(&mut sizes, field, value))
            .and_then(|()| put(&mut asked, field, value));
        problems.extend(step.err());
    }
    if problems.is_empty() {
        of_sizes(kind, own, &asked, sizes)
    } else {
        Err(problems)
    }
}

fn put(sizes: &mut Sizes, field: &str, value: &Value) -> Result<(), Problem> {
    let path = format!("{KEY}.{field}");
    if field == "enable_expert_parallel" {
        sizes.expert_parallel = switch(&path, value)?;
        return Ok(());
    }
    let given = size(&path, value)?;
    let place = match field {
        "tp" => &mut sizes.tp,
        "pp" => &mut sizes.pp,
        "dp" => &mut sizes.dp,
        "cp" => &mut sizes.cp,
        "dcp" => &mut sizes.dcp,
        "moe_tp" => &mut sizes.moe_tp,
        "moe_ep" => &mut sizes.moe_ep,
        "moe_cluster" => &mut sizes.moe_cluster,
        "moe_dense_tp" => {
            sizes.moe_dense_tp = given;
            return Ok(());
        }
        other => return Err(Problem::new(path, format!("{other} is no parallel size"))),
    };
    *place = given.unwrap_or(1);
    Ok(())
}

fn of_preset(kind: EngineKind, own: &Own, name: &str) -> Result<Vec<Setting>, Vec<Problem>> {
    let path = format!("{KEY}.presets");
    let Some(sizes) = preset(kind, name) else {
        let message = format!("{} has no preset \"{name}\"", engine_name(kind));
        let hint = format!("use one of {}", presets(kind).join(", "));
        return Err(vec![Problem::new(path, message).with_hint(hint)]);
    };
    let settings = of_sizes(kind, own, &sizes, sizes)?;
    let of_it = |setting| Setting {
        field: "presets",
        ..setting
    };
    Ok(settings.into_iter().map(of_it).collect())
}

/// The flags of what was asked for. `sizes` is the same with those of `engine.args` in it,
/// for what depends on other sizes.
fn of_sizes(
    kind: EngineKind,
    own: &Own,
    asked: &Sizes,
    mut sizes: Sizes,
) -> Result<Vec<Setting>, Vec<Problem>> {
    own.tuned.put_into(&mut sizes);
    sizes.attention_copies |= own.attention_copies && kind == Sglang;
    let sizes = &sizes;
    let mut problems: Vec<Problem> = [
        check_gpus(kind, sizes),
        check_inside_tp(kind, sizes),
        check_experts(kind, sizes),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !problems.is_empty() {
        problems.dedup();
        return Err(problems);
    }
    let given = [
        ("tp", asked.tp),
        ("pp", asked.pp),
        ("dp", asked.dp),
        ("cp", sizes.cp),
        ("dcp", sizes.dcp),
        ("moe_cluster", sizes.moe_cluster),
        ("moe_ep", spread(kind, sizes)),
    ];
    let mut settings: Vec<Setting> = given
        .into_iter()
        .filter(|(_, size)| *size > 1)
        .filter_map(|(field, size)| {
            Some(Setting {
                flag: flag_of(kind, field)?,
                value: i64::from(size).into(),
                field,
                note: (kind == TensorRtLlm && field == "cp").then_some(NEWER),
            })
        })
        .collect();
    // Where the sizes make it moot, the engine is not told, so that equal runs look equal.
    if kind == Vllm && sizes.expert_parallel == Some(true) && (sizes.tp > 1 || sizes.dp > 1) {
        settings.push(switched_on("enable-expert-parallel", "enable_expert_parallel"));
    }
    if kind == Sglang && sizes.moe_dense_tp == Some(1) && sizes.tp > 1 {
        settings.push(Setting {
            flag: "moe-dense-tp-size",
            value: 1.into(),
            field: "moe_dense_tp",
            note: None,
        });
    }
    if sizes.attention_copies && !own.attention_copies {
        settings.push(switched_on("enable-dp-attention", "dp"));
    }
    Ok(settings)
}

fn switched_on(flag: &'static str, field: &'static str) -> Setting {
    Setting {
        flag,
        value: true.into(),
        field,
        note: None,
    }
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

/// Over how many GPUs experts are spread whole, where the engine is told so as a size.
fn spread(kind: EngineKind, sizes: &Sizes) -> u32 {
    let has_rest = sizes.expert_parallel == Some(true) || sizes.moe_tp > 1;
    match kind {
        Sglang | TensorRtLlm if sizes.moe_ep > 1 => sizes.moe_ep,
        Sglang | TensorRtLlm if has_rest => sizes.tp / (sizes.moe_tp * sizes.moe_cluster),
        _ => 1,
    }
}

/// The ways of dividing experts multiply to tensor parallelism.
fn check_experts(kind: EngineKind, sizes: &Sizes) -> Option<Problem> {
    if sizes.expert_parallel == Some(false) && sizes.moe_ep > 1 {
        let message = format!("is {}, and enable_expert_parallel is false", sizes.moe_ep);
        let problem = Problem::new(format!("{KEY}.moe_ep"), message);
        return Some(problem.with_hint("leave one of them out"));
    }
    if !matches!(kind, Sglang | TensorRtLlm) {
        return None;
    }
    let inner = spread(kind, sizes).max(1) * sizes.moe_cluster;
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
