//! What another site's page can make a browser send, with the cookie of who is logged in.

use super::*;

/// A request that a page of another site can cause, or that a program sends which lies badly.
struct Shape {
    name: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

const EVIL: (&str, &str) = ("origin", "http://evil.example");
const OURS: (&str, &str) = ("origin", "http://localhost:8000");
const JSON: (&str, &str) = ("content-type", "application/json");
const TEXT: (&str, &str) = ("content-type", "text/plain");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PARTS: (&str, &str) = ("content-type", "multipart/form-data; boundary=x");
const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const SAME_SITE: (&str, &str) = ("sec-fetch-site", "same-site");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const NO_CORS: (&str, &str) = ("sec-fetch-mode", "no-cors");

/// A body that would be good for making a token, and is text that a form can be made to send.
const BODY: &str = r#"{"name": "forged", "role": "admin"}"#;
const FORM_BODY: &str = "name=forged&role=admin";
const PARTS_BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nforged\r\n--x--\r\n";

const SHAPES: [Shape; 24] = [
    shape("a form", &[FORM, EVIL, CROSS, NAVIGATE], FORM_BODY),
    shape("a form of an old browser", &[FORM, EVIL], FORM_BODY),
    shape("a form without an origin", &[FORM], FORM_BODY),
    shape(
        "a form of a sandboxed frame",
        &[FORM, ("origin", "null"), CROSS, NAVIGATE],
        FORM_BODY,
    ),
    shape(
        "a form on our own page",
        &[FORM, OURS, ("sec-fetch-site", "same-origin")],
        FORM_BODY,
    ),
    shape("a text form", &[TEXT, EVIL, CROSS, NAVIGATE], BODY),
    shape("a text form of an old browser", &[TEXT, EVIL], BODY),
    shape("a text form on our own page", &[TEXT, OURS], BODY),
    shape("a form with a file", &[PARTS, EVIL, CROSS], PARTS_BODY),
    shape("a fetch without CORS", &[TEXT, EVIL, CROSS, NO_CORS], BODY),
    shape(
        "a beacon",
        &[TEXT, EVIL, CROSS, NO_CORS, ("sec-fetch-dest", "empty")],
        BODY,
    ),
    shape("a beacon of a blob", &[JSON, EVIL, CROSS, NO_CORS], BODY),
    shape("a fetch that passed a preflight", &[JSON, EVIL, CROSS], BODY),
    shape(
        "a page on another port",
        &[JSON, ("origin", "http://localhost:3000"), SAME_SITE],
        BODY,
    ),
    shape(
        "an old page on another port",
        &[JSON, ("origin", "http://localhost:3000")],
        BODY,
    ),
    shape(
        "a page on another name of ours",
        &[JSON, ("origin", "http://127.0.0.1:8000")],
        BODY,
    ),
    shape(
        "a page over TLS",
        &[JSON, ("origin", "https://localhost:8000")],
        BODY,
    ),
    shape("nothing said", &[JSON], BODY),
    shape(
        "only a referer",
        &[JSON, ("referer", "http://localhost:8000/")],
        BODY,
    ),
    shape("two origins", &[JSON, OURS, EVIL], BODY),
    shape(
        "an origin with a login",
        &[JSON, ("origin", "http://localhost:8000@evil.example")],
        BODY,
    ),
    shape(
        "an origin that begins like ours",
        &[JSON, ("origin", "http://localhost:8000.evil.example")],
        BODY,
    ),
    shape("our origin, told to be cross-site", &[JSON, OURS, CROSS], BODY),
    shape("no body and another origin", &[EVIL, CROSS], ""),
];

const fn shape(
    name: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> Shape {
    Shape { name, headers, body }
}

/// Headers by which some frameworks let a method be replaced.
const OVERRIDES: [&str; 4] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "_method",
];

async fn logged_in(asked: &Asked) -> String {
    let (secret, _) = asked.test.token("victim", Role::Admin, None).await;
    let body = serde_json::json!({ "token": secret.reveal() }).to_string();
    let answer = asked.ask(json(request("POST", "/api/auth/login"), body)).await;
    let set = answer.header("set-cookie");
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn no_other_page_changes_anything() {
    let asked = Asked::new(unhurried()).await;
    let cookie = logged_in(&asked).await;
    let before = asked.test.census().await;
    let mut requests = 0;
    for operation in operations().iter().filter(|operation| operation.is_change()) {
        for shape in &SHAPES {
            // A form with a file is what this one route is for; where it comes from still counts.
            for credential in [Some(&cookie), None] {
                let mut builder = request(&operation.method, &operation.sample());
                if let Some(cookie) = credential {
                    builder = builder.header("cookie", cookie);
                }
                for (name, value) in shape.headers {
                    builder = builder.header(*name, *value);
                }
                let answer = asked.ask(builder.body(Body::from(shape.body)).unwrap()).await;
                let told = format!("{} by {}: {answer:?}", operation.name(), shape.name);
                let refusals: &[u16] = if credential.is_some() {
                    &[403, 415]
                } else {
                    &[401, 403, 415, 422]
                };
                assert!(refusals.contains(&answer.status.as_u16()), "{told}");
                requests += 1;
            }
        }
    }
    assert_eq!(asked.test.census().await, before);
    println!("{requests} forged requests of {} shapes: 0 effects", SHAPES.len());
    // The same with our own origin is no forgery.
    let builder = request("POST", "/api/auth/tokens")
        .header("cookie", &cookie)
        .header(OURS.0, OURS.1);
    assert_eq!(asked.ask(json(builder, BODY)).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn no_header_makes_a_look_a_change() {
    let asked = Asked::new(unhurried()).await;
    let cookie = logged_in(&asked).await;
    let tokens = asked.test.service.database.tokens().await.unwrap();
    let victim = tokens[0].id;
    let before = asked.test.census().await;
    let mut requests = 0;
    for operation in operations() {
        let path = operation.sample().replace("999999", &victim.to_string());
        for (carrier, wanted) in [
            ("GET", "DELETE"),
            ("GET", "POST"),
            ("HEAD", "DELETE"),
            ("GET", "PUT"),
        ] {
            for name in OVERRIDES {
                let uri = format!("{path}?_method={wanted}&method={wanted}");
                let builder = request(carrier, &uri)
                    .header("cookie", &cookie)
                    .header(name, wanted);
                let answer = asked.ask(empty(builder)).await;
                assert!(answer.status.as_u16() != 500, "{carrier} {uri}: {answer:?}");
                requests += 1;
            }
        }
    }
    assert_eq!(asked.test.census().await, before);
    println!("{requests} requests that would be another: 0 effects");
}

#[tokio::test]
async fn no_other_page_opens_a_socket() {
    let asked = Asked::new(unhurried()).await;
    let cookie = logged_in(&asked).await;
    let open = async |path: &str, origin: &str| {
        let builder = request("GET", path)
            .header("cookie", &cookie)
            .header("origin", origin)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        asked.ask(empty(builder)).await.status
    };
    for operation in operations().iter().filter(|operation| operation.method == "GET") {
        for origin in ["http://evil.example", "http://localhost:3000", "null", "file://"] {
            let status = open(&operation.sample(), origin).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{} {origin}", operation.name());
        }
    }
    assert_ne!(open("/api/auth/me", OURS.1).await, StatusCode::FORBIDDEN);
}
