//! Requests that name another host: none reaches a handler, whatever it asks for and whoever asks.

use axum::http::HeaderValue;

use super::*;
use crate::service::access::hosts::tests::FOREIGN;

/// Sets of headers that name no host of ours, or more than one.
fn forms() -> Vec<HeaderMap> {
    let named = |pairs: &[(&'static str, &[u8])]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(headers)
    };
    let ours = OUR_HOST.as_bytes();
    let mut forms: Vec<HeaderMap> = FOREIGN
        .iter()
        .filter_map(|host| named(&[("host", host.as_bytes())]))
        .collect();
    let more: [&[(&'static str, &[u8])]; 10] = [
        &[],
        &[("host", ours), ("host", ours)],
        &[("host", ours), ("host", b"evil.com")],
        &[("host", b"evil.com"), ("host", ours)],
        &[("host", b"evil.com:8000"), ("x-forwarded-host", ours)],
        &[
            ("host", b"evil.com:8000"),
            ("x-host", ours),
            ("x-original-host", ours),
        ],
        &[("host", b"evil.com:8000"), ("forwarded", b"host=localhost:8000")],
        &[("x-forwarded-host", ours)],
        &[("host", b"\xff\xfe")],
        &[("host", b"localhost:8000\t")],
    ];
    forms.extend(more.iter().filter_map(|pairs| named(pairs)));
    forms
}

#[tokio::test]
async fn no_handler_answers_to_another_name() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    let before = asked.test.census().await;
    let forms = forms();
    let mut targets: Vec<(String, String)> = operations()
        .iter()
        .map(|operation| (operation.method.clone(), operation.sample()))
        .collect();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/?token=x"),
        ("GET", "/index.html"),
        ("GET", "/api/nothing"),
        ("HEAD", "/health"),
        ("OPTIONS", "/api/tasks"),
        ("DELETE", "/"),
        ("TRACE", "/"),
        ("PURGE", "/api/tasks/1"),
    ] {
        targets.push((method.into(), path.into()));
    }
    let mut requests = 0;
    for (method, path) in &targets {
        for form in &forms {
            let mut builder = Request::builder().method(method.as_str()).uri(path);
            *builder.headers_mut().unwrap() = form.clone();
            let builder = builder
                .header(AUTHORIZATION, &admin)
                .header("origin", format!("http://{OUR_HOST}"))
                .header("sec-fetch-site", "same-origin");
            let answer = asked.ask(empty(builder)).await;
            assert_eq!(
                answer.status,
                StatusCode::MISDIRECTED_REQUEST,
                "{method} {path} {form:?}"
            );
            requests += 1;
        }
    }
    let answer = asked.ask(empty(Request::builder().uri("/health"))).await;
    assert_eq!(answer.json()["code"], "wrong_host");
    assert_eq!(asked.test.census().await, before);
    println!(
        "{requests} requests in {} forms: 0 handlers reached, 0 effects",
        forms.len()
    );
}

#[tokio::test]
async fn an_address_in_the_request_line_must_be_ours() {
    let asked = Asked::new(unhurried()).await;
    let check = async |uri: &str, expected: StatusCode| {
        let answer = asked.ask(empty(request("GET", uri))).await;
        assert_eq!(answer.status, expected, "{uri}");
    };
    check("http://localhost:8000/health", StatusCode::OK).await;
    for foreign in [
        "http://evil.com/health",
        "http://127.0.0.1:8000/health",
        "http://localhost/health",
        "https://localhost:8001/health",
        "http://user@localhost:8000/health",
    ] {
        check(foreign, StatusCode::MISDIRECTED_REQUEST).await;
    }
}
