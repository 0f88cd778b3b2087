//! Parallel sizes in words that fit every engine, and what each engine makes of them.
//!
//! The one idea: a size of 1 asks for nothing; any other becomes a flag of the engine or a
//! problem that says why the engine has no such size. Rules that tie sizes together are held
//! here, so that no engine is started only to refuse them. Whether a model can be split so
//! is for the engine to say. What the sizes are is in `sizes`, what holds of them in `rules`.

mod rules;
mod sizes;

pub(crate) use rules::check_value;
pub(crate) use sizes::{Own, OwnSizes, presets};

use sizes::{NO_SIZES, Sizes, preset};

use super::EngineKind::{self, Sglang, TensorRtLlm, Vllm};
use super::portable::{Setting, engine_name, flag_of, size, switch, word};
use crate::problem::Problem;
use crate::space::Value;

/// Where these fields stand in a task document.
pub(crate) const KEY: &str = "parallel_config";

/// What is said of a flag that older versions lack.
const NEWER: &str = "only newer versions of the engine know it";

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
    let problems = rules::check(kind, sizes);
    if !problems.is_empty() {
        return Err(problems);
    }
    // What size it is, the field that says so, and the size.
    let given = [
        ("tp", "tp", asked.tp),
        ("pp", "pp", asked.pp),
        ("dp", "dp", asked.dp),
        ("cp", "cp", sizes.cp),
        ("dcp", "dcp", sizes.dcp),
        ("moe_cluster", "moe_cluster", sizes.moe_cluster),
        ("moe_ep", spread_by(sizes), rules::spread(kind, sizes)),
    ];
    let mut settings: Vec<Setting> = given
        .into_iter()
        .filter(|(_, _, size)| *size > 1)
        .filter_map(|(what, field, size)| {
            Some(Setting {
                flag: flag_of(kind, what)?,
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

/// The field that says over how many GPUs experts are spread whole.
fn spread_by(sizes: &Sizes) -> &'static str {
    if sizes.moe_ep > 1 {
        "moe_ep"
    } else if sizes.moe_tp > 1 {
        "moe_tp"
    } else {
        "enable_expert_parallel"
    }
}

fn switched_on(flag: &'static str, field: &'static str) -> Setting {
    Setting {
        flag,
        value: true.into(),
        field,
        note: None,
    }
}
