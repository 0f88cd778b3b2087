//! Each engine's parameters: what may be tuned, within which limits, and what often pays.
//!
//! The one idea: the catalogue that judges task documents is the one that is shown. Old clients
//! read plain lists of names under the keys that they know; what else is known of a name stands
//! beside them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use autotuner_core::engine::EngineKind;
use autotuner_core::engine::catalogue::{Bounds, End, FlagInfo, known, name_remark};
use autotuner_core::space::Value as ParameterValue;
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::extract::{self, Path, Query, Viewer};
use crate::service::Service;

/// The routes of this group.
pub(super) fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::new()
        .routes(routes!(parameter_counts))
        .routes(routes!(compatibility))
        .routes(routes!(parameters_of))
        .routes(routes!(commonly_tuned))
        .routes(routes!(validate_parameter))
}

/// How many parameters each engine has.
#[derive(Debug, Serialize, ToSchema)]
struct ParameterCounts {
    /// Parameters of SGLang.
    sglang_count: usize,
    /// Parameters of vLLM.
    vllm_count: usize,
    /// Parameters that both have.
    common_count: usize,
    /// The same for every engine.
    runtimes: Vec<RuntimeCount>,
}

/// How many parameters an engine has.
#[derive(Debug, Serialize, ToSchema)]
struct RuntimeCount {
    /// The engine's word.
    #[schema(example = "vllm")]
    runtime: &'static str,
    /// Other words that mean the same.
    aliases: &'static [&'static str],
    /// Parameters that we know; others are passed on as they are.
    count: usize,
    /// Those of them that often pay to tune.
    commonly_tuned_count: usize,
}

/// How many parameters each engine has
#[utoipa::path(get, path = "/api/runtime-params", tag = "engines", responses((status = 200, body = ParameterCounts)))]
async fn parameter_counts(_caller: Viewer) -> Json<ParameterCounts> {
    let (sglang, vllm) = (names(EngineKind::Sglang), names(EngineKind::Vllm));
    let runtimes = EngineKind::ALL.map(|kind| RuntimeCount {
        runtime: kind.as_str(),
        aliases: kind.aliases(),
        count: names(kind).len(),
        commonly_tuned_count: names_of(kind, true).len(),
    });
    Json(ParameterCounts {
        sglang_count: sglang.len(),
        vllm_count: vllm.len(),
        common_count: shared(EngineKind::Vllm, EngineKind::Sglang).len(),
        runtimes: runtimes.into(),
    })
}

/// Which parameters engines share.
#[derive(Debug, Serialize, ToSchema)]
struct Compatibility {
    /// What vLLM and SGLang both have, as vLLM spells it.
    common: Vec<&'static str>,
    /// What SGLang has and vLLM lacks.
    sglang_only: Vec<&'static str>,
    /// What vLLM has and SGLang lacks.
    vllm_only: Vec<&'static str>,
    /// How many of each.
    stats: CompatibilityCounts,
    /// Every parameter's name, and the engines that have it, under this name or another.
    runtimes_of: BTreeMap<&'static str, Vec<&'static str>>,
}

/// How many parameters vLLM and SGLang share.
#[derive(Debug, Serialize, ToSchema)]
struct CompatibilityCounts {
    common_count: usize,
    sglang_only_count: usize,
    vllm_only_count: usize,
    sglang_total: usize,
    vllm_total: usize,
}

/// Which parameters engines share
///
/// Two names of one thing are one: `tensor-parallel-size` is SGLang's `tp-size`.
#[utoipa::path(get, path = "/api/runtime-params/compatibility", tag = "engines",
    responses((status = 200, body = Compatibility)))]
async fn compatibility(_caller: Viewer) -> Json<&'static Compatibility> {
    static SHARED: LazyLock<Compatibility> = LazyLock::new(compare);
    Json(&SHARED)
}

fn compare() -> Compatibility {
    let (sglang, vllm) = (EngineKind::Sglang, EngineKind::Vllm);
    let common = shared(vllm, sglang);
    let sglang_only = lacking(sglang, vllm);
    let vllm_only = lacking(vllm, sglang);
    let mut runtimes_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in EngineKind::ALL.into_iter().flat_map(names) {
        let engines = EngineKind::ALL
            .into_iter()
            .filter(|kind| known(*kind, name).is_some());
        runtimes_of.insert(name, engines.map(EngineKind::as_str).collect());
    }
    Compatibility {
        stats: CompatibilityCounts {
            common_count: common.len(),
            sglang_only_count: sglang_only.len(),
            vllm_only_count: vllm_only.len(),
            sglang_total: names(sglang).len(),
            vllm_total: names(vllm).len(),
        },
        common,
        sglang_only,
        vllm_only,
        runtimes_of,
    }
}

/// Which parameters are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only those that often pay to tune
    #[serde(default)]
    #[param(default = false)]
    commonly_tuned_only: bool,
}

/// An engine's parameters.
#[derive(Debug, Serialize, ToSchema)]
struct RuntimeParameters {
    /// The engine's word.
    #[schema(example = "vllm")]
    runtime: &'static str,
    /// How many there are.
    count: usize,
    /// Their names.
    parameters: Vec<&'static str>,
    /// What is known of each, in the same order.
    details: Vec<ParameterInfo>,
    /// Flags that the product sets itself, and that no task can.
    reserved: &'static [&'static str],
}

/// The parameters of an engine
///
/// Engines gain and lose parameters with every release: one that is not listed can be tuned all
/// the same, and is passed on as the task spells it.
#[utoipa::path(get, path = "/api/runtime-params/{runtime}", tag = "engines",
    params(("runtime" = String, Path, description = "The engine's word or an alias of it", example = "vllm"), Wanted),
    responses((status = 200, body = RuntimeParameters), (status = 400, description = "There is no such engine")))]
async fn parameters_of(
    _caller: Viewer,
    Path(runtime): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<RuntimeParameters>, ApiError> {
    let kind = engine(&runtime)?;
    Ok(Json(listing(kind, wanted.commonly_tuned_only)))
}

/// What often pays to tune in an engine
#[utoipa::path(get, path = "/api/runtime-params/{runtime}/commonly-tuned", tag = "engines",
    params(("runtime" = String, Path, description = "The engine's word or an alias of it", example = "vllm")),
    responses((status = 200, body = RuntimeParameters), (status = 400, description = "There is no such engine")))]
async fn commonly_tuned(
    _caller: Viewer,
    Path(runtime): Path<String>,
) -> Result<Json<RuntimeParameters>, ApiError> {
    Ok(Json(listing(engine(&runtime)?, true)))
}

/// A parameter that may be an engine's.
#[derive(Debug, Deserialize, ToSchema)]
struct ParameterQuestion {
    /// The engine's word or an alias of it.
    #[schema(example = "sglang")]
    runtime: String,
    /// The parameter's name, with or without dashes before it.
    #[schema(example = "tp-size")]
    parameter: String,
}

/// Whether a parameter is an engine's.
#[derive(Debug, Serialize, ToSchema)]
struct ParameterAnswer {
    /// The engine's word.
    runtime: &'static str,
    /// The parameter, as it was asked for.
    parameter: String,
    /// Whether the engine has it, as far as we know, and a task may set it.
    is_valid: bool,
    /// What the engine calls it; nothing where it has none.
    name: Option<&'static str>,
    /// What there is to say of it.
    message: Option<String>,
    /// What to do about that.
    hint: Option<String>,
}

/// Whether a parameter is an engine's
#[utoipa::path(post, path = "/api/runtime-params/validate", tag = "engines", request_body = ParameterQuestion,
    responses((status = 200, body = ParameterAnswer), (status = 400, description = "There is no such engine")))]
async fn validate_parameter(
    _caller: Viewer,
    extract::Json(question): extract::Json<ParameterQuestion>,
) -> Result<Response, ApiError> {
    let kind = engine(&question.runtime)?;
    let spelt = question.parameter.trim_start_matches('-');
    let found = known(kind, spelt);
    let remark = name_remark(kind, spelt);
    let is_reserved = remark.as_ref().is_some_and(|remark| remark.is_impossible);
    // Of an engine without a catalogue every name may be right.
    let is_anything = names(kind).is_empty() && !spelt.is_empty();
    let answer = ParameterAnswer {
        runtime: kind.as_str(),
        is_valid: !is_reserved && (found.is_some() || is_anything),
        name: found.map(|flag| flag.name),
        message: remark.as_ref().map(|remark| remark.message.clone()),
        hint: remark.and_then(|remark| remark.hint),
        parameter: question.parameter,
    };
    Ok(Json(answer).into_response())
}

/// What is known of a parameter.
#[derive(Debug, Serialize, ToSchema)]
struct ParameterInfo {
    /// Its name, without dashes before it.
    #[schema(example = "max-num-seqs")]
    name: &'static str,
    /// `integer`, `number`, `text`, `choice`, `list`, `switch`, `on/off` or `1/0`.
    r#type: &'static str,
    /// The engine's default, in words; empty where it depends or differs between releases.
    default: &'static str,
    /// What it does.
    help: &'static str,
    /// Its subject.
    group: &'static str,
    /// What its subject affects.
    affects: &'static str,
    /// Numbers outside are impossible.
    range: Ends,
    /// Numbers outside are possible and rarely meant.
    usual: Ends,
    /// Its range and its words, for people.
    limits: String,
    /// Words that it takes.
    choices: &'static [&'static str],
    /// Whether tuning it often pays.
    is_commonly_tuned: bool,
    /// What a person would try first.
    suggested: Vec<Value>,
}

/// The ends of a range; one that is not there is not known.
#[derive(Debug, Serialize, ToSchema)]
struct Ends {
    /// The lower one.
    low: Option<EndOfRange>,
    /// The upper one.
    high: Option<EndOfRange>,
}

/// One end of a range.
#[derive(Debug, Serialize, ToSchema)]
struct EndOfRange {
    /// Where it is.
    value: f64,
    /// Whether it belongs to the range.
    included: bool,
}

impl From<Bounds> for Ends {
    fn from(Bounds { low, high }: Bounds) -> Self {
        let end = |End { value, is_included }| EndOfRange {
            value,
            included: is_included,
        };
        Self {
            low: low.map(end),
            high: high.map(end),
        }
    }
}

impl From<&FlagInfo> for ParameterInfo {
    fn from(flag: &FlagInfo) -> Self {
        Self {
            name: flag.name,
            r#type: flag.kind.as_str(),
            default: flag.default,
            help: flag.help,
            group: flag.group.as_str(),
            affects: flag.group.affects(),
            range: flag.range.into(),
            usual: flag.usual.into(),
            limits: flag.limits(),
            choices: flag.choices(),
            is_commonly_tuned: flag.is_commonly_tuned,
            suggested: flag
                .suggested
                .values()
                .iter()
                .map(ParameterValue::to_json)
                .collect(),
        }
    }
}

fn listing(kind: EngineKind, is_common_only: bool) -> RuntimeParameters {
    let details: Vec<ParameterInfo> = flags(kind, is_common_only).map(ParameterInfo::from).collect();
    RuntimeParameters {
        runtime: kind.as_str(),
        count: details.len(),
        parameters: names_of(kind, is_common_only),
        details,
        reserved: kind.engine().reserved(),
    }
}

fn engine(word: &str) -> Result<EngineKind, ApiError> {
    EngineKind::from_word(word).ok_or_else(|| {
        let known = EngineKind::ALL.map(|kind| format!("'{}'", kind.as_str()));
        let text = match known.split_last() {
            Some((last, before)) => format!("{} or {last}", before.join(", ")),
            None => String::new(),
        };
        ApiError::bad_request(
            "unknown_runtime",
            format!("Invalid runtime: {word}. Must be {text}"),
        )
    })
}

fn flags(kind: EngineKind, is_common_only: bool) -> impl Iterator<Item = &'static FlagInfo> {
    let all = kind.engine().catalogue().iter();
    all.filter(move |flag| flag.is_commonly_tuned || !is_common_only)
}

fn names_of(kind: EngineKind, is_common_only: bool) -> Vec<&'static str> {
    flags(kind, is_common_only).map(|flag| flag.name).collect()
}

fn names(kind: EngineKind) -> Vec<&'static str> {
    names_of(kind, false)
}

/// Names of the first engine's parameters that the second has too.
fn shared(first: EngineKind, second: EngineKind) -> Vec<&'static str> {
    let names = names(first).into_iter();
    names.filter(|name| known(second, name).is_some()).collect()
}

/// Names of the first engine's parameters that the second lacks.
fn lacking(first: EngineKind, second: EngineKind) -> Vec<&'static str> {
    let shared: Vec<_> = shared(second, first)
        .into_iter()
        .filter_map(|name| known(first, name))
        .map(|flag| flag.name)
        .collect();
    let names = names(first).into_iter();
    names.filter(|name| !shared.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name of a release: listed under this name or an alias, or set by the product.
    fn check_release(kind: EngineKind, release: &str, set_by_product: &[&str]) {
        let is_unknown = |name: &&str| known(kind, name).is_none();
        let unlisted: Vec<&str> = release.lines().filter(is_unknown).collect();
        assert_eq!(unlisted, set_by_product, "{kind:?}");
    }

    #[test]
    fn every_parameter_of_a_release_is_listed_unless_the_product_sets_it() {
        let vllm = include_str!("../../../core/src/engine/catalogue/tests/vllm_flags.txt");
        let sglang = include_str!("../../../core/src/engine/catalogue/tests/sglang_flags.txt");
        let set = [
            "api-key",
            "host",
            "model",
            "port",
            "served-model-name",
            "ssl-certfile",
            "ssl-keyfile",
        ];
        check_release(EngineKind::Vllm, vllm, &set);
        let set = ["api-key", "host", "model-path", "port", "served-model-name"];
        check_release(EngineKind::Sglang, sglang, &set);
    }

    #[test]
    fn what_engines_share_is_told_by_meaning() {
        let common = shared(EngineKind::Vllm, EngineKind::Sglang);
        for name in ["tensor-parallel-size", "kv-cache-dtype", "quantization"] {
            assert!(common.contains(&name), "{name}");
        }
        assert!(lacking(EngineKind::Vllm, EngineKind::Sglang).contains(&"max-num-seqs"));
        assert!(!lacking(EngineKind::Sglang, EngineKind::Vllm).contains(&"tp-size"));
        let counts = |first, second| shared(first, second).len() + lacking(first, second).len();
        let (vllm, sglang) = (EngineKind::Vllm, EngineKind::Sglang);
        assert_eq!(counts(vllm, sglang), names(vllm).len());
        assert_eq!(counts(sglang, vllm), names(sglang).len());
    }

    #[test]
    fn names_aliases_and_negations_are_found() {
        let check = |kind, name: &str, expected: Option<&str>| {
            assert_eq!(known(kind, name).map(|flag| flag.name), expected, "{name}");
        };
        check(EngineKind::Sglang, "tensor-parallel-size", Some("tp-size"));
        check(EngineKind::Sglang, "tp_size", Some("tp-size"));
        check(
            EngineKind::Vllm,
            "no-enable-prefix-caching",
            Some("enable-prefix-caching"),
        );
        check(EngineKind::Vllm, "no-max-num-seqs", None);
        check(EngineKind::Vllm, "host", None);
        check(EngineKind::Custom, "anything", None);
    }

    #[test]
    fn an_unknown_engine_is_refused_with_those_that_there_are() {
        let text = engine("tgi").unwrap_err().body.detail;
        assert!(
            text.starts_with("Invalid runtime: tgi. Must be 'vllm', 'sglang'"),
            "{text}"
        );
        assert!(text.ends_with(" or 'custom'"), "{text}");
        assert_eq!(engine("llama.cpp").unwrap(), EngineKind::LlamaCpp);
    }
}
