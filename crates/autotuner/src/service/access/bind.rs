//! Whether the service may listen where it was asked to, and what to warn of.
//!
//! Pure, so that the whole decision is one table. Whoever reaches the service can start a
//! container with any arguments; a service that others can reach without showing who they are
//! does not start.

use std::net::IpAddr;

/// What is to be said before listening begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindNotice {
    /// Nothing: only this machine reaches the service, or a proxy encrypts what goes over the
    /// network.
    Nothing,
    /// Callers show who they are, but over a network that others may listen to.
    Unencrypted,
    /// Whoever a proxy lets through is an administrator.
    OpenBehindProxy,
}

impl BindNotice {
    /// One line for people; nothing where there is nothing to say.
    pub(crate) fn text(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Unencrypted => Some(
                "tokens and results go over the network unencrypted; put a proxy that speaks TLS in front \
                 and pass --behind-proxy, or listen on 127.0.0.1 and use an SSH tunnel",
            ),
            Self::OpenBehindProxy => Some(
                "nobody is asked for a token: whoever the proxy lets through is an administrator, \
                 so the proxy must ask who they are",
            ),
        }
    }
}

/// Why the service does not listen there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BindRefusal {
    /// Others would reach it, and nobody would be asked who they are.
    #[error(
        "refusing to listen on {host} without authentication: whoever reaches the service can run any program \
         on this machine. Leave out --no-auth, or listen on 127.0.0.1"
    )]
    Open {
        /// Where it was asked to listen.
        host: String,
    },
}

/// Decides about listening on a host, as the command line names it.
///
/// # Errors
/// Others than this machine could reach it and nobody would be asked who they are.
pub(crate) fn decide(host: &str, no_auth: bool, behind_proxy: bool) -> Result<BindNotice, BindRefusal> {
    match (is_loopback(host), no_auth, behind_proxy) {
        (true, true, true) => Ok(BindNotice::OpenBehindProxy),
        (true, ..) | (false, false, true) => Ok(BindNotice::Nothing),
        (false, false, false) => Ok(BindNotice::Unencrypted),
        (false, true, _) => Err(BindRefusal::Open {
            host: host.to_owned(),
        }),
    }
}

/// Whether only this machine can reach what listens there. A name is not looked up: what it
/// stands for may change.
fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_be_reached_by_others_asks_who_they_are() {
        use BindNotice::{Nothing, OpenBehindProxy, Unencrypted};
        let check = |host: &str, no_auth, behind_proxy, expected: Option<BindNotice>| {
            let decided = decide(host, no_auth, behind_proxy);
            assert_eq!(
                decided.clone().ok(),
                expected,
                "{host} {no_auth} {behind_proxy}: {decided:?}"
            );
        };
        for host in [
            "127.0.0.1",
            "127.8.9.10",
            "localhost",
            "LocalHost",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
        ] {
            check(host, false, false, Some(Nothing));
            check(host, false, true, Some(Nothing));
            check(host, true, false, Some(Nothing));
            check(host, true, true, Some(OpenBehindProxy));
        }
        for host in [
            "0.0.0.0",
            "::",
            "[::]",
            "192.168.1.5",
            "10.0.0.1",
            "8.8.8.8",
            "2001:db8::1",
            "tuner",
            "localhost.example",
            "127.0.0.1.example",
            "127.1",
            "",
            "::ffff:10.0.0.1",
        ] {
            check(host, false, false, Some(Unencrypted));
            check(host, false, true, Some(Nothing));
            check(host, true, false, None);
            check(host, true, true, None);
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let text = decide("0.0.0.0", true, false).unwrap_err().to_string();
        assert!(text.contains("0.0.0.0") && text.contains("--no-auth"), "{text}");
    }
}
