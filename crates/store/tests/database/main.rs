//! The database, against every engine that there is a factory for: `support::fresh`.

mod audit;
mod claims;
mod conformance;
mod containers;
mod experiments;
mod files;
mod lists;
mod presets;
mod roundtrip;
mod runs;
mod support;
mod tasks;
mod tokens;
