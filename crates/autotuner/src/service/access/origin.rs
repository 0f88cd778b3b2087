//! Whether another site's page asks in a person's name.
//!
//! Browsers say from where a request comes (`Origin`, `Sec-Fetch-Site`) and cannot be made to
//! lie by a page. A request that changes something, or opens a socket, must come from our own
//! pages or from no page at all. Pure: the decision is a table over what was sent.

use std::fmt;

use axum::http::header::{AUTHORIZATION, ORIGIN, UPGRADE};
use axum::http::{HeaderMap, HeaderName, Method};

use super::hosts::{Authority, HostList};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// How a request shows who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A header that no browser adds by itself.
    Header,
    /// A cookie, which browsers add by themselves.
    Cookie,
    /// Not at all.
    Nothing,
}

/// A request as far as this matters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The host that it names, which is known to be ours.
    pub(crate) host: &'a Authority,
    /// How it shows who asks.
    pub(crate) credential: Credential,
}

/// Why a request is taken for another site's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// The browser says that another site's page asks.
    Site,
    /// Its origin is not ours.
    Origin,
    /// It shows a cookie and says nothing of where it comes from.
    Unsaid,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Site => "This was asked by another site's page",
            Self::Origin => "This was asked from an origin that is not this service's",
            Self::Unsaid => "A change that shows a cookie must say where it comes from",
        })
    }
}

/// Whether a method changes nothing.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// How these headers show who asks. A header counts before a cookie, whatever is in it.
pub(crate) fn credential(headers: &HeaderMap, has_cookie: bool) -> Credential {
    match (headers.contains_key(AUTHORIZATION), has_cookie) {
        (true, _) => Credential::Header,
        (false, true) => Credential::Cookie,
        (false, false) => Credential::Nothing,
    }
}

/// Refuses what another site's page asks for.
///
/// # Errors
/// Why it is taken for that.
pub(crate) fn check(asked: &Asked<'_>, hosts: &HostList, is_behind_proxy: bool) -> Result<(), Foreign> {
    let Asked {
        method,
        headers,
        host,
        credential,
    } = *asked;
    let is_change = !is_safe(method) || headers.contains_key(UPGRADE);
    let site = one(headers, &SITE);
    let is_from_elsewhere = !matches!(site, One::None | One::Text("same-origin" | "none"));
    // Following a link from elsewhere to look at something is what links are for.
    let is_link = !is_change && matches!(one(headers, &MODE), One::Text("navigate"));
    if is_from_elsewhere && !is_link {
        return Err(Foreign::Site);
    }
    if !is_change || credential == Credential::Header {
        return Ok(());
    }
    match one(headers, &ORIGIN) {
        One::Text(origin) if is_own(origin, host, hosts, is_behind_proxy) => Ok(()),
        One::Text(_) | One::Odd => Err(Foreign::Origin),
        One::None if credential == Credential::Cookie && matches!(site, One::None) => Err(Foreign::Unsaid),
        One::None => Ok(()),
    }
}

/// Whether an origin is this service's: the host that the request names, or one that the
/// operator added where a proxy changes that name.
fn is_own(origin: &str, host: &Authority, hosts: &HostList, is_behind_proxy: bool) -> bool {
    let (rest, usual) = if let Some(rest) = origin.strip_prefix("http://") {
        (rest, 80)
    } else if let Some(rest) = origin.strip_prefix("https://").filter(|_| is_behind_proxy) {
        (rest, 443)
    } else {
        return false;
    };
    let Ok(origin) = rest.parse::<Authority>() else {
        return false;
    };
    let is_same = origin.host == host.host && origin.port.unwrap_or(usual) == host.port.unwrap_or(usual);
    is_same || (is_behind_proxy && hosts.is_added(&origin))
}

/// What a header says that may be there once.
enum One<'a> {
    None,
    Text(&'a str),
    /// It is there twice, or is no text.
    Odd,
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> One<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => One::None,
        (Some(value), None) => value.to_str().map_or(One::Odd, One::Text),
        (Some(_), Some(_)) => One::Odd,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// `name: value` pairs, one a line.
    fn headers(text: &str) -> HeaderMap {
        text.lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            })
    }

    fn decide(method: &Method, text: &str, credential: Credential, proxied: Option<&str>) -> Option<Foreign> {
        let host = proxied.unwrap_or("localhost:8000").parse().unwrap();
        let added = vec!["tuner.example".parse().unwrap()];
        let hosts = HostList::new(
            "127.0.0.1:8000".parse().unwrap(),
            "127.0.0.1",
            added,
            proxied.is_some(),
        );
        let headers = headers(text);
        let asked = Asked {
            method,
            headers: &headers,
            host: &host,
            credential,
        };
        check(&asked, &hosts, proxied.is_some()).err()
    }

    #[test]
    fn changes_come_from_our_own_pages_or_from_none() {
        use Credential::{Cookie, Header, Nothing};
        let check = |text: &str, by_cookie, by_header, by_nothing| {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(
                    decide(&method, text, Cookie, None),
                    by_cookie,
                    "{method} cookie {text}"
                );
                assert_eq!(
                    decide(&method, text, Header, None),
                    by_header,
                    "{method} header {text}"
                );
                assert_eq!(
                    decide(&method, text, Nothing, None),
                    by_nothing,
                    "{method} nothing {text}"
                );
            }
        };
        let foreign = Some(Foreign::Origin);
        let site = Some(Foreign::Site);
        check("", Some(Foreign::Unsaid), None, None);
        check("Origin: http://localhost:8000", None, None, None);
        check("Sec-Fetch-Site: same-origin", None, None, None);
        check("Sec-Fetch-Site: none", None, None, None);
        check(
            "Origin: http://localhost:8000\nSec-Fetch-Site: same-origin",
            None,
            None,
            None,
        );
        for origin in [
            "null",
            "http://evil.com",
            "https://localhost:8000",
            "http://localhost",
            "http://localhost:8001",
            "http://localhost:8000/",
            "http://localhost:8000@evil.com",
            "http://127.0.0.1:8000",
            "http://localhost.:8000",
            "localhost:8000",
            "file://",
            "http://tuner.example:8000",
        ] {
            check(&format!("Origin: {origin}"), foreign, None, foreign);
            check(
                &format!("Origin: {origin}\nSec-Fetch-Site: same-origin"),
                foreign,
                None,
                foreign,
            );
        }
        check(
            "Origin: http://localhost:8000\nOrigin: http://localhost:8000",
            foreign,
            None,
            foreign,
        );
        for elsewhere in ["cross-site", "same-site", "odd", ""] {
            check(&format!("Sec-Fetch-Site: {elsewhere}"), site, site, site);
            check(
                &format!("Sec-Fetch-Site: {elsewhere}\nOrigin: http://localhost:8000"),
                site,
                site,
                site,
            );
            check(
                &format!("Sec-Fetch-Site: {elsewhere}\nSec-Fetch-Mode: navigate"),
                site,
                site,
                site,
            );
        }
    }

    #[test]
    fn looking_is_free_but_not_for_other_pages_scripts() {
        let check = |text: &str, expected| {
            for method in [Method::GET, Method::HEAD] {
                for credential in [Credential::Cookie, Credential::Nothing] {
                    assert_eq!(
                        decide(&method, text, credential, None),
                        expected,
                        "{method} {text}"
                    );
                }
            }
        };
        check("", None);
        check("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate", None);
        check(
            "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors",
            Some(Foreign::Site),
        );
        check("Sec-Fetch-Site: same-site", Some(Foreign::Site));
    }

    #[test]
    fn a_socket_is_opened_by_our_own_pages_only() {
        let check = |text: &str, credential, expected| {
            let text = format!("Upgrade: websocket\n{text}");
            assert_eq!(decide(&Method::GET, &text, credential, None), expected, "{text}");
        };
        check("Origin: http://localhost:8000", Credential::Cookie, None);
        check(
            "Origin: http://localhost:3000",
            Credential::Cookie,
            Some(Foreign::Origin),
        );
        check(
            "Origin: http://evil.com",
            Credential::Nothing,
            Some(Foreign::Origin),
        );
        check("", Credential::Cookie, Some(Foreign::Unsaid));
        check("", Credential::Nothing, None);
        check("", Credential::Header, None);
    }

    #[test]
    fn behind_a_proxy_our_pages_are_https() {
        let check = |host: &str, origin: &str, expected| {
            let text = format!("Origin: {origin}");
            let decided = decide(&Method::POST, &text, Credential::Cookie, Some(host));
            assert_eq!(decided, expected, "{host} {origin}");
        };
        let foreign = Some(Foreign::Origin);
        check("tuner.example", "https://tuner.example", None);
        check("tuner.example", "http://tuner.example", None);
        check("tuner.example", "https://tuner.example:443", None);
        check("localhost:8000", "https://tuner.example", None);
        check("tuner.example", "https://tuner.example:8443", foreign);
        check("tuner.example", "https://evil.example", foreign);
        check("tuner.example:80", "https://tuner.example", None);
    }
}
