//! What becomes of a container while its log is followed.

use autotuner_deploy::containers::{Beginning, ContainerError, Item, Life};

use super::{Talker, containers, from_the_start, last, next, text, to_the_end};

#[tokio::test]
async fn one_that_was_never_started_is_waited_for() {
    let Some(talker) = Talker::create(&["out:hello\\n", "exit:3"], false).await else {
        return;
    };
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    talker.go().await;
    let (lines, others) = to_the_end(&mut viewer).await;
    assert_eq!(lines.iter().map(text).collect::<Vec<_>>(), ["hello"]);
    let stopped = Life::Stopped {
        exit_code: Some(3),
        out_of_memory: false,
    };
    assert_eq!(others.last(), Some(&Item::Life(stopped)));
}

#[tokio::test]
async fn a_restart_is_marked_between_the_lives() {
    let Some(talker) = Talker::start(&["out:alive\\n", "wait"]).await else {
        return;
    };
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    let mut seen = Vec::new();
    for round in 1..=3 {
        while seen.iter().filter(|word| *word == "alive").count() < round {
            for item in next(&mut viewer).await.unwrap() {
                seen.push(match item {
                    Item::Line(line) => text(&line),
                    Item::Life(Life::Started { .. }) => "started".to_owned(),
                    Item::Life(Life::Stopped { .. }) => "stopped".to_owned(),
                    other => panic!("{other:?}"),
                });
            }
        }
        if round < 3 {
            talker.docker.restart_container(&talker.name, None).await.unwrap();
        }
    }
    // Whether an end was seen between two lives depends on how long it lasted.
    seen.retain(|word| word != "stopped");
    let lives = seen.join(" ");
    assert_eq!(
        lives.trim_start_matches("started "),
        "alive started alive started alive"
    );
}

#[tokio::test]
async fn one_that_is_removed_is_said_to_be_gone_and_the_log_ends() {
    let Some(talker) = Talker::start(&["out:alive\\n", "wait"]).await else {
        return;
    };
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    assert!(matches!(&next(&mut viewer).await.unwrap()[0], Item::Line(_)));
    drop(talker);
    let mut last_word = None;
    while let Some(items) = next(&mut viewer).await {
        last_word = items.last().cloned();
    }
    assert_eq!(last_word, Some(Item::Life(Life::Removed)));
    let gone = containers.follow_log(&container, Beginning::With(last(1))).await;
    assert!(matches!(gone.err(), Some(ContainerError::NotFound { .. })));
}
