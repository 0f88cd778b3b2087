//! Makes small random-weight GGUF models for tests with a real engine.
