//! A simulated inference engine: continuous batching over an OpenAI-compatible API.
