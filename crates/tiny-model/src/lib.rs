//! Makes small language models that a real inference engine loads and serves.
//!
//! A test or an example with a real `llama-server` needs a model file, and fetching one needs a
//! hub, a licence and time. This crate writes one instead: a llama-architecture GGUF file with
//! random weights, in milliseconds, byte for byte the same for the same [`Recipe`].
//!
//! The one idea is that random weights are enough if two things are not random. The *vocabulary*
//! knows about 1,600 plain English words, each of them one token, so a prompt of such words has as
//! many tokens as words. And the *output layer* has a fixed bias that lets the model say nothing
//! but these words: it never ends early, and every token it makes is printable text of its own, so
//! a server streams exactly one piece of text for each token that was asked for.
//!
//! What it deliberately does not do: make sense (the text is a word salad), train anything, read
//! model files, or know any other architecture. The file layout follows version 3 of the GGUF
//! specification of the ggml project.

mod gguf;
mod metadata;
mod quantize;
mod random;
mod recipe;
mod tensors;
mod vocabulary;
mod write;

pub use recipe::{Recipe, RecipeProblem, WeightType};
pub use vocabulary::words;
pub use write::{Summary, WriteModelError, write_gguf};
