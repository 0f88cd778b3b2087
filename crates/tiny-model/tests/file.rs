//! Reads written files back with a reader of its own, made after the GGUF specification.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use autotuner_tiny_model::{Recipe, Summary, WeightType, WriteModelError, words, write_gguf};

const EVERY_TYPE: [WeightType; 3] = [WeightType::F16, WeightType::Q8_0, WeightType::Q4_0];

/// What a key holds.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    String(String),
    Strings(Vec<String>),
    I32s(Vec<i32>),
}

/// A line of the tensor table, and the tensor's bytes.
struct Tensor<'a> {
    dimensions: Vec<u64>,
    format: u32,
    bytes: &'a [u8],
}

/// A whole file, taken apart.
struct Model<'a> {
    pairs: BTreeMap<String, Value>,
    tensors: BTreeMap<String, Tensor<'a>>,
}

/// What is left to read of a file.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().expect("eight bytes"))
    }

    fn string(&mut self) -> String {
        let length = self.u64() as usize;
        String::from_utf8(self.take(length).to_vec()).expect("text")
    }

    fn value(&mut self) -> Value {
        match self.u32() {
            4 => Value::U32(self.u32()),
            6 => Value::F32(f32::from_bits(self.u32())),
            7 => Value::Bool(self.take(1) == [1]),
            8 => Value::String(self.string()),
            9 => {
                let (kind, count) = (self.u32(), self.u64());
                match kind {
                    5 => Value::I32s((0..count).map(|_| self.u32().cast_signed()).collect()),
                    8 => Value::Strings((0..count).map(|_| self.string()).collect()),
                    other => panic!("a list of type {other}"),
                }
            }
            other => panic!("a value of type {other}"),
        }
    }
}

/// Bytes of one row in a number format of ggml's.
fn row_bytes(format: u32, length: u64) -> u64 {
    match format {
        0 => length * 4,
        1 => length * 2,
        2 => length / 32 * 18,
        8 => length / 32 * 34,
        other => panic!("number format {other}"),
    }
}

fn read(file: &[u8]) -> Model<'_> {
    let mut cursor = Cursor(file);
    assert_eq!(cursor.take(4), b"GGUF");
    assert_eq!(cursor.u32(), 3);
    let (tensor_count, pair_count) = (cursor.u64(), cursor.u64());
    let pairs: BTreeMap<_, _> = (0..pair_count)
        .map(|_| (cursor.string(), cursor.value()))
        .collect();
    assert_eq!(pairs.len() as u64, pair_count, "each key once");
    let table: Vec<_> = (0..tensor_count)
        .map(|_| {
            let name = cursor.string();
            let dimensions: Vec<u64> = (0..cursor.u32()).map(|_| cursor.u64()).collect();
            (name, dimensions, cursor.u32(), cursor.u64())
        })
        .collect();
    let begin = (file.len() - cursor.0.len()).next_multiple_of(32);
    let data = &file[begin..];
    let mut end = 0;
    let tensors = table
        .into_iter()
        .map(|(name, dimensions, format, offset)| {
            assert_eq!(
                offset,
                u64::next_multiple_of(end, 32),
                "{name} follows the one before"
            );
            let rows: u64 = dimensions[1..].iter().product();
            end = offset + row_bytes(format, dimensions[0]) * rows;
            let bytes = &data[offset as usize..end as usize];
            (
                name,
                Tensor {
                    dimensions,
                    format,
                    bytes,
                },
            )
        })
        .collect();
    assert_eq!(
        data.len() as u64,
        end.next_multiple_of(32),
        "nothing after the last tensor"
    );
    Model { pairs, tensors }
}

/// Writes a model into a folder of its own; the bytes and what the writer said of them.
fn written(recipe: &Recipe) -> (Vec<u8>, Summary) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    let summary = write_gguf(recipe, &path).expect("a model");
    (fs::read(&path).expect("the model"), summary)
}

#[test]
fn the_header_says_what_the_recipe_said() {
    let (file, _) = written(&Recipe::tiny());
    let pairs = read(&file).pairs;
    for (key, expected) in [
        ("general.architecture", Value::String("llama".to_owned())),
        ("general.file_type", Value::U32(7)),
        ("llama.embedding_length", Value::U32(128)),
        ("llama.block_count", Value::U32(4)),
        ("llama.feed_forward_length", Value::U32(384)),
        ("llama.context_length", Value::U32(8192)),
        ("llama.attention.head_count", Value::U32(4)),
        ("llama.attention.head_count_kv", Value::U32(2)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        ("llama.rope.dimension_count", Value::U32(32)),
        ("tokenizer.ggml.model", Value::String("gpt2".to_owned())),
        ("tokenizer.ggml.pre", Value::String("gpt-2".to_owned())),
        ("tokenizer.ggml.add_bos_token", Value::Bool(true)),
    ] {
        assert_eq!(pairs[key], expected, "{key}");
    }
}

#[test]
fn the_vocabulary_is_whole() {
    let (file, summary) = written(&Recipe::tiny());
    let Model { pairs, tensors } = read(&file);
    let Value::Strings(tokens) = &pairs["tokenizer.ggml.tokens"] else {
        panic!("a list")
    };
    let Value::I32s(kinds) = &pairs["tokenizer.ggml.token_type"] else {
        panic!("a list")
    };
    let Value::Strings(merges) = &pairs["tokenizer.ggml.merges"] else {
        panic!("a list")
    };
    assert_eq!(tokens.len(), summary.vocabulary);
    assert_eq!(kinds.len(), tokens.len());
    assert_eq!(merges.len(), tokens.len() - 256 - 4);
    assert_eq!(pairs["llama.vocab_size"], Value::U32(tokens.len() as u32));
    assert_eq!(
        tensors["token_embd.weight"].dimensions,
        [128, tokens.len() as u64]
    );
    assert_eq!(
        tensors["output.weight"].dimensions,
        [128, tokens.len() as u64]
    );
    for (key, token) in [
        ("tokenizer.ggml.bos_token_id", "<|startoftext|>"),
        ("tokenizer.ggml.eos_token_id", "<|endoftext|>"),
    ] {
        let Value::U32(id) = pairs[key] else {
            panic!("a number")
        };
        assert_eq!(tokens[id as usize], token);
        assert_eq!(kinds[id as usize], 3, "{token} is a control token");
    }
    assert!(words().all(|word| tokens.contains(&format!("Ġ{word}"))));
}

#[test]
fn matrices_have_the_weight_type_and_vectors_are_single_precision() {
    for (weights, format) in EVERY_TYPE.into_iter().zip([1, 8, 2]) {
        let (file, summary) = written(&Recipe {
            weights,
            ..Recipe::tiny()
        });
        let tensors = read(&file).tensors;
        assert_eq!(tensors.len(), summary.tensors);
        assert_eq!(file.len() as u64, summary.bytes);
        let elements = |tensor: &Tensor<'_>| tensor.dimensions.iter().product::<u64>();
        assert_eq!(
            tensors.values().map(elements).sum::<u64>(),
            summary.parameters
        );
        for (name, tensor) in &tensors {
            let is_vector = name.contains("norm");
            assert_eq!(
                tensor.dimensions.len(),
                if is_vector { 1 } else { 2 },
                "{name}"
            );
            assert_eq!(tensor.format, if is_vector { 0 } else { format }, "{name}");
        }
        assert_eq!(tensors["blk.3.ffn_down.weight"].dimensions, [384, 128]);
        assert_eq!(tensors["blk.0.attn_k.weight"].dimensions, [128, 64]);
        let ones = 1.0_f32.to_le_bytes().repeat(128);
        assert_eq!(tensors["output_norm.weight"].bytes, ones);
    }
}

#[test]
fn equal_recipes_make_equal_files_and_others_do_not() {
    let model = |recipe: Recipe| written(&recipe).0;
    for weights in EVERY_TYPE {
        let recipe = Recipe {
            weights,
            ..Recipe::tiny()
        };
        assert!(
            model(recipe.clone()) == model(recipe.clone()),
            "{weights:?}"
        );
        assert!(
            model(recipe.clone()) != model(Recipe { seed: 2, ..recipe }),
            "{weights:?}"
        );
    }
}

#[test]
fn a_file_is_the_same_today_as_it_was() {
    /// The FNV-1a hash, whose definition will not change under us.
    fn hash(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
    // Whoever changes the words, the sizes or the generator changes every measurement that was
    // ever taken with a model of ours, and says so by changing this number.
    assert_eq!(
        hash(&written(&Recipe::tiny()).0),
        4_373_120_627_529_106_622,
        "the tiny model has changed"
    );
}

#[test]
fn an_old_file_is_replaced_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/model.gguf");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "not a model").unwrap();
    let summary = write_gguf(&Recipe::tiny(), &path).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), summary.bytes);
    assert_eq!(
        metadata.permissions().mode() & 0o444,
        0o444,
        "anyone may read it"
    );
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = Recipe {
        heads: 3,
        ..Recipe::tiny()
    };
    let error = write_gguf(&wrong, &folder.path().join("model.gguf")).unwrap_err();
    assert!(matches!(error, WriteModelError::Recipe { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    let error = write_gguf(&Recipe::tiny(), &taken).unwrap_err();
    assert!(matches!(error, WriteModelError::Rename { .. }), "{error}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "only the folder that was there"
    );

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = write_gguf(&Recipe::tiny(), &file.join("model.gguf")).unwrap_err();
    assert!(
        matches!(error, WriteModelError::MakeFolder { .. }),
        "{error}"
    );
}
