//! Tells cargo when the program has to be built anew although no Rust file has changed.
//!
//! A release holds the web UI's files inside, so it is made of them; a debug build reads them
//! from their folder whenever they are asked for.

#[expect(
    clippy::disallowed_methods,
    reason = "this is how cargo and its build scripts speak to each other"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../../ui/dist");
    }
}
