//! Every route for everybody: nobody, whose token is good no longer, and each role.

use std::collections::BTreeSet;

use super::*;

/// What everybody may ask.
const PUBLIC: [&str; 4] = [
    "GET /health",
    "GET /healthz",
    "GET /readyz",
    "POST /api/auth/login",
];

/// What a viewer may do that is not a look by its method: nothing of it changes anything of others.
pub(super) const FOR_VIEWERS: [&str; 4] = [
    "POST /api/auth/logout",
    "POST /api/presets/merge",
    "POST /api/runtime-params/validate",
    "POST /api/tasks/check",
];

/// What only an administrator may.
const FOR_ADMINS: [&str; 6] = [
    "DELETE /api/docker/images",
    "GET /api/auth/tokens",
    "POST /api/auth/tokens",
    "DELETE /api/auth/tokens/{id}",
    "GET /api/audit",
    "GET /api/system/options",
];

async fn status(asked: &Asked, operation: &Operation, header: Option<(HeaderName, &str)>) -> StatusCode {
    let mut builder = request(&operation.method, &operation.sample());
    if let Some((name, value)) = header {
        builder = builder.header(name, value);
    }
    asked.ask(empty(builder)).await.status
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() {
    let asked = Asked::new(unhurried()).await;
    let (expired, _) = asked.test.token("expired", Role::Admin, Some(0)).await;
    let (revoked, record) = asked.test.token("revoked", Role::Admin, None).await;
    let act = asked.test.act();
    let revoking = asked.test.service.database.revoke_token(&act, record.id).await;
    revoking.unwrap();
    let bearer = |token: &str| (AUTHORIZATION, format!("Bearer {token}"));
    let cookie = |value: &str| {
        let name = HeaderName::from_static("cookie");
        (name, format!("autotuner_session_8000={value}"))
    };
    let wrong = [
        bearer("iat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        bearer(""),
        bearer(expired.reveal()),
        bearer(revoked.reveal()),
        bearer("local"),
        (AUTHORIZATION, format!("Basic {}", revoked.reveal())),
        (AUTHORIZATION, "nonsense".into()),
        (HeaderName::from_static("x-api-key"), "x".into()),
    ];
    let wrong_cookies = [cookie("x"), cookie(""), cookie(expired.reveal())];
    let before = asked.test.census().await;
    let mut public = BTreeSet::new();
    let mut requests = 0;
    for operation in operations() {
        let name = operation.name();
        if operation.is_public {
            public.insert(name);
            continue;
        }
        let mut shown: Vec<Option<(HeaderName, &str)>> = vec![None];
        shown.extend(
            wrong
                .iter()
                .map(|(name, value)| Some((name.clone(), value.as_str()))),
        );
        for header in shown {
            let told = format!("{name} with {header:?}");
            assert_eq!(
                status(&asked, &operation, header).await,
                StatusCode::UNAUTHORIZED,
                "{told}"
            );
            requests += 1;
        }
        for (cookie, value) in &wrong_cookies {
            let ours = format!("http://{OUR_HOST}");
            let builder = request(&operation.method, &operation.sample())
                .header(cookie, value)
                .header("origin", ours);
            let answer = asked.ask(empty(builder)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name} with {value}");
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{name}");
            answer.json()["detail"].as_str().unwrap();
            requests += 1;
        }
    }
    assert_eq!(public, PUBLIC.map(str::to_owned).into());
    assert_eq!(asked.test.census().await, before);
    println!("{requests} requests without a good token: all refused, nothing changed");
}

#[tokio::test]
async fn each_role_may_what_it_is_for() {
    let asked = Asked::new(unhurried()).await;
    let viewer = asked.bearer(Role::Viewer).await;
    let operator = asked.bearer(Role::Operator).await;
    let admin = asked.bearer(Role::Admin).await;
    let mut requests = 0;
    for operation in operations().iter().filter(|operation| !operation.is_public) {
        let name = operation.name();
        let is_for_admins = FOR_ADMINS.contains(&name.as_str());
        let is_change = operation.is_change() && !FOR_VIEWERS.contains(&name.as_str());
        for (role, token, is_refused) in [
            (Role::Viewer, &viewer, is_change || is_for_admins),
            (Role::Operator, &operator, is_for_admins),
            (Role::Admin, &admin, false),
        ] {
            let status = status(&asked, operation, Some((AUTHORIZATION, token))).await;
            let told = format!("{name} as {}: {status}", role.as_str());
            assert_eq!(status == StatusCode::FORBIDDEN, is_refused, "{told}");
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{told}");
            assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{told}");
            requests += 1;
        }
    }
    println!("{requests} requests of the three roles");
}

#[tokio::test]
async fn where_nobody_is_asked_everybody_is_the_administrator() {
    let settings = Settings {
        is_open: true,
        ..unhurried()
    };
    let asked = Asked::new(settings).await;
    let answer = asked.ask(empty(request("GET", "/api/auth/me"))).await;
    assert_eq!(
        answer.json(),
        serde_json::json!({ "name": "local", "role": "admin" })
    );
    for operation in operations() {
        let status = status(&asked, &operation, None).await;
        let is_login = operation.path == "/api/auth/login";
        let is_refused = status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN;
        assert!(!is_refused || is_login, "{}: {status}", operation.name());
    }
}

#[tokio::test]
async fn this_program_itself_asks_as_whom_it_says() {
    let asked = Asked::new(unhurried()).await;
    let ours = |role| {
        let caller = Caller {
            name: "command line".into(),
            role,
            address: None,
        };
        let builder = Request::builder().uri("/api/auth/tokens").extension(caller);
        asked.ask(empty(builder))
    };
    assert_eq!(ours(Role::Admin).await.status, StatusCode::OK);
    assert_eq!(ours(Role::Viewer).await.status, StatusCode::FORBIDDEN);
}
