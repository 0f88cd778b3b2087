//! Who it is that shows a token or a session.
//!
//! Every attempt costs the same: one hash, one search for it. A header counts before a cookie,
//! and a wrong header is not made good by a cookie.

use std::net::IpAddr;

use autotuner_store::{Database, StoreError, TokenRecord};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::secret::{self, Secret};
use super::{Access, Caller};
use crate::worker::chain;

/// How long a session lasts, in seconds.
const SESSION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A token that was used within this time is not put on record as used again.
const USED_LATELY_MS: i64 = 60_000;

/// Where a proxy says who asks.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A caller, and by what they were recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// Who.
    pub(crate) caller: Caller,
    /// Hash of the session's cookie, where it was that.
    pub(crate) session: Option<[u8; 32]>,
}

impl Access {
    /// From where a request comes: what the connection says, or what the proxy in front of us
    /// added last. Without a proxy anybody could write that header.
    pub(crate) fn client_address(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let forwarded = headers.get_all(FORWARDED_FOR).iter().next_back();
        let forwarded = forwarded
            .filter(|_| self.is_behind_proxy)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.rsplit(',').next())
            .and_then(|last| last.trim().parse::<IpAddr>().ok());
        forwarded.or(peer).map(|address| address.to_canonical())
    }

    /// Whether a request shows our cookie.
    pub(crate) fn has_cookie(&self, headers: &HeaderMap) -> bool {
        self.cookie_of(headers).is_some()
    }

    /// Who shows what is in these headers; nobody, where nothing good is shown.
    ///
    /// # Errors
    /// The database could not be asked.
    pub(crate) async fn recognise(
        &self,
        database: &Database,
        headers: &HeaderMap,
        address: Option<IpAddr>,
        now_ms: i64,
    ) -> Result<Option<Recognised>, StoreError> {
        let address = address.map(|address| address.to_string());
        if self.is_open {
            return Ok(Some(Recognised {
                caller: Caller::local(address),
                session: None,
            }));
        }
        let (record, session) = if headers.contains_key(AUTHORIZATION) {
            let shown = bearer(headers).unwrap_or_default();
            let record = database.token_with_hash(&secret::hash(shown), now_ms).await?;
            (record, None)
        } else if let Some(shown) = self.cookie_of(headers) {
            let hash = secret::hash(shown);
            (database.session(&hash, now_ms).await?, Some(hash))
        } else {
            (None, None)
        };
        if let Some(record) = &record
            && record
                .last_used_at_ms
                .is_none_or(|used| (now_ms - used).abs() >= USED_LATELY_MS)
            && let Err(error) = database.touch_token(record.id, now_ms).await
        {
            // Who may come in does so, also where it cannot be put on record.
            tracing::warn!("the use of a token is not put on record: {}", chain(&error));
        }
        Ok(record.map(|record| Recognised {
            caller: caller(record, address),
            session,
        }))
    }

    /// Begins a session with a token. Returns the caller and the cookie that is to be set;
    /// nothing where the token is not good.
    ///
    /// # Errors
    /// The database could not be asked, or the system has no random numbers.
    pub(crate) async fn begin_session(
        &self,
        database: &Database,
        token: &Secret,
        address: Option<IpAddr>,
        now_ms: i64,
    ) -> Result<Option<(Caller, HeaderValue)>, SessionError> {
        let Some(record) = database.token_with_hash(&token.hash(), now_ms).await? else {
            return Ok(None);
        };
        let id = record.id;
        let expires_at_ms = now_ms.saturating_add(SESSION_SECONDS * 1_000);
        let caller = caller(record, address.map(|address| address.to_string()));
        let value = Secret::session().map_err(SessionError::Random)?;
        let act = caller.act(now_ms);
        database
            .begin_session(&act, id, &value.hash(), expires_at_ms)
            .await?;
        Ok(Some((caller, self.set_cookie(value.reveal(), SESSION_SECONDS))))
    }

    /// The header that takes the cookie away.
    pub(crate) fn forget_cookie(&self) -> (HeaderName, HeaderValue) {
        (SET_COOKIE, self.set_cookie("", 0))
    }

    fn set_cookie(&self, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.is_behind_proxy { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
            self.cookie
        );
        let mut value = HeaderValue::from_str(&text).expect("made of visible ASCII only");
        value.set_sensitive(true);
        value
    }

    fn cookie_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie)
            .map(|(_, value)| value)
    }
}

/// Why no session could be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// The database could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to make a secret of.
    #[error("the system has no random numbers")]
    Random(#[source] getrandom::Error),
}

/// The token in the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim_start_matches(' '))
}

fn caller(record: TokenRecord, address: Option<String>) -> Caller {
    Caller {
        name: record.name,
        role: record.role,
        address,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_a_proxy_says_who_asks() {
        let check = |is_behind_proxy: bool, forwarded: &[&str], expected: &str| {
            let access = Access::new(Settings {
                is_behind_proxy,
                ..Settings::default()
            });
            let pairs: Vec<_> = forwarded.iter().map(|value| (FORWARDED_FOR, *value)).collect();
            let address = access.client_address(Some([127, 0, 0, 1].into()), &headers(&pairs));
            assert_eq!(
                address.unwrap().to_string(),
                expected,
                "{is_behind_proxy} {forwarded:?}"
            );
        };
        check(false, &[], "127.0.0.1");
        check(false, &["10.0.0.1"], "127.0.0.1");
        check(true, &[], "127.0.0.1");
        check(true, &["10.0.0.1"], "10.0.0.1");
        check(true, &["6.6.6.6, 10.0.0.1"], "10.0.0.1");
        check(true, &["6.6.6.6", "10.0.0.2"], "10.0.0.2");
        check(true, &["10.0.0.1, nonsense"], "127.0.0.1");
        check(true, &["::ffff:10.0.0.3"], "10.0.0.3");
    }

    #[test]
    fn one_bearer_token_is_read() {
        let check = |values: &[&str], expected: Option<&str>| {
            let pairs: Vec<_> = values.iter().map(|value| (AUTHORIZATION, *value)).collect();
            assert_eq!(bearer(&headers(&pairs)), expected, "{values:?}");
        };
        check(&["Bearer iat_x"], Some("iat_x"));
        check(&["bearer  iat_x"], Some("iat_x"));
        check(&["BEARER iat_x"], Some("iat_x"));
        check(&["Basic iat_x"], None);
        check(&["iat_x"], None);
        check(&["Bearer"], None);
        check(&["Bearer a", "Bearer b"], None);
        check(&[], None);
    }

    #[test]
    fn cookies_of_other_ports_are_not_ours() {
        let access = Access::default();
        let check = |values: &[&str], expected: Option<&str>| {
            let pairs: Vec<_> = values.iter().map(|value| (COOKIE, *value)).collect();
            assert_eq!(access.cookie_of(&headers(&pairs)), expected, "{values:?}");
        };
        check(&["autotuner_session_8000=a"], Some("a"));
        check(&["x=1; autotuner_session_8000=a; y=2"], Some("a"));
        check(&["x=1", "autotuner_session_8000=a"], Some("a"));
        check(&["autotuner_session_8001=a"], None);
        check(&["xautotuner_session_8000=a"], None);
        check(&["autotuner_session_8000"], None);
        check(&[], None);
    }

    #[test]
    fn a_cookie_is_for_this_service_only() {
        let text = |is_behind_proxy| {
            let access = Access::new(Settings {
                is_behind_proxy,
                ..Settings::default()
            });
            let cookie = access.set_cookie("v", 60);
            cookie.to_str().unwrap().to_owned()
        };
        let expected = "autotuner_session_8000=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict";
        assert_eq!(text(false), expected);
        assert_eq!(text(true), format!("{expected}; Secure"));
    }
}
