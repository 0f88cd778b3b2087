//! The audit log: one row an act, none that can be changed unseen, no secrets.

use autotuner_store::{Act, NewPreset, NewToken, Page, Role, Store};
use serde_json::json;

use crate::support::{Fresh, act, broken, next, raw, task};

const ALL: Page = Page { skip: 0, limit: 1000 };

async fn actions(fresh: &Fresh) -> Vec<String> {
    let log = fresh.database.audit(ALL).await.expect("readable");
    assert_eq!(log.total, log.rows.len() as u64);
    let actions = log.rows.iter().rev();
    actions
        .map(|row| format!("{} {}", row.action, row.target))
        .collect()
}

#[tokio::test]
async fn each_act_is_one_row() {
    let fresh = fresh!();
    let database = &fresh.database;
    let made = database
        .create_task(&act(1), task("a"))
        .await
        .expect("new")
        .summary
        .id;
    database.describe_task(&act(2), made, None).await.expect("known");
    database
        .edit_task(&act(3), made, task("a"))
        .await
        .expect("pending");
    let new = database
        .replace_task(&act(4), made, task("a"))
        .await
        .expect("pending")
        .summary
        .id;
    database.start_task(&act(5), new).await.expect("pending");
    let claim = database
        .claim("worker", 5, 10)
        .await
        .expect("claims")
        .expect("to run");
    let store = database.run_store(&claim);
    let number = store.begin_experiment(new, next(1), 6).await.expect("held");
    store
        .finish_experiment(new, number, Err(broken()), 7)
        .await
        .expect("legal");
    database.release(&claim).await.expect("held");
    database.cancel_task(&act(8), new).await.expect("running");
    database.restart_task(&act(9), new, None).await.expect("ended");
    database.clear_task(&act(10), new).await.expect("pending");
    database.delete_task(&act(11), new).await.expect("pending");
    let preset = NewPreset {
        name: "p".into(),
        description: None,
        category: None,
        runtime: None,
        is_system: false,
        parameters: json!({}),
        metadata: None,
    };
    let kept = database
        .create_preset(&act(12), preset.clone())
        .await
        .expect("new")
        .id;
    database
        .update_preset(&act(13), kept, preset)
        .await
        .expect("known");
    database.delete_preset(&act(14), kept).await.expect("known");
    let token = NewToken {
        name: "t".into(),
        role: Role::Admin,
        hash: [0xab; 32],
        expires_at_ms: None,
    };
    let token = database.create_token(&act(15), token).await.expect("new").id;
    database.touch_token(token, 16).await.expect("written");
    database
        .begin_session(&act(16), token, &[0xcd; 32], 100)
        .await
        .expect("good");
    database.end_session(&act(17), &[0xcd; 32]).await.expect("ended");
    database
        .end_session(&act(17), &[0xcd; 32])
        .await
        .expect("nothing happened");
    database.revoke_token(&act(18), token).await.expect("known");
    database
        .note(&act(19), "log.clear", "task 2", None)
        .await
        .expect("written");
    let expected = [
        "task.create task 1",
        "task.describe task 1",
        "task.edit task 1",
        "task.replace task 2",
        "task.start task 2",
        "task.cancel task 2",
        "task.restart task 2",
        "task.clear task 2",
        "task.delete task 2",
        "preset.create preset 1",
        "preset.update preset 1",
        "preset.delete preset 1",
        "token.create token 1",
        "session.begin token 1",
        "session.end token 1",
        "token.revoke token 1",
        "log.clear task 2",
    ];
    assert_eq!(actions(&fresh).await, expected);
    assert_eq!(database.verify_audit().await.expect("readable"), None);
    let log = database.audit(ALL).await.expect("readable");
    let told = format!("{log:?}").to_lowercase();
    assert!(
        !told.contains("abab") && !told.contains("cdcd") && !told.contains("171, 171"),
        "{told}"
    );
}

#[tokio::test]
async fn a_row_tells_who_when_from_where_and_what() {
    let fresh = fresh!();
    let who = Act {
        actor: "ci".into(),
        role: Role::Admin,
        address: Some("10.0.0.7".into()),
        at_ms: 77,
    };
    let detail = json!({ "why": "it was large" });
    let noted = fresh
        .database
        .note(&who, "log.clear", "task 3", Some(detail.clone()))
        .await;
    noted.expect("written");
    let log = fresh.database.audit(ALL).await.expect("readable");
    let row = &log.rows[0];
    assert_eq!((row.id, &row.act, row.action.as_str()), (1, &who, "log.clear"));
    assert_eq!((row.target.as_str(), &row.detail), ("task 3", &Some(detail)));
}

#[tokio::test]
async fn pages_come_latest_first() {
    let fresh = fresh!();
    for index in 0..5 {
        let name = format!("act {index}");
        fresh
            .database
            .note(&act(index), &name, "it", None)
            .await
            .expect("written");
    }
    let ids = async |skip: u64, limit: u64| {
        let log = fresh
            .database
            .audit(Page { skip, limit })
            .await
            .expect("readable");
        assert_eq!(log.total, 5);
        log.rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 2).await, [5, 4]);
    assert_eq!(ids(3, 9).await, [2, 1]);
    assert_eq!(ids(5, 9).await, [] as [i64; 0]);
    assert_eq!(ids(u64::MAX, 9).await, [] as [i64; 0]);
}

#[tokio::test]
async fn another_hand_is_seen() {
    let changes = [
        ("UPDATE audit SET actor = 'other' WHERE id = 3", 3),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE id = 1", 1),
        ("UPDATE audit SET address = '' WHERE id = 2", 2),
        ("UPDATE audit SET detail = NULL WHERE id = 4", 4),
        ("UPDATE audit SET target = 'task 9' WHERE id = 5", 5),
        ("UPDATE audit SET hash = ZEROS WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 5", 5),
        ("DELETE FROM audit", 1),
        (
            "INSERT INTO audit SELECT 6, at_ms, actor, role, address, action, target, detail, hash FROM audit WHERE id = 5",
            6,
        ),
    ];
    for (change, broken) in changes {
        let fresh = fresh!();
        for index in 0..5 {
            let detail = Some(json!({ "index": index }));
            fresh
                .database
                .note(&act(index), "act", "it", detail)
                .await
                .expect("written");
        }
        assert_eq!(fresh.database.verify_audit().await.expect("readable"), None);
        let zeros = fresh.either("zeroblob(32)", "decode(repeat('00', 32), 'hex')");
        raw(&fresh, &change.replace("ZEROS", zeros)).await;
        assert_eq!(
            fresh.database.verify_audit().await.expect("readable"),
            Some(broken),
            "{change}"
        );
    }
}
