//! Pages and their files as browsers and programs are given them.

use std::io::Read as _;

use axum::body::{Bytes, to_bytes};
use axum::http::Request;
use axum::http::header::{IF_NONE_MATCH, LOCATION, SET_COOKIE};
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use super::*;
use crate::api::serve::app;
use crate::service::access::Settings;
use crate::service::testing::TestService;

/// What a browser that opens a page says of what it wants.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).unwrap();
        (name.clone(), value)
    });
    pairs.collect()
}

fn file(path: &str, content: &'static [u8]) -> File {
    File::new(path, Bytes::from_static(content), Sha256::digest(content).into())
}

async fn body(response: Response) -> Bytes {
    to_bytes(response.into_body(), usize::MAX).await.unwrap()
}

fn header<'a>(response: &'a Response, name: &HeaderName) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// Asks a new service for something, as nobody, with these headers.
async fn ask(method: Method, path: &str, shown: &[(HeaderName, &str)]) -> Response {
    let test = TestService::new(Settings::default()).await;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    *request.headers_mut() = headers(shown);
    let host = HeaderValue::from_static("localhost:8000");
    request.headers_mut().insert("host", host);
    app(test.service.clone()).oneshot(request).await.unwrap()
}

#[test]
fn browsers_want_pages_and_programs_want_data() {
    let check = |accept: &[&str], expected: bool| {
        let pairs: Vec<_> = accept.iter().map(|value| (ACCEPT, *value)).collect();
        let mut shown = HeaderMap::new();
        for (name, value) in pairs {
            shown.append(name, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(wants_page(&shown), expected, "{accept:?}");
    };
    check(&[], false);
    check(&["*/*"], false);
    check(&["application/json"], false);
    check(&[BROWSER], true);
    check(&["text/html;q=0.9"], true);
    check(&["application/xml", "text/html"], true);
    check(&["text/html, application/json"], true);
    check(&["application/json, text/html"], false);
    check(&["application/json", "text/html"], false);
    check(&["text/*"], false);
    check(&["text/htmlx"], false);
}

#[test]
fn gzip_is_sent_to_whoever_takes_it() {
    let check = |accepted: &str, expected: bool| {
        let shown = headers(&[(ACCEPT_ENCODING, accepted)]);
        assert_eq!(accepts_gzip(&shown), expected, "{accepted}");
    };
    check("", false);
    check("gzip", true);
    check("gzip, deflate, br, zstd", true);
    check("br;q=1.0, GZIP;q=0.2", true);
    check("gzip;q=0", false);
    check("gzip; q=0.000", false);
    check("gzip;q=much", false);
    check("*", true);
    check("*;q=0", false);
    check("gzip;q=0, *", false);
    check("br", false);
    check("x-gzip", false);
}

#[tokio::test]
async fn files_with_a_digest_in_their_name_are_kept_for_ever_and_others_asked_for_again() {
    let check = async |path: &str, cached: &str, vary: &str| {
        let response = answer(&Method::GET, &HeaderMap::new(), file(path, b"x")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, &CACHE_CONTROL), cached, "{path}");
        assert_eq!(header(&response, &VARY), vary, "{path}");
        assert_eq!(header(&response, &CONTENT_LENGTH), "1");
        assert_eq!(body(response).await, "x");
    };
    check("assets/a-1.js", FOR_EVER, "accept-encoding").await;
    check("theme.js", ASK_AGAIN, "accept, accept-encoding").await;
    check("index.html", ASK_AGAIN, "accept, accept-encoding").await;
}

#[tokio::test]
async fn a_file_is_packed_for_whoever_takes_it_and_tells_of_it() {
    static TEXT: [u8; 5_000] = [b'a'; 5_000];
    let packs = headers(&[(ACCEPT_ENCODING, "gzip")]);
    let of = |path| file(path, &TEXT);
    for _ in 0..2 {
        let response = answer(&Method::GET, &packs, of("assets/packed.js")).await;
        assert_eq!(header(&response, &CONTENT_ENCODING), "gzip");
        assert_eq!(header(&response, &CONTENT_TYPE), "text/javascript; charset=utf-8");
        let length = header(&response, &CONTENT_LENGTH).to_owned();
        let packed = body(response).await;
        assert_eq!(packed.len().to_string(), length);
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, TEXT);
    }
    // Another content under the same name is packed anew.
    let other: &'static [u8] = &[b'b'; 5_000];
    let response = answer(&Method::GET, &packs, file("assets/packed.js", other)).await;
    let mut unpacked = Vec::new();
    GzDecoder::new(&body(response).await[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, other);
    for (path, shown) in [("assets/packed.js", ""), ("assets/packed.woff2", "gzip")] {
        let shown = headers(&[(ACCEPT_ENCODING, shown)]);
        let response = answer(&Method::GET, &shown, of(path)).await;
        assert_eq!(header(&response, &CONTENT_ENCODING), "", "{path}");
        assert_eq!(body(response).await, &TEXT[..], "{path}");
    }
}

#[tokio::test]
async fn who_has_a_file_is_not_sent_it_again() {
    static TEXT: [u8; 5_000] = [b'a'; 5_000];
    let of = || file("index.html", &TEXT);
    let plain = answer(&Method::GET, &HeaderMap::new(), of()).await;
    let packed = answer(&Method::GET, &headers(&[(ACCEPT_ENCODING, "gzip")]), of()).await;
    let tags = [&plain, &packed].map(|response| header(response, &ETAG).to_owned());
    assert_ne!(tags[0], tags[1]);
    let check = async |accepted: &str, tag: &str, expected: StatusCode| {
        let shown = headers(&[(ACCEPT_ENCODING, accepted), (IF_NONE_MATCH, tag)]);
        let response = answer(&Method::GET, &shown, of()).await;
        assert_eq!(response.status(), expected, "{accepted} {tag}");
        assert_eq!(header(&response, &CACHE_CONTROL), ASK_AGAIN);
        if expected == StatusCode::NOT_MODIFIED {
            assert_eq!(header(&response, &ETAG), tag);
            assert!(body(response).await.is_empty());
        }
    };
    check("", &tags[0], StatusCode::NOT_MODIFIED).await;
    check("gzip", &tags[1], StatusCode::NOT_MODIFIED).await;
    check("", &tags[1], StatusCode::OK).await;
    check("gzip", "\"other\"", StatusCode::OK).await;
}

#[tokio::test]
async fn a_look_at_the_head_says_how_long_the_body_would_be() {
    let response = answer(&Method::HEAD, &HeaderMap::new(), file("theme.js", b"abc")).await;
    assert_eq!(header(&response, &CONTENT_LENGTH), "3");
    assert!(body(response).await.is_empty());
    for path in ["/", "/tasks/7"] {
        let response = ask(Method::HEAD, path, &[(ACCEPT, BROWSER)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_ne!(header(&response, &CONTENT_LENGTH), "", "{path}");
        assert!(body(response).await.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_browser_that_nobody_knows_is_given_the_page_wherever_it_looks() {
    for path in ["/", "/login", "/tasks", "/tasks/7/", "/apixyz", "/a.js"] {
        let response = ask(Method::GET, path, &[(ACCEPT, BROWSER)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(
            header(&response, &CONTENT_TYPE),
            "text/html; charset=utf-8",
            "{path}"
        );
        assert_eq!(header(&response, &CACHE_CONTROL), "no-cache", "{path}");
        let policy = header(&response, &HeaderName::from_static("content-security-policy")).to_owned();
        assert!(
            policy.starts_with("default-src 'self'; script-src 'self'"),
            "{policy}"
        );
        let text = body(response).await;
        assert!(text.starts_with(b"<!doctype html>"), "{path}");
    }
}

#[tokio::test]
async fn programs_and_their_paths_are_answered_in_json() {
    let check = async |method: Method, path: &str, accept: &str, status: u16| {
        let response = ask(method, path, &[(ACCEPT, accept)]).await;
        assert_eq!(response.status().as_u16(), status, "{path} {accept}");
        assert_eq!(
            header(&response, &CONTENT_TYPE),
            "application/json",
            "{path} {accept}"
        );
    };
    for accept in ["*/*", "application/json"] {
        check(Method::GET, "/", accept, 401).await;
        check(Method::GET, "/tasks", accept, 404).await;
    }
    // What is not there below these is told so, even to a browser.
    check(Method::GET, "/api/nothing", BROWSER, 401).await;
    check(Method::GET, "/metrics", BROWSER, 401).await;
    check(Method::GET, "/docs/nothing", BROWSER, 404).await;
    check(Method::GET, "/health/nothing", BROWSER, 404).await;
    check(Method::GET, "/assets/nothing-1.js", BROWSER, 404).await;
    check(Method::GET, "/assets/nothing-1.js", "*/*", 404).await;
    check(Method::GET, "/assets", BROWSER, 404).await;
    check(Method::POST, "/tasks", BROWSER, 404).await;
    check(Method::POST, "/", BROWSER, 405).await;
    let gone = ask(Method::GET, "/assets/nothing-1.js", &[]).await;
    assert_eq!(header(&gone, &CACHE_CONTROL), "no-store");
}

#[tokio::test]
async fn every_built_file_is_there_for_everybody() {
    for path in files::paths() {
        let Some(built) = files::find(&path) else { continue };
        let response = ask(Method::GET, &format!("/{path}"), &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&response, &CONTENT_TYPE), built.content_type, "{path}");
        assert_ne!(header(&response, &ETAG), "", "{path}");
        let is_kept = header(&response, &CACHE_CONTROL) == FOR_EVER;
        assert_eq!(is_kept, path.starts_with(HASHED), "{path}");
        assert_eq!(body(response).await, built.content, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_token_in_the_address_leads_a_browser_to_the_login() {
    let shown = [(ACCEPT, BROWSER)];
    for path in ["/?token=iat_wrong", "/login?token=iat_wrong", "/?token="] {
        let response = ask(Method::GET, path, &shown).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(header(&response, &LOCATION), "/#login?error=token", "{path}");
        assert_eq!(header(&response, &CACHE_CONTROL), "no-store", "{path}");
        assert_eq!(header(&response, &SET_COOKIE), "", "{path}");
    }
    let response = ask(Method::GET, "/?token=iat_wrong", &[]).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_browser_that_tries_too_many_tokens_is_led_to_the_login_that_says_so() {
    let test = TestService::new(Settings::default()).await;
    let app = app(test.service.clone());
    let mut places = Vec::new();
    for _ in 0..11 {
        let request = Request::get("/?token=iat_guess")
            .header("host", "localhost:8000")
            .header(ACCEPT, BROWSER);
        let response = app
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        places.push(header(&response, &LOCATION).to_owned());
    }
    assert_eq!(places[9..], ["/#login?error=token", "/#login?error=wait"]);
}
