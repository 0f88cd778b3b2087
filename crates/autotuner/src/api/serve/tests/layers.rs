//! What every answer has, and what every layer refuses.

use axum::routing::get;

use super::*;

#[tokio::test]
async fn every_answer_keeps_browsers_safe() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    for (uri, status) in [
        ("/api/auth/me", StatusCode::OK),
        ("/api/auth/me/", StatusCode::OK),
        ("/api/nothing", StatusCode::NOT_FOUND),
        ("/nothing", StatusCode::NOT_FOUND),
        ("/health", StatusCode::OK),
        ("/health/", StatusCode::OK),
    ] {
        let answer = asked
            .ask(empty(request("GET", uri).header(AUTHORIZATION, &admin)))
            .await;
        assert_eq!(answer.status, status, "{uri}: {answer:?}");
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "script-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(
                policy.split("; ").any(|found| found == part),
                "{uri}: no {part} in {policy}"
            );
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("x-request-id").len(), 16);
        assert_eq!(answer.header("access-control-allow-origin"), "");
        let cached = if uri.starts_with("/api") { "no-store" } else { "" };
        assert_eq!(answer.header("cache-control"), cached, "{uri}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_json() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    let answer = asked
        .ask(empty(
            request("GET", "/api/nothing").header(AUTHORIZATION, &admin),
        ))
        .await;
    assert_eq!(answer.json()["detail"], "Not Found");
    let answer = asked
        .ask(empty(
            request("DELETE", "/api/auth/me").header(AUTHORIZATION, &admin),
        ))
        .await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json()["code"], "method_not_allowed");
    assert!(answer.header("allow").contains("GET"), "{answer:?}");
    for method in ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY"] {
        let builder = request(method, "/api/auth/me").header(AUTHORIZATION, &admin);
        assert_eq!(
            asked.ask(empty(builder)).await.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_handler_that_breaks_down_is_an_answer_with_a_number() {
    let test = TestService::new(unhurried()).await;
    let routes = Router::new().route(
        "/broken",
        get(async || -> &'static str { panic!("the handler's own text") }),
    );
    let app = layered(Arc::clone(&test.service), routes);
    let asked = Asked { test, app };
    let answer = asked.ask(empty(request("GET", "/broken"))).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.text.contains("own text"), "{answer:?}");
    let number = answer.header("x-request-id");
    let hint = answer.json()["hint"].as_str().unwrap().to_owned();
    assert!(number.len() == 16 && hint.contains(number), "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn bodies_are_no_larger_than_allowed() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    let check = async |uri: &str, bytes: usize, is_announced: bool, expected: bool| {
        let mut builder = request("POST", uri).header(AUTHORIZATION, &admin);
        let text = vec![b' '; bytes];
        let body = if is_announced {
            builder = builder.header("content-length", bytes);
            Body::from(text)
        } else {
            let chunks =
                futures_util::stream::iter(text.chunks(65_536).map(<[u8]>::to_vec).collect::<Vec<_>>());
            Body::from_stream(futures_util::StreamExt::map(chunks, Ok::<_, std::io::Error>))
        };
        let answer = asked.ask(json(builder, body)).await;
        let is_refused = answer.status == StatusCode::PAYLOAD_TOO_LARGE;
        assert_eq!(is_refused, expected, "{uri} {bytes} {is_announced}: {answer:?}");
    };
    const MIB: usize = 1_024 * 1_024;
    for is_announced in [true, false] {
        check("/api/auth/tokens", MIB, is_announced, false).await;
        check("/api/auth/tokens", MIB + 1, is_announced, true).await;
        check("/api/auth/login", 4_096, is_announced, false).await;
        check("/api/auth/login", 4_097, is_announced, true).await;
        check("/api/tasks/import", 5 * MIB, is_announced, false).await;
        check("/api/tasks/import", 5 * MIB + 1, is_announced, true).await;
    }
}

#[tokio::test]
async fn long_addresses_are_not_looked_at() {
    let asked = Asked::new(unhurried()).await;
    let status = async |length: usize| {
        let uri = format!("/health?{}", "x".repeat(length - "/health?".len()));
        asked.ask(empty(request("GET", &uri))).await.status
    };
    assert_eq!(status(8_192).await, StatusCode::OK);
    assert_eq!(status(8_193).await, StatusCode::URI_TOO_LONG);
}

#[tokio::test]
async fn changes_that_come_too_fast_have_to_wait() {
    let asked = Asked::new(Settings {
        changes_per_second: NonZeroU32::MIN,
        ..Settings::default()
    })
    .await;
    let admin = asked.bearer(Role::Admin).await;
    let change = async || {
        let builder = request("DELETE", "/api/auth/tokens/999999").header(AUTHORIZATION, &admin);
        asked.ask(empty(builder)).await
    };
    for _ in 0..10 {
        assert_eq!(change().await.status, StatusCode::NOT_FOUND);
    }
    let refused = change().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "1");
    let look = request("GET", "/api/auth/me").header(AUTHORIZATION, &admin);
    assert_eq!(asked.ask(empty(look)).await.status, StatusCode::OK);
}
