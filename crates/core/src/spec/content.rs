//! What prompts are made of, as a document says it: data sets, shared beginnings, conversations.

use schemars::JsonSchema;
use serde::Serialize;

use super::benchmark::BenchmarkSpec;
use super::findings::Findings;
use super::read::{Node, shorten};
use super::rules;
use crate::problem::Problem;
use crate::workload::{Api, Content, Conversation, Scenario, Sharing, Source, Texts};

const SHARING: &str = "benchmark.prefix_sharing";
const CONVERSATION: &str = "benchmark.conversation";

/// Most different beginnings.
const MOST_GROUPS: u32 = 1_000_000;

/// Most tokens of a beginning.
const MOST_TOKENS: u32 = 10_000_000;

/// Most requests of one conversation: each carries all before it.
const MOST_TURNS: u32 = 200;

/// Most documents of one request.
const MOST_BATCH: u32 = 10_000;

/// Prompts that share their beginnings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SharingSpec {
    /// How many different beginnings are shared; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub groups: Option<u32>,
    /// Tokens of each beginning, of the prompt's length; not for `P(prefix,suffix)/out`, which
    /// names its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub prefix_tokens: Option<u32>,
    /// Share of the requests that begin with one of them, 0 to 1; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub hit_ratio: Option<f64>,
}

/// Requests that follow each other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConversationSpec {
    /// Requests of one conversation; each carries everything that was said before.
    #[schemars(range(min = 1, max = 200))]
    pub turns: u32,
    /// Rest between an answer and the next request, in seconds; 0 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think_seconds: Option<f64>,
}

/// Reads the `prefix_sharing` object.
pub(super) fn read_sharing(node: &Node<'_>) -> Option<SharingSpec> {
    node.object(|fields| SharingSpec {
        groups: fields.take("groups", Node::whole),
        prefix_tokens: fields.take("prefix_tokens", Node::whole),
        hit_ratio: fields.take("hit_ratio", Node::real),
    })
}

/// Reads the `conversation` object.
pub(super) fn read_conversation(node: &Node<'_>) -> Option<ConversationSpec> {
    node.object(|fields| {
        fields.require(&["turns"], "say how many requests a conversation has");
        let turns = fields.take("turns", Node::whole);
        let think_seconds = fields.take("think_seconds", Node::real);
        Some(ConversationSpec {
            turns: turns?,
            think_seconds,
        })
    })?
}

/// What prompts are made of; data sets have still to be read.
pub(super) fn resolve(
    spec: &BenchmarkSpec,
    scenarios: &[Scenario],
    api: Api,
    findings: &Findings,
) -> Content {
    let sharing = spec.prefix_sharing.as_ref();
    let conversation = spec.conversation.as_ref();
    Content {
        texts: Texts::Made,
        sharing: sharing.map(|sharing| sharing.resolve(scenarios, api, findings)),
        conversation: conversation.map(|conversation| conversation.resolve(api, findings)),
        batch: batch(spec.batch_size, api, findings),
        salt: spec.salt,
    }
}

/// The data set that has still to be read.
pub(super) fn dataset(spec: &BenchmarkSpec, scenarios: &[Scenario], findings: &Findings) -> Option<Source> {
    let path = "benchmark.dataset_url";
    let Some(place) = &spec.dataset_url else {
        if let Some(index) = scenarios.iter().position(|it| *it == Scenario::DataSet) {
            let path = format!("benchmark.traffic_scenarios[{index}]");
            let problem = Problem::new(path, "asks the entries of a data set, and none is named");
            findings.refuse(problem.with_hint("name it in benchmark.dataset_url"));
        }
        return None;
    };
    check_place(path, place, findings);
    Some(Source {
        place: place.clone(),
        deduplicate: spec.dataset_deduplicate.unwrap_or(true),
    })
}

/// A place that files are read from.
pub(super) fn check_place(path: &str, place: &str, findings: &Findings) {
    rules::argument(path, place, findings);
    let scheme = place.split_once("://").map(|(scheme, _)| scheme);
    if let Some(scheme) = scheme.filter(|scheme| !["http", "https", "file"].contains(scheme)) {
        let message = format!("data sets are not fetched over \"{}\"", shorten(scheme));
        let problem = Problem::new(path, message);
        findings.refuse(problem.with_hint("use https://, http://, file:// or a path"));
    }
}

fn batch(given: Option<u32>, api: Api, findings: &Findings) -> u32 {
    let path = "benchmark.batch_size";
    let Some(batch) = given else { return 1 };
    rules::at_least_one(path, batch, findings);
    if batch > MOST_BATCH {
        findings.refuse(Problem::new(path, format!("is {batch}; at most {MOST_BATCH}")));
    }
    if api.answers_with_text() {
        let message =
            format!("has no meaning for {api}, which is asked one thing at a time, and is left out");
        findings.warn(Problem::new(path, message));
    }
    batch
}

impl SharingSpec {
    fn resolve(&self, scenarios: &[Scenario], api: Api, findings: &Findings) -> Sharing {
        if !api.answers_with_text() {
            findings.refuse(Problem::new(
                SHARING,
                format!("{api} asks documents, which share nothing"),
            ));
        }
        let groups = self.groups.unwrap_or(1);
        let path = format!("{SHARING}.groups");
        rules::at_least_one(&path, groups, findings);
        if groups > MOST_GROUPS {
            findings.refuse(Problem::new(path, format!("is {groups}; at most {MOST_GROUPS}")));
        }
        let path = format!("{SHARING}.prefix_tokens");
        let names_its_own = |scenario: &Scenario| matches!(scenario, Scenario::Prefix { .. });
        match self.prefix_tokens {
            Some(tokens) => {
                rules::at_least_one(&path, tokens, findings);
                if tokens > MOST_TOKENS {
                    findings.refuse(Problem::new(path, format!("is {tokens}; at most {MOST_TOKENS}")));
                }
            }
            None if scenarios.iter().all(names_its_own) => {}
            None => {
                let problem = Problem::new(path, "is missing");
                let hint = "say how many tokens are shared, or use scenarios P(prefix,suffix)/out";
                findings.refuse(problem.with_hint(hint));
            }
        }
        let hit_ratio = self.hit_ratio.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&hit_ratio) {
            let message = format!("is {hit_ratio}; a share from 0 to 1 is needed");
            findings.refuse(Problem::new(format!("{SHARING}.hit_ratio"), message));
        }
        Sharing {
            groups,
            prefix_tokens: self.prefix_tokens.unwrap_or_default(),
            hit_ratio,
        }
    }
}

impl ConversationSpec {
    fn resolve(&self, api: Api, findings: &Findings) -> Conversation {
        if !api.answers_with_text() {
            findings.refuse(Problem::new(
                CONVERSATION,
                format!("{api} holds no conversations"),
            ));
        }
        let path = format!("{CONVERSATION}.turns");
        rules::at_least_one(&path, self.turns, findings);
        if self.turns > MOST_TURNS {
            findings.refuse(Problem::new(
                path,
                format!("is {}; at most {MOST_TURNS}", self.turns),
            ));
        }
        Conversation {
            turns: self.turns,
            think: rules::seconds_or_none(
                &format!("{CONVERSATION}.think_seconds"),
                self.think_seconds.unwrap_or_default(),
                findings,
            ),
        }
    }
}
