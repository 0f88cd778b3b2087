//! `tiny-model`: writes a small random model for a real engine to serve.
//!
//! A thin face of the library: it turns flags into a recipe and prints what came of it.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use autotuner_tiny_model::{Recipe, Summary, WeightType, write_gguf};
use clap::{Parser, ValueEnum};

/// Write a small random-weight llama model that llama.cpp loads and serves
///
/// The model says plain English words at random, one token each, and never stops early: it is for
/// measuring an engine, not for reading. The same flags always make the same file.
#[derive(Debug, Parser)]
#[command(name = "tiny-model", version)]
struct Flags {
    /// Where to write the model; missing folders are made, an old file is replaced
    #[arg(value_name = "OUT.gguf")]
    out: PathBuf,
    /// How large a model to make
    #[arg(long, value_enum, default_value_t = Size::Tiny)]
    size: Size,
    /// The number format of its matrices
    #[arg(long, value_enum, default_value_t = Weights::Q8_0)]
    weights: Weights,
    /// Where the random weights start
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Size {
    /// About 2 million parameters: as quick as an engine gets
    Tiny,
    /// About 30 million parameters: enough work that settings matter
    Small,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Weights {
    /// Two bytes a weight
    #[value(name = "f16")]
    F16,
    /// Eight bits a weight
    #[value(name = "q8_0")]
    Q8_0,
    /// Four bits a weight
    #[value(name = "q4_0")]
    Q4_0,
}

fn main() -> anyhow::Result<()> {
    let Flags {
        out,
        size,
        weights,
        seed,
    } = Flags::parse();
    let preset = match size {
        Size::Tiny => Recipe::tiny(),
        Size::Small => Recipe::small(),
    };
    let weights = match weights {
        Weights::F16 => WeightType::F16,
        Weights::Q8_0 => WeightType::Q8_0,
        Weights::Q4_0 => WeightType::Q4_0,
    };
    let recipe = Recipe {
        weights,
        seed,
        ..preset
    };
    let Summary {
        parameters,
        tensors,
        vocabulary,
        bytes,
    } = write_gguf(&recipe, &out)
        .with_context(|| format!("no model was written to {}", out.display()))?;
    writeln!(
        io::stdout(),
        "{}: {parameters} parameters in {tensors} tensors, {vocabulary} tokens, {bytes} bytes",
        out.display()
    )
    .context("could not print the summary")
}
