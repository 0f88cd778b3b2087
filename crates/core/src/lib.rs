//! The pure brain of Inference Autotuner: what to try, what it means, what to do next.
