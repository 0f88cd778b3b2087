//! Presets.

use autotuner_store::{NewPreset, Page, StoreError};
use serde_json::json;

use crate::support::act;

fn preset(name: &str, category: Option<&str>) -> NewPreset {
    NewPreset {
        name: name.into(),
        description: None,
        category: category.map(Into::into),
        runtime: Some("vllm".into()),
        is_system: false,
        parameters: json!({ "z": [1, 2.5], "a": [true, null] }),
        metadata: Some(json!({ "author": "us" })),
    }
}

#[tokio::test]
async fn presets_are_kept_listed_changed_and_removed() {
    let fresh = fresh!();
    let database = &fresh.database;
    let second = database
        .create_preset(&act(1), preset("b", Some("memory")))
        .await
        .expect("new");
    let first = database
        .create_preset(&act(2), preset("a", None))
        .await
        .expect("new");
    assert_eq!(database.preset(first.id).await.expect("known"), first);
    assert_eq!(first.preset, preset("a", None));
    assert_eq!((first.created_at_ms, first.updated_at_ms), (2, 2));
    assert_eq!(
        database.presets(None).await.expect("listed"),
        [first.clone(), second.clone()]
    );
    assert_eq!(
        database.presets(Some("memory")).await.expect("listed"),
        std::slice::from_ref(&second)
    );
    assert_eq!(database.presets(Some("none")).await.expect("listed"), []);
    let changed = database
        .update_preset(&act(3), first.id, preset("c", Some("memory")))
        .await
        .expect("known");
    assert_eq!(
        (changed.id, changed.created_at_ms, changed.updated_at_ms),
        (first.id, 2, 3)
    );
    assert_eq!(changed.preset, preset("c", Some("memory")));
    database.delete_preset(&act(4), second.id).await.expect("known");
    assert_eq!(database.presets(None).await.expect("listed"), [changed]);
}

#[tokio::test]
async fn names_are_unique_and_strangers_are_named() {
    let fresh = fresh!();
    let database = &fresh.database;
    let told = |error: StoreError| error.to_string();
    let first = database
        .create_preset(&act(0), preset("a", None))
        .await
        .expect("new");
    let second = database
        .create_preset(&act(0), preset("b", None))
        .await
        .expect("new");
    let taken = "Preset with name 'a' already exists";
    let again = database.create_preset(&act(0), preset("a", None)).await;
    assert_eq!(again.map_err(told), Err(taken.into()));
    let renamed = database
        .update_preset(&act(0), second.id, preset("a", None))
        .await;
    assert_eq!(renamed.map_err(told), Err(taken.into()));
    database
        .update_preset(&act(0), first.id, preset("a", None))
        .await
        .expect("its own name");
    let unknown = "Preset with id 99 not found";
    assert_eq!(database.preset(99).await.map_err(told), Err(unknown.into()));
    assert_eq!(
        database.delete_preset(&act(0), 99).await.map_err(told),
        Err(unknown.into())
    );
    let changed = database.update_preset(&act(0), 99, preset("x", None)).await;
    assert_eq!(changed.map_err(told), Err(unknown.into()));
}

#[tokio::test]
async fn what_comes_with_the_product_is_made_once_and_left_as_it_is() {
    let fresh = fresh!();
    let database = &fresh.database;
    let seeds = || vec![preset("a", None), preset("b", None)];
    database.seed_presets(seeds(), 1).await.expect("made");
    let made = database.presets(None).await.expect("listed");
    assert_eq!(made.len(), 2);
    let changed = database
        .update_preset(&act(2), made[0].id, preset("a", Some("mine")))
        .await
        .expect("known");
    database.seed_presets(seeds(), 3).await.expect("made");
    assert_eq!(
        database.presets(None).await.expect("listed"),
        [changed, made[1].clone()]
    );
    let log = database
        .audit(Page { skip: 0, limit: 10 })
        .await
        .expect("readable");
    assert_eq!(log.total, 1, "only a person's acts are told of");
}
