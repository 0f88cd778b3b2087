//! Which variables of an engine are nobody else's to see.
//!
//! Names are all there is to go by, so this errs towards hiding.

/// A variable as it may be shown. Secrets go to the engine and nowhere else.
pub(super) fn without_secret((name, value): (&String, &String)) -> (String, String) {
    const SECRET_WORDS: [&str; 7] = [
        "TOKEN",
        "KEY",
        "APIKEY",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "CREDENTIALS",
    ];
    let is_secret = name
        .split('_')
        .any(|word| SECRET_WORDS.contains(&word.to_ascii_uppercase().as_str()));
    let shown = if is_secret { "***" } else { value };
    (name.clone(), shown.to_owned())
}
