//! The OpenAPI document, from the handlers.
