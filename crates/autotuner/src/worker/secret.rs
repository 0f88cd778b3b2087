//! Which variables of an engine are nobody else's to see.
//!
//! Names are all there is to go by, so this errs towards hiding.

/// A variable as it may be shown. Secrets go to the engine and nowhere else.
pub(super) fn without_secret((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), shown(name, value))
}

/// What is shown in the place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// The value of a variable as it may be shown.
pub(crate) fn shown(name: &str, value: &str) -> String {
    if is_secret(name) {
        HIDDEN.to_owned()
    } else {
        without_logins(value)
    }
}

/// Whether a variable of this name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    const SECRET_WORDS: [&str; 7] = [
        "TOKEN",
        "KEY",
        "APIKEY",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "CREDENTIALS",
    ];
    name.split('_')
        .any(|word| SECRET_WORDS.contains(&word.to_ascii_uppercase().as_str()))
}

/// A text without who logs in, and with what, in any of its URLs: a proxy's often have both.
pub(crate) fn without_logins(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("://");
        let end = part.find(['/', '?', '#', ',', ' ']).unwrap_or(part.len());
        let (authority, rest) = part.split_at(end);
        match authority.rsplit_once('@') {
            Some((_login, host)) => shown.extend(["***@", host]),
            None => shown.push_str(authority),
        }
        shown.push_str(rest);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let check = |name: &str, value: &str, expected: &str| {
            let (_, shown) = without_secret((&name.to_owned(), &value.to_owned()));
            assert_eq!(shown, expected, "{name}={value}");
        };
        check("HF_TOKEN", "hf_x", "***");
        check("my_api_key", "x", "***");
        check("TOKENIZERS_PARALLELISM", "false", "false");
        check(
            "HTTPS_PROXY",
            "http://me:secret@proxy:3128",
            "http://***@proxy:3128",
        );
        check("HTTPS_PROXY", "http://proxy:3128/", "http://proxy:3128/");
        check(
            "INDEX",
            "https://token@host/a@b?c=d@e",
            "https://***@host/a@b?c=d@e",
        );
        check("SEVERAL", "http://a:b@c,http://d", "http://***@c,http://d");
        check("ODD", "://@", "://***@");
        check("MAIL", "me@example.com", "me@example.com");
    }
}
