//! Followers that are cut off and come back, and a daemon that is away for a while.

use autotuner_deploy::containers::{Beginning, Item, Life, Place};
use rand::{Rng as _, RngExt as _, SeedableRng as _};

use super::cable::Cable;
use super::{Talker, assert_whole, containers, from_the_start, next, to_the_end};

#[tokio::test]
async fn a_hundred_disconnections_lose_nothing_and_repeat_nothing() {
    const LINES: usize = 12_000;
    const CUTS: usize = 100;
    let Some(talker) = Talker::start(&[&format!("both:{LINES}:500")]).await else {
        return;
    };
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let shared = containers();
    let (mut place, mut lines) = (String::new(), Vec::new());
    let mut cuts = 0;
    loop {
        // Every other time the server, too, was started anew.
        let containers = if random.next_u32() % 2 == 0 {
            containers()
        } else {
            shared.clone()
        };
        let container = talker.seen_by(&containers).await;
        let beginning = match place.parse::<Place>() {
            Ok(place) => Beginning::After(place),
            Err(_) => from_the_start(),
        };
        let mut viewer = containers.follow_log(&container, beginning).await.unwrap();
        let wanted = if cuts < CUTS {
            random.random_range(1..200)
        } else {
            usize::MAX
        };
        let (mut got, mut has_ended) = (0, false);
        'reading: while let Ok(Some(chunk)) = viewer.next().await {
            for (item, after) in chunk.placed() {
                match item {
                    Item::Line(line) => {
                        lines.push(line.clone());
                        place = after.to_string();
                        got += 1;
                    }
                    Item::Life(Life::Stopped { .. }) => {
                        has_ended = true;
                        break 'reading;
                    }
                    Item::Life(_) => {}
                    Item::Gap(why) => panic!("{why}"),
                }
                // In the middle of what came together.
                if got >= wanted {
                    break 'reading;
                }
            }
        }
        if has_ended {
            break;
        }
        cuts += 1;
    }
    assert!(cuts >= CUTS, "it ended after {cuts} cuts");
    assert_whole(&lines, 0, LINES);
    println!("{cuts} disconnections, {} lines: 0 lost, 0 twice", lines.len());
}

#[tokio::test]
async fn a_daemon_that_is_away_for_a_while_is_told_of_and_nothing_is_lost() {
    const LINES: usize = 8_000;
    let Some(talker) = Talker::start(&[&format!("both:{LINES}:400")]).await else {
        return;
    };
    let cable = Cable::new().await;
    let containers = cable.containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    let mut lines = Vec::new();
    let mut told = Vec::new();
    for round in 0..3 {
        let wanted = lines.len() + 500;
        while lines.len() < wanted {
            collect(next(&mut viewer).await.unwrap(), &mut lines, &mut told);
        }
        cable.cut();
        while told
            .iter()
            .filter(|life| matches!(life, Life::DaemonAway { .. }))
            .count()
            <= round
        {
            collect(next(&mut viewer).await.unwrap(), &mut lines, &mut told);
        }
        cable.mend();
    }
    let (rest, others) = to_the_end(&mut viewer).await;
    lines.extend(rest);
    assert!(
        others
            .iter()
            .any(|item| matches!(item, Item::Life(Life::DaemonBack))),
        "{others:?}"
    );
    assert_whole(&lines, 0, LINES);
    let Some(Life::DaemonAway { reason }) = told.iter().find(|life| matches!(life, Life::DaemonAway { .. }))
    else {
        panic!("{told:?}");
    };
    assert!(reason.contains("the Docker daemon at"), "{reason}");
}

fn collect(items: Vec<Item>, lines: &mut Vec<autotuner_deploy::containers::Line>, told: &mut Vec<Life>) {
    for item in items {
        match item {
            Item::Line(line) => lines.push(line),
            Item::Life(life) => told.push(life),
            Item::Gap(why) => panic!("{why}"),
        }
    }
}
