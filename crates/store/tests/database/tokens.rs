//! Tokens and sessions.

use autotuner_store::{NewToken, Role, StoreError};

use crate::support::act;

fn token(name: &str, byte: u8, expires_at_ms: Option<i64>) -> NewToken {
    NewToken {
        name: name.into(),
        role: Role::Viewer,
        hash: [byte; 32],
        expires_at_ms,
    }
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_or_is_revoked() {
    let fresh = fresh!();
    let database = &fresh.database;
    let lasting = database
        .create_token(&act(1), token("lasting", 1, None))
        .await
        .expect("new");
    let short = database
        .create_token(&act(1), token("short", 2, Some(100)))
        .await
        .expect("new");
    let good = async |byte: u8, now_ms: i64| {
        let found = database.token_with_hash(&[byte; 32], now_ms).await.expect("read");
        found.map(|token| token.name)
    };
    assert_eq!(good(1, i64::MAX).await.as_deref(), Some("lasting"));
    assert_eq!(good(2, 99).await.as_deref(), Some("short"));
    assert_eq!(good(2, 100).await, None);
    assert_eq!(good(3, 0).await, None);
    assert_eq!(database.tokens().await.expect("listed"), [lasting.clone(), short]);
    database.revoke_token(&act(50), lasting.id).await.expect("known");
    assert_eq!(good(1, 51).await, None);
    assert_eq!(
        database.tokens().await.expect("listed")[0].revoked_at_ms,
        Some(50)
    );
    for id in [lasting.id, 99] {
        let again = database.revoke_token(&act(60), id).await;
        assert!(matches!(again, Err(StoreError::NoSuchToken(_))), "{again:?}");
    }
}

#[tokio::test]
async fn a_name_is_free_again_when_its_token_is_revoked() {
    let fresh = fresh!();
    let database = &fresh.database;
    let first = database
        .create_token(&act(1), token("ci", 1, None))
        .await
        .expect("new");
    let again = database.create_token(&act(2), token("ci", 2, None)).await;
    assert!(
        matches!(again, Err(StoreError::TokenNameTaken { .. })),
        "{again:?}"
    );
    database.revoke_token(&act(3), first.id).await.expect("known");
    let second = database
        .create_token(&act(4), token("ci", 2, None))
        .await
        .expect("free");
    database.revoke_token(&act(5), second.id).await.expect("known");
    database
        .create_token(&act(6), token("ci", 3, None))
        .await
        .expect("free");
}

#[tokio::test]
async fn a_use_is_remembered_to_the_minute() {
    let fresh = fresh!();
    let database = &fresh.database;
    let made = database
        .create_token(&act(0), token("used", 1, None))
        .await
        .expect("new");
    let used = async |now_ms: i64| {
        database.touch_token(made.id, now_ms).await.expect("written");
        database.tokens().await.expect("listed")[0].last_used_at_ms
    };
    assert_eq!(used(1_000).await, Some(1_000));
    assert_eq!(used(60_999).await, Some(1_000));
    assert_eq!(used(61_000).await, Some(61_000));
    assert_eq!(used(5_000).await, Some(5_000), "a clock that was set back");
    database.touch_token(99, 1).await.expect("nobody is no fault");
}

#[tokio::test]
async fn a_session_lives_no_longer_than_its_token() {
    let fresh = fresh!();
    let database = &fresh.database;
    let made = database
        .create_token(&act(0), token("browser", 1, Some(500)))
        .await
        .expect("new");
    database
        .begin_session(&act(1), made.id, &[7; 32], 300)
        .await
        .expect("good");
    database
        .begin_session(&act(1), made.id, &[8; 32], 900)
        .await
        .expect("good");
    let known = async |byte: u8, now_ms: i64| {
        let found = database.session(&[byte; 32], now_ms).await.expect("read");
        found.map(|token| token.id)
    };
    assert_eq!(known(7, 299).await, Some(made.id));
    assert_eq!(known(7, 300).await, None, "it is over");
    assert_eq!(known(8, 499).await, Some(made.id));
    assert_eq!(known(8, 500).await, None, "its token has expired");
    assert_eq!(known(9, 0).await, None);
    database.end_session(&act(10), &[7; 32]).await.expect("ended");
    assert_eq!(known(7, 11).await, None);
    database
        .end_session(&act(11), &[7; 32])
        .await
        .expect("twice is no fault");
    database.revoke_token(&act(12), made.id).await.expect("known");
    assert_eq!(known(8, 13).await, None);
    for token in [made.id, 99] {
        let begun = database.begin_session(&act(14), token, &[9; 32], 900).await;
        assert!(matches!(begun, Err(StoreError::NoSuchToken(_))), "{begun:?}");
    }
}
