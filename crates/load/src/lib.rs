//! The load generator: drives an OpenAI-compatible endpoint and records every request.
