//! From the first start to a session, and its end.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::service::access::first_token::{FirstToken, Reader};

async fn first_token(test: &TestService) -> FirstToken {
    let now_ms = test.service.clock.now_ms();
    let ensured = FirstToken::ensure(&test.service.database, test.folder(), now_ms).await;
    ensured.unwrap()
}

/// The cookie that an answer sets, as a browser shows it again.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    assert!(
        set.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

async fn me(asked: &Asked, cookie: &str) -> StatusCode {
    let builder = request("GET", "/api/auth/me").header("cookie", cookie);
    asked.ask(empty(builder)).await.status
}

#[tokio::test]
async fn the_first_token_is_made_once_and_kept() {
    let test = TestService::new(unhurried()).await;
    let first = first_token(&test).await;
    assert!(first.is_new);
    assert_eq!(first.path, test.folder().join("token"));
    let mode = || std::fs::metadata(&first.path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    let written = std::fs::read_to_string(&first.path).unwrap();
    assert_eq!(written.trim_end(), first.secret.reveal());
    std::fs::set_permissions(&first.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let again = first_token(&test).await;
    assert!(!again.is_new && again.secret == first.secret);
    assert_eq!(mode(), 0o600);
}

#[tokio::test]
async fn a_token_file_that_was_lost_or_changed_is_made_anew() {
    let test = TestService::new(unhurried()).await;
    let path = FirstToken::path(test.folder());
    let mut last = first_token(&test).await;
    let elsewhere = test.folder().join("elsewhere");
    for spoil in [
        "lost",
        "",
        "iat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "link",
        "revoked",
    ] {
        match spoil {
            "lost" => std::fs::remove_file(&path).unwrap(),
            "link" => {
                std::fs::rename(&path, &elsewhere).unwrap();
                std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
            }
            "revoked" => {
                let database = &test.service.database;
                let tokens = database.tokens().await.unwrap();
                let id = tokens.last().unwrap().id;
                database.revoke_token(&test.act(), id).await.unwrap();
            }
            text => std::fs::write(&path, text).unwrap(),
        }
        let next = first_token(&test).await;
        assert!(next.is_new && next.secret != last.secret, "{spoil}");
        let database = &test.service.database;
        let now_ms = test.service.clock.now_ms();
        let of = async |token: &FirstToken| {
            let found = database.token_with_hash(&token.secret.hash(), now_ms).await;
            found.unwrap().is_some()
        };
        assert!(!of(&last).await && of(&next).await, "{spoil}");
        last = next;
    }
    assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
}

#[tokio::test]
async fn the_token_is_shown_where_a_person_looks() {
    let test = TestService::new(unhurried()).await;
    let first = first_token(&test).await;
    let again = first_token(&test).await;
    let bound = "127.0.0.1:8123".parse().unwrap();
    let secret = first.secret.reveal();
    let link = format!("open http://127.0.0.1:8123/?token={secret}");
    assert_eq!(first.welcome(bound, Reader::Unknown), link);
    assert_eq!(again.welcome(bound, Reader::Terminal), link);
    for (token, reader) in [(&again, Reader::Unknown), (&first, Reader::Log)] {
        let text = token.welcome(bound, reader);
        assert!(!text.contains(secret) && text.contains("/token"), "{text}");
    }
    let everywhere = again.welcome("0.0.0.0:8123".parse().unwrap(), Reader::Terminal);
    assert_eq!(everywhere, link);
}

#[tokio::test]
async fn a_token_in_the_address_becomes_a_session() {
    let asked = Asked::new(unhurried()).await;
    let first = first_token(&asked.test).await;
    for page in ["/", "/login", "/login/"] {
        let uri = format!("{page}?next=x&token={}", first.secret.reveal());
        let answer = asked.ask(empty(request("GET", &uri))).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{page}");
        assert_eq!(answer.header("location"), "/");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(me(&asked, &cookie(&answer)).await, StatusCode::OK);
    }
    let answer = asked.ask(empty(request("GET", "/?token=iat_wrong"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("set-cookie"), "");
    // Nothing but an entrance takes it.
    let uri = format!("/api/auth/me?token={}", first.secret.reveal());
    assert_eq!(
        asked.ask(empty(request("GET", &uri))).await.status,
        StatusCode::UNAUTHORIZED
    );
}

async fn log_in_with(asked: &Asked, token: &str) -> Answer {
    let body = serde_json::json!({ "token": token }).to_string();
    asked.ask(json(request("POST", "/api/auth/login"), body)).await
}

#[tokio::test]
async fn a_session_ends_with_logout_time_or_its_token() {
    let asked = Asked::new(unhurried()).await;
    let (secret, record) = asked.test.token("anna", Role::Operator, None).await;
    let answer = log_in_with(&asked, secret.reveal()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        serde_json::json!({ "name": "anna", "role": "operator" })
    );
    let first = cookie(&answer);
    let second = cookie(&log_in_with(&asked, secret.reveal()).await);
    let third = cookie(&log_in_with(&asked, secret.reveal()).await);
    assert!(first != second && !first.contains(secret.reveal()));
    // The cookie's value is no token.
    let value = first.split_once('=').unwrap().1;
    let builder = request("GET", "/api/auth/me").header(AUTHORIZATION, format!("Bearer {value}"));
    assert_eq!(asked.ask(empty(builder)).await.status, StatusCode::UNAUTHORIZED);

    let logout = request("POST", "/api/auth/logout")
        .header("cookie", &first)
        .header("origin", format!("http://{OUR_HOST}"));
    let answer = asked.ask(empty(logout)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.header("set-cookie").contains("Max-Age=0"), "{answer:?}");
    assert_eq!(me(&asked, &first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&asked, &second).await, StatusCode::OK);

    asked.test.clock.advance(30 * 24 * 60 * 60 * 1_000);
    assert_eq!(me(&asked, &second).await, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&asked, &third).await, StatusCode::UNAUTHORIZED);

    let fourth = cookie(&log_in_with(&asked, secret.reveal()).await);
    assert_eq!(me(&asked, &fourth).await, StatusCode::OK);
    let act = asked.test.act();
    let revoking = asked.test.service.database.revoke_token(&act, record.id).await;
    revoking.unwrap();
    assert_eq!(me(&asked, &fourth).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        log_in_with(&asked, secret.reveal()).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn who_tries_too_many_tokens_has_to_wait() {
    let asked = Asked::new(unhurried()).await;
    for _ in 0..10 {
        let answer = log_in_with(&asked, "iat_guess").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = log_in_with(&asked, "iat_guess").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&seconds), "{seconds}");
    let answer = asked.ask(empty(request("GET", "/?token=iat_guess"))).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    let make = async |body: &str| {
        let builder = request("POST", "/api/auth/tokens").header(AUTHORIZATION, &admin);
        asked.ask(json(builder, body.to_owned())).await
    };
    let made = make(r#"{"name": "ci runner", "role": "operator", "expires_in_days": 7}"#).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let token = made.json();
    let secret = token["token"].as_str().unwrap().to_owned();
    assert_eq!(token["expires_at"], "2023-11-21T22:13:20.000Z");
    let as_made = |secret: &str| {
        let builder = request("GET", "/api/auth/me").header(AUTHORIZATION, format!("Bearer {secret}"));
        asked.ask(empty(builder))
    };
    assert_eq!(as_made(&secret).await.json()["role"], "operator");
    let kept = asked.test.service.database.tokens().await.unwrap();
    let used = kept
        .iter()
        .find(|kept| kept.name == "ci runner")
        .unwrap()
        .last_used_at_ms;
    assert_eq!(
        used,
        Some(asked.test.service.clock.now_ms()),
        "its use is on record"
    );
    assert_eq!(
        make(r#"{"name": "ci runner", "role": "viewer"}"#).await.status,
        StatusCode::CONFLICT
    );
    for wrong in [
        r#"{"name": "", "role": "viewer"}"#,
        r#"{"name": " x", "role": "viewer"}"#,
        r#"{"name": "x\n", "role": "viewer"}"#,
        r#"{"name": "\u0000", "role": "viewer"}"#,
        r#"{"name": "<b>", "role": "viewer"}"#,
        r#"{"name": "x", "role": "root"}"#,
        r#"{"name": "x"}"#,
        r#"{"name": "x", "role": "viewer", "expires_in_days": 0}"#,
        r#"{"name": "x", "role": "viewer", "expires_in_days": -1}"#,
        r#"{"name": "x", "role": "viewer", "expires_in_days": 9223372036854775807}"#,
        r#"{"name": "x", "role": "viewer", "hash": "x"}"#,
        "[]",
        "",
    ] {
        assert_eq!(
            make(wrong).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{wrong}"
        );
    }
    let list = async || {
        let builder = request("GET", "/api/auth/tokens").header(AUTHORIZATION, &admin);
        asked.ask(empty(builder)).await
    };
    let listed = list().await;
    assert_eq!(listed.json().as_array().unwrap().len(), 2);
    assert!(!listed.text.contains(&secret));
    let uri = format!("/api/auth/tokens/{}", token["id"]);
    let revoke = request("DELETE", &uri).header(AUTHORIZATION, &admin);
    assert_eq!(asked.ask(empty(revoke)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(as_made(&secret).await.status, StatusCode::UNAUTHORIZED);
    assert!(list().await.json()[1]["revoked_at"].is_string());
}

#[tokio::test]
async fn the_audit_log_says_who_changed_what() {
    let asked = Asked::new(unhurried()).await;
    let admin = asked.bearer(Role::Admin).await;
    for name in ["one", "two", "three"] {
        let builder = request("POST", "/api/auth/tokens").header(AUTHORIZATION, &admin);
        let body = serde_json::json!({ "name": name, "role": "viewer" }).to_string();
        assert_eq!(asked.ask(json(builder, body)).await.status, StatusCode::CREATED);
    }
    let audit = async |query: &str| {
        let builder = request("GET", &format!("/api/audit{query}")).header(AUTHORIZATION, &admin);
        asked.ask(empty(builder)).await
    };
    let all = audit("").await;
    assert_eq!(all.header("x-total-count"), "4");
    let rows = all.json();
    assert_eq!(rows.as_array().unwrap().len(), 4);
    assert_eq!(rows[0]["actor"], "admin");
    assert_eq!(rows[0]["role"], "admin");
    assert_eq!(rows[0]["action"], "token.create");
    assert_eq!(rows[3]["actor"], "test");
    let page = audit("?skip=1&limit=2").await;
    assert_eq!(page.header("x-total-count"), "4");
    assert_eq!(page.json(), serde_json::json!([rows[1], rows[2]]));
    assert_eq!(
        audit("?skip=9223372036854775807").await.json(),
        serde_json::json!([])
    );
    for wrong in [
        "?limit=0",
        "?limit=1001",
        "?skip=-1",
        "?limit=x",
        "?skip=9223372036854775808",
    ] {
        assert_eq!(
            audit(wrong).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{wrong}"
        );
    }
}
