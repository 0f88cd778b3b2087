//! Whole runs whose experiments are Jobs of a real cluster, or services of an operator that a test
//! plays there.
//!
//! `scripts/kubernetes.sh --image` finds or starts a cluster and makes the agent's image;
//! `AUTOTUNER_TEST_KUBECONFIG` names its kubeconfig. Without one these tests say so and prove
//! nothing, unless `AUTOTUNER_REQUIRE_KUBERNETES` is 1.

#[expect(
    dead_code,
    reason = "shared with the tests of local runs, which use all of it"
)]
#[path = "../cli/support.rs"]
mod support;

mod failures;
mod field;
mod install;
mod interruptions;
mod operator;
mod outages;
mod pods;
mod real_engine;
mod runs;
mod services;
