//! Secrets that are looked for afterwards where nobody may find one.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::service::access::first_token::FirstToken;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Heard {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Looks for the secrets in every file of the service but the one that is for one of them.
/// Returns how many files there were.
fn look_into_files(asked: &Asked, secrets: &[String], kept_in: &Path) -> u32 {
    let mut files = 0;
    let mut folders = vec![asked.test.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path != kept_in {
                files += 1;
                let bytes = std::fs::read(&path).unwrap();
                let found = secrets.iter().position(|secret| holds(&bytes, secret));
                assert_eq!(found, None, "a secret is in {}", path.display());
            }
        }
    }
    files
}

/// Whether these bytes hold the secret.
fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes
        .windows(secret.len())
        .any(|window| window == secret.as_bytes())
}

#[tokio::test]
async fn secrets_are_found_nowhere() {
    let heard = Heard::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(heard.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    let asked = Asked::new(unhurried()).await;
    let database = &asked.test.service.database;
    let first = FirstToken::ensure(database, asked.test.folder(), 1)
        .await
        .unwrap();
    let admin = format!("Bearer {}", first.secret.reveal());
    let mut secrets = vec![first.secret.reveal().to_owned()];
    let mut answers: Vec<String> = Vec::new();
    for number in 0..20 {
        let builder = request("POST", "/api/auth/tokens").header(AUTHORIZATION, &admin);
        let body = serde_json::json!({ "name": format!("token {number}"), "role": "admin" }).to_string();
        let made = asked.ask(json(builder, body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        secrets.push(made.json()["token"].as_str().unwrap().to_owned());
    }
    // Shown in an address, in a body, in a cookie, in wrong places, and in ways that fail.
    let entered = asked
        .ask(empty(request("GET", &format!("/?token={}", secrets[1]))))
        .await;
    let session = entered.header("set-cookie").split(';').next().unwrap().to_owned();
    secrets.push(session.split_once('=').unwrap().1.to_owned());
    let told = |answer: Answer| format!("{} {:?} {}", answer.status, answer.headers, answer.text);
    for secret in secrets.clone() {
        for wrong in [
            empty(request("GET", &format!("/api/auth/me?token={secret}"))),
            empty(request("GET", "/nothing").header(AUTHORIZATION, &secret)),
            empty(request("GET", &format!("/login?next=/&token={secret}x"))),
            empty(request("POST", "/api/auth/logout").header("cookie", format!("x={secret}"))),
            empty(request("GET", "/api/tasks").header("x-token", &secret)),
            json(
                request("POST", "/api/auth/login"),
                format!(r#"{{"token": "{secret}x"}}"#),
            ),
            json(
                request("POST", "/api/auth/login"),
                format!(r#"{{"token": ["{secret}"]}}"#),
            ),
            json(
                request("POST", "/api/auth/login"),
                format!(r#"{{"tokn": "{secret}"}}"#),
            ),
        ] {
            answers.push(told(asked.ask(wrong).await));
        }
    }
    for operation in operations().iter().filter(|operation| operation.method == "GET") {
        let builder = request("GET", &operation.sample()).header(AUTHORIZATION, &admin);
        answers.push(told(asked.ask(empty(builder)).await));
    }
    let mut files = look_into_files(&asked, &secrets, &first.path);
    database.close().await;
    files += look_into_files(&asked, &secrets, &first.path);

    let log = heard.0.lock().unwrap().clone();
    assert!(holds(&log, "a request was answered") && files > 1);
    for secret in &secrets {
        assert!(!holds(&log, secret), "a secret is in the log");
        let found = answers.iter().find(|answer| holds(answer.as_bytes(), secret));
        assert_eq!(found, None, "a secret was answered");
    }
    println!(
        "{} secrets: 0 in {} answers, {files} files and {} bytes of log",
        secrets.len(),
        answers.len(),
        log.len()
    );
}
