//! How to look for the best: strategy, objective and limits.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Findings;
use super::read::{Fields, Node, Words};
use super::rules;
use crate::problem::Problem;
use crate::score::Objective;
use crate::search::StrategyKind;
use crate::space::{Size, Space};
use crate::task::SearchSettings;

/// Distinct configurations that a task may measure without saying so itself.
const MOST_UNASKED: u128 = 10_000;

/// Search candidates of strategies that would never end by themselves.
const USUAL_ITERATIONS: u32 = 100;

const USUAL_TIMEOUT_SECONDS: f64 = 1_800.0;
const USUAL_INITIAL_RANDOM: u32 = 5;

/// Repetitions of a task that does not say how many: a pair of the best and the defaults at least,
/// and as many as tell a gain of one tenth from the noise of a busy machine.
const FEWEST_REPLICATES: u32 = 2;
const MOST_USUAL_REPLICATES: u32 = 12;

/// How many more configurations than parameters a model begins with.
const BEYOND_AXES: usize = 3;

/// How to look for the best configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OptimizationSpec {
    /// Who proposes what to try next; `grid_search` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<StrategyWord>,
    /// What to improve; `minimize_latency` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<ObjectiveWord>,
    /// Further objectives: beside the best by `objective`, the search (`bayesian`) then looks for
    /// configurations that none beats in all of them, the Pareto front. None when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pareto: Option<Vec<ObjectiveWord>>,
    /// Distinct configurations to measure at most. When absent: the whole grid for
    /// `grid_search` if it has at most 10,000 points, 100 for the other strategies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_iterations: Option<u32>,
    /// Further starts, at most, that measure the best configurations and the engine's defaults again,
    /// so that a gain can be told from chance; they end as soon as it can. When absent half of
    /// `max_iterations`, at least 2 and at most 12; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicates: Option<u32>,
    /// End the search (`bayesian`) once a further gain of this ratio is held for improbable (below 10 %,
    /// twice running): 0.05 is five per cent. Never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_gain: Option<f64>,
    /// Longest time for all experiments together, in seconds; no limit when absent. An experiment that
    /// would exceed it is not begun, and a quarter of it is kept for `max_replicates`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_time: Option<f64>,
    /// Most hours for which GPUs are held, each GPU counted; no limit when absent. It is kept as
    /// `max_time` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gpu_hours: Option<f64>,
    /// Longest time for one experiment once its engine is ready, in seconds; 1800 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_per_iteration: Option<f64>,
    /// Configurations before a model decides (`bayesian`, `tpe`). When absent 5, or with
    /// `bayesian` three more than there are parameters, up to a third of `max_iterations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_initial_random: Option<u32>,
    /// Experiments that may run at once; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_parallel_experiments: Option<u32>,
    /// Whether a measurement ends after a level that shows that its configuration all but certainly
    /// does not beat the best one, or does not keep every SLO; the levels that weigh most, under the
    /// greatest load, then run first. `false` when absent. It takes two levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_abort: Option<bool>,
    /// Whether the search (`bayesian`) begins with what earlier tasks of the same engine, model,
    /// parameters and loads found; `false` when absent, so that a task can be replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<bool>,
    /// Seed of everything random in the task; 0 when absent, so that a task can be replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// The words for strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyWord {
    /// Every point, or a spread choice of them when `max_iterations` is smaller.
    GridSearch,
    /// Points drawn at random, none twice. `random` is understood too.
    RandomSearch,
    /// Points of a sequence that spreads evenly over the space, none twice.
    Sobol,
    /// Values that the best have more often than the rest (tree-structured Parzen estimator).
    Tpe,
    /// A model of what was measured decides.
    Bayesian,
}

/// The words for objectives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveWord {
    /// Mean end-to-end latency.
    #[default]
    MinimizeLatency,
    /// Total tokens per second, per GPU.
    MaximizeThroughput,
    /// Mean time to first token.
    MinimizeTtft,
    /// Mean time per output token.
    MinimizeTpot,
}

impl Words for StrategyWord {
    const WHAT: &'static str = "strategy";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("grid_search", Self::GridSearch),
        ("random_search", Self::RandomSearch),
        ("sobol", Self::Sobol),
        ("tpe", Self::Tpe),
        ("bayesian", Self::Bayesian),
    ];
    const ALIASES: &'static [(&'static str, Self)] = &[("random", Self::RandomSearch)];
}

impl Words for ObjectiveWord {
    const WHAT: &'static str = "objective";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("minimize_latency", Self::MinimizeLatency),
        ("maximize_throughput", Self::MaximizeThroughput),
        ("minimize_ttft", Self::MinimizeTtft),
        ("minimize_tpot", Self::MinimizeTpot),
    ];
    const ADVICE: &'static [(&'static str, &'static str)] = &[(
        "balanced",
        "choose one of minimize_latency, maximize_throughput, minimize_ttft, minimize_tpot and put bounds on the others under slo",
    )];
}

impl StrategyWord {
    /// Who is meant.
    pub(crate) fn kind(self) -> StrategyKind {
        match self {
            Self::GridSearch => StrategyKind::Grid,
            Self::RandomSearch => StrategyKind::Random,
            Self::Sobol => StrategyKind::Sobol,
            Self::Tpe => StrategyKind::Tpe,
            Self::Bayesian => StrategyKind::Bayesian,
        }
    }
}

impl ObjectiveWord {
    fn objective(self) -> Objective {
        match self {
            Self::MinimizeLatency => Objective::MinimizeLatency,
            Self::MaximizeThroughput => Objective::MaximizeThroughput,
            Self::MinimizeTtft => Objective::MinimizeTtft,
            Self::MinimizeTpot => Objective::MinimizeTpot,
        }
    }
}

/// Reads the `optimization` object.
pub(super) fn read(node: &Node<'_>) -> Option<OptimizationSpec> {
    node.object(|fields| {
        let spec = OptimizationSpec {
            strategy: fields.take("strategy", Node::word),
            objective: fields.take("objective", Node::word),
            pareto: fields.take("pareto", |node| node.list_or_one(Node::word)),
            max_iterations: fields.take("max_iterations", Node::whole),
            max_replicates: fields.take("max_replicates", Node::whole),
            min_gain: fields.take("min_gain", Node::real),
            max_time: fields.take("max_time", Node::real),
            max_gpu_hours: fields.take("max_gpu_hours", Node::real),
            timeout_per_iteration: fields.take("timeout_per_iteration", Node::real),
            n_initial_random: fields.take("n_initial_random", Node::whole),
            max_parallel_experiments: fields.take("max_parallel_experiments", Node::whole),
            early_abort: fields.take("early_abort", Node::flag),
            warm_start: fields.take("warm_start", Node::flag),
            seed: fields.take("seed", Node::whole),
        };
        for key in ["study_name", "storage"] {
            leave_out(fields, key);
        }
        spec
    })
}

/// Takes a key that older documents carry and that means nothing here.
fn leave_out(fields: &mut Fields<'_>, key: &'static str) {
    fields.take(key, |node| {
        let message = "has no meaning here and is left out: every task keeps its own history";
        node.findings.warn(node.problem(message));
        Some(())
    });
}

impl OptimizationSpec {
    /// Who proposes.
    pub(super) fn strategy_kind(&self) -> StrategyKind {
        self.strategy.unwrap_or(StrategyWord::GridSearch).kind()
    }

    /// The checked settings.
    pub(super) fn resolve(&self, space: Option<&Space>, findings: &Findings) -> SearchSettings {
        let max_iterations = self.iterations(space, findings);
        let settings = SearchSettings {
            strategy: self.strategy_kind(),
            objective: self.objective.unwrap_or_default().objective(),
            pareto: self.further_objectives(findings),
            max_iterations,
            max_replicates: self.max_replicates.unwrap_or_else(|| {
                let half = max_iterations / 2;
                half.clamp(FEWEST_REPLICATES, MOST_USUAL_REPLICATES)
            }),
            min_gain: self.min_gain.inspect(|gain| {
                rules::positive("optimization.min_gain", *gain, findings);
            }),
            max_time: self
                .max_time
                .map(|time| rules::seconds("optimization.max_time", time, findings)),
            max_gpu_hours: self.max_gpu_hours.inspect(|hours| {
                rules::positive("optimization.max_gpu_hours", *hours, findings);
            }),
            timeout_per_iteration: rules::seconds(
                "optimization.timeout_per_iteration",
                self.timeout_per_iteration.unwrap_or(USUAL_TIMEOUT_SECONDS),
                findings,
            ),
            initial_random: self
                .n_initial_random
                .unwrap_or_else(|| self.usual_initial(space, max_iterations)),
            max_parallel_experiments: rules::at_least_one(
                "optimization.max_parallel_experiments",
                self.max_parallel_experiments.unwrap_or(1),
                findings,
            ),
            early_abort: self.early_abort.unwrap_or(false),
            warm_start: self.warm_start.unwrap_or(false),
            seed: self.seed.unwrap_or(0),
        };
        self.warn_of_useless_model(&settings, findings);
        warn_of_unsought_front(&settings, findings);
        settings
    }

    fn further_objectives(&self, findings: &Findings) -> Vec<Objective> {
        let mut all = vec![self.objective.unwrap_or_default().objective()];
        for (index, word) in self.pareto.iter().flatten().enumerate() {
            let objective = word.objective();
            if all.contains(&objective) {
                let message = format!("{} is an objective already", objective.as_str());
                let hint = "name objectives other than optimization.objective, each once";
                let path = format!("optimization.pareto[{index}]");
                findings.refuse(Problem::new(path, message).with_hint(hint));
            }
            all.push(objective);
        }
        all.split_off(1)
    }

    /// A model of many parameters begins with more, as long as most of the budget is left to it.
    fn usual_initial(&self, space: Option<&Space>, max_iterations: u32) -> u32 {
        let axes = match space {
            Some(space) if self.strategy_kind() == StrategyKind::Bayesian => space.parameters().len(),
            _ => 0,
        };
        let wanted = u32::try_from(axes + BEYOND_AXES).unwrap_or(u32::MAX);
        wanted.clamp(
            USUAL_INITIAL_RANDOM,
            (max_iterations / 3).max(USUAL_INITIAL_RANDOM),
        )
    }

    fn iterations(&self, space: Option<&Space>, findings: &Findings) -> u32 {
        let path = "optimization.max_iterations";
        if let Some(given) = self.max_iterations {
            return rules::at_least_one(path, given, findings);
        }
        if self.strategy_kind() != StrategyKind::Grid || findings.is_spoilt("optimization.strategy") {
            return USUAL_ITERATIONS;
        }
        match space.map(Space::size) {
            Some(Size::Finite(size)) if size <= MOST_UNASKED => u32::try_from(size).unwrap_or(1).max(1),
            Some(Size::Finite(size)) => {
                let message = format!(
                    "the grid has {size} configurations; a task of more than {MOST_UNASKED} needs an explicit limit"
                );
                let hint = "set optimization.max_iterations to how many of them to measure";
                findings.refuse(Problem::new(path, message).with_hint(hint));
                1
            }
            // An endless grid is refused at the parameter that makes it so.
            Some(Size::Infinite) | None => 1,
        }
    }

    fn warn_of_useless_model(&self, settings: &SearchSettings, findings: &Findings) {
        let is_useless = matches!(settings.strategy, StrategyKind::Bayesian | StrategyKind::Tpe)
            && self.max_iterations.is_some()
            && settings.initial_random >= settings.max_iterations;
        if is_useless {
            let message = format!(
                "{} initial configurations fill all {} iterations, so the model never decides",
                settings.initial_random, settings.max_iterations
            );
            findings.warn(
                Problem::new("optimization.n_initial_random", message)
                    .with_hint("lower it or raise optimization.max_iterations"),
            );
        }
    }
}

/// Other strategies come upon a front, but do not look for it, and what is far from the best by one
/// objective may be on it.
fn warn_of_unsought_front(settings: &SearchSettings, findings: &Findings) {
    if settings.pareto.is_empty() {
        return;
    }
    if settings.strategy != StrategyKind::Bayesian {
        let message = format!("{} does not look for compromises", settings.strategy.as_str());
        let hint =
            "set optimization.strategy to bayesian; the front of what is measured is told all the same";
        findings.warn(Problem::new("optimization.pareto", message).with_hint(hint));
    }
    if settings.early_abort {
        let message = "has no effect beside pareto: what does not beat the best may be a good compromise";
        findings.warn(Problem::new("optimization.early_abort", message).with_hint("leave one of them out"));
    }
}
