//! The subjects of flags: which there are, and what each affects.
//!
//! The one idea: a flag's effect is told once for its subject. Nothing here knows a flag.

/// What flags are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// How much memory is taken, and for what.
    Memory,
    /// What is computed together, and in which order.
    Batching,
    /// How devices and threads share the work.
    Parallel,
    /// What is kept of earlier computing.
    Cache,
    /// Which code computes.
    Kernels,
    /// Guessing tokens ahead.
    Speculative,
    /// Number types of weights and activations.
    Quantization,
    /// How the model is found and read.
    Loading,
    /// What the server answers, logs and offers.
    Serving,
}

impl Group {
    /// Every group, in the order in which they are listed to users.
    pub const ALL: [Self; 9] = [
        Self::Memory,
        Self::Batching,
        Self::Parallel,
        Self::Cache,
        Self::Kernels,
        Self::Speculative,
        Self::Quantization,
        Self::Loading,
        Self::Serving,
    ];

    /// A word for listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Batching => "batching",
            Self::Parallel => "parallel",
            Self::Cache => "cache",
            Self::Kernels => "kernels",
            Self::Speculative => "speculative",
            Self::Quantization => "quantization",
            Self::Loading => "loading",
            Self::Serving => "serving",
        }
    }

    /// What its flags affect, in one line.
    pub fn affects(self) -> &'static str {
        match self {
            Self::Memory => "how many requests fit at once, and whether the engine starts at all",
            Self::Batching => "throughput against the time to the first and to the next token",
            Self::Parallel => "how many GPUs one experiment takes, and how fast one request is",
            Self::Cache => "the time to the first token where prompts share a beginning",
            Self::Kernels => "speed, and which hardware and models work",
            Self::Speculative => "the time per token, at the price of throughput",
            Self::Quantization => "memory and speed, and the quality of answers",
            Self::Loading => "how long the engine takes to start",
            Self::Serving => "what the server offers; rarely its speed",
        }
    }
}
