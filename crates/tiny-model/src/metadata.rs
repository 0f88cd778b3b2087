//! What a model file says about its model, in the keys that llama-architecture readers look for.

use crate::gguf::Value;
use crate::recipe::{Recipe, WeightType};
use crate::vocabulary::{TokenKind, vocabulary};

/// Turns a conversation into text. A space before each message makes its first word the same token
/// as its other words.
const CHAT_TEMPLATE: &str = "{% for message in messages %}\
    {{ ('<|assistant|> ' if message['role'] == 'assistant' else '<|user|> ') + message['content'] }}\
    {% endfor %}\
    {% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/// The number of a weight type among ggml's number formats.
pub(crate) fn format_number(weights: WeightType) -> u32 {
    match weights {
        WeightType::F16 => 1,
        WeightType::Q8_0 => 8,
        WeightType::Q4_0 => 2,
    }
}

/// ggml's number for single precision.
pub(crate) const SINGLE_PRECISION: u32 = 0;

/// Every key with its value, in the order of the file.
pub(crate) fn pairs(recipe: &Recipe) -> Vec<(&'static str, Value)> {
    let Recipe {
        width,
        layers,
        heads,
        key_value_heads,
        feed_forward,
        context,
        weights,
        seed: _,
    } = *recipe;
    // The number of "mostly this format", which is not the format's own number.
    let file_type = match weights {
        WeightType::F16 => 1,
        WeightType::Q8_0 => 7,
        WeightType::Q4_0 => 2,
    };
    let mut pairs = vec![
        ("general.architecture", Value::String("llama".to_owned())),
        ("general.name", Value::String(name(recipe))),
        ("general.file_type", Value::U32(file_type)),
        ("general.quantization_version", Value::U32(2)),
        ("llama.context_length", Value::U32(context)),
        ("llama.embedding_length", Value::U32(width)),
        ("llama.block_count", Value::U32(layers)),
        ("llama.feed_forward_length", Value::U32(feed_forward)),
        ("llama.attention.head_count", Value::U32(heads)),
        ("llama.attention.head_count_kv", Value::U32(key_value_heads)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        (
            "llama.rope.dimension_count",
            Value::U32(recipe.head_width()),
        ),
        ("llama.rope.freq_base", Value::F32(10_000.0)),
    ];
    pairs.extend(tokenizer_pairs());
    pairs
}

/// The model's name: its size and its seed.
fn name(recipe: &Recipe) -> String {
    let millions = recipe.parameters() as f64 / 1e6;
    format!("random-llama-{millions:.1}m-seed{}", recipe.seed)
}

fn tokenizer_pairs() -> Vec<(&'static str, Value)> {
    const NORMAL: i32 = 1;
    const CONTROL: i32 = 3;
    let vocabulary = vocabulary();
    let names = vocabulary
        .tokens
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let kinds = vocabulary
        .tokens
        .iter()
        .map(|(_, kind)| match kind {
            TokenKind::Piece | TokenKind::SpacedWord => NORMAL,
            TokenKind::Special => CONTROL,
        })
        .collect();
    let size = u32::try_from(vocabulary.tokens.len()).expect("a short list");
    vec![
        ("llama.vocab_size", Value::U32(size)),
        ("tokenizer.ggml.model", Value::String("gpt2".to_owned())),
        ("tokenizer.ggml.pre", Value::String("gpt-2".to_owned())),
        ("tokenizer.ggml.tokens", Value::Strings(names)),
        ("tokenizer.ggml.token_type", Value::I32s(kinds)),
        (
            "tokenizer.ggml.merges",
            Value::Strings(vocabulary.merges.clone()),
        ),
        (
            "tokenizer.ggml.bos_token_id",
            Value::U32(vocabulary.special("<|startoftext|>")),
        ),
        (
            "tokenizer.ggml.eos_token_id",
            Value::U32(vocabulary.special("<|endoftext|>")),
        ),
        ("tokenizer.ggml.add_bos_token", Value::Bool(true)),
        (
            "tokenizer.chat_template",
            Value::String(CHAT_TEMPLATE.to_owned()),
        ),
    ]
}
