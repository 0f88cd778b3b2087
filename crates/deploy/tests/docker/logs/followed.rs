//! Logs that are followed: complete, shared, and each viewer at its own pace.

use autotuner_deploy::containers::{Beginning, Item, Life, LogStream};
use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::cable::Cable;
use super::{
    SHORT, Talker, assert_whole, containers, everything, from_the_start, last, next, numbers, text,
    to_the_end,
};

#[tokio::test]
async fn whoever_reads_late_gets_all_of_a_container_that_has_ended_meanwhile() {
    const READERS: usize = 20;
    const LINES: usize = 20_000;
    if crate::support::docker().await.is_none() {
        return;
    }
    let mut complete = 0;
    for _ in 0..READERS / 4 {
        let readers = (0..4).map(|_| late_reader(LINES));
        complete += join_all(readers)
            .await
            .into_iter()
            .filter(|is_whole| *is_whole)
            .count();
    }
    println!("{complete} of {READERS} late readers have all {LINES} lines");
    assert_eq!(complete, READERS);
}

/// Whether somebody who begins to read only when a container has ended gets all of it.
async fn late_reader(count: usize) -> bool {
    let talker = Talker::create(&[&format!("flood:{count}")], false).await.unwrap();
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    talker.go().await;
    talker.ended().await;
    let (lines, _) = to_the_end(&mut viewer).await;
    let is_sound = |(number, line)| text(line).starts_with(&format!("line {number:08} "));
    lines.len() == count && lines.iter().enumerate().all(is_sound)
}

#[tokio::test]
async fn a_live_log_that_is_opened_again_and_again_has_no_gap() {
    const OPENINGS: usize = 60;
    let Some(talker) = Talker::start(&["both:1000000:400"]).await else {
        return;
    };
    let shared = containers();
    let (mut lines_seen, mut gaps) = (0, 0);
    for opening in 0..OPENINGS {
        // Every other one like the first of a server that was just started.
        let containers = if opening % 2 == 0 {
            containers()
        } else {
            shared.clone()
        };
        let container = talker.seen_by(&containers).await;
        let mut viewer = containers
            .follow_log(&container, Beginning::With(last(50)))
            .await
            .unwrap();
        let mut lines = Vec::new();
        while lines.len() < 300 {
            for item in next(&mut viewer).await.unwrap() {
                match item {
                    Item::Line(line) => lines.push(line),
                    Item::Life(Life::Started { .. }) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        for stream in [LogStream::Output, LogStream::Errors] {
            let numbers = numbers(&lines, stream);
            gaps += numbers.windows(2).filter(|pair| pair[1] != pair[0] + 2).count();
        }
        lines_seen += lines.len();
    }
    println!("{OPENINGS} openings of a live log, {lines_seen} lines: {gaps} gaps");
    assert_eq!(gaps, 0);
}

#[tokio::test]
async fn twenty_viewers_cost_the_daemon_one_reading() {
    const VIEWERS: usize = 20;
    const LINES: usize = 3_000;
    let Some(talker) = Talker::create(&[&format!("both:{LINES}:300")], false).await else {
        return;
    };
    let cable = Cable::new().await;
    let containers = cable.containers();
    let container = talker.seen_by(&containers).await;
    let mut viewers = Vec::new();
    for _ in 0..VIEWERS {
        viewers.push(containers.follow_log(&container, from_the_start()).await.unwrap());
    }
    talker.go().await;
    let mut readers = JoinSet::new();
    for mut viewer in viewers {
        readers.spawn(async move { to_the_end(&mut viewer).await.0 });
    }
    while let Some(lines) = readers.join_next().await {
        assert_whole(&lines.unwrap(), 0, LINES);
    }
    let followed = cable.requests("follow=1");
    println!("{VIEWERS} viewers of one container: {followed} followed stream(s) of the daemon");
    // One that came before its start may have been opened again at it.
    assert!((1..=2).contains(&followed), "{followed}");
}

#[tokio::test]
async fn who_falls_behind_holds_up_nobody_and_misses_nothing() {
    const LINES: usize = 60_000;
    let Some(talker) = Talker::create(&[&format!("flood:{LINES}"), "wait"], false).await else {
        return;
    };
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut quick = containers.follow_log(&container, from_the_start()).await.unwrap();
    let mut slow = containers.follow_log(&container, from_the_start()).await.unwrap();
    talker.go().await;
    for viewer in [&mut quick, &mut slow] {
        let mut number = 0;
        while number < LINES {
            for item in next(viewer).await.unwrap() {
                match item {
                    Item::Line(line) => {
                        assert!(
                            text(&line).starts_with(&format!("line {number:08} ")),
                            "{number}: {line:?}"
                        );
                        number += 1;
                    }
                    Item::Life(Life::Started { .. }) => {}
                    other => panic!("after {number}: {other:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn the_last_lines_are_exactly_as_many_as_were_asked_for() {
    let steps = [
        "both:500:0",
        "long:out:40000",
        "long:err:40000",
        "sleep:500",
        "out:last\\n",
    ];
    let Some(talker) = Talker::start(&steps).await else {
        return;
    };
    talker.ended().await;
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    for tail in [0, 1, 2, 3, 4, 100, 502, 503, 504, 10_000] {
        let found = containers.find_in_log(&container, &last(tail)).await.unwrap();
        assert_eq!(found.lines.len(), tail.min(503), "{tail}");
        assert_eq!(found.is_cut, tail < 503, "{tail}");
        if let Some(line) = found.lines.last() {
            assert_eq!(text(line), "last");
        }
    }
    let all = containers
        .find_in_log(&container, &everything())
        .await
        .unwrap()
        .lines;
    let mut query = everything();
    query.since = Some(all[400].stamp);
    let found = containers.find_in_log(&container, &query).await.unwrap().lines;
    assert!(all.ends_with(&found) || found.iter().all(|line| line.stamp >= all[400].stamp));
    assert!((100..=110).contains(&found.len()), "{}", found.len());
    query.until = Some(all[450].stamp);
    let found = containers.find_in_log(&container, &query).await.unwrap().lines;
    assert!((40..=60).contains(&found.len()), "{}", found.len());
    let mut query = everything();
    query.search = Some(regex::bytes::Regex::new(r"^out \d\d?$").unwrap());
    let found = containers.find_in_log(&container, &query).await.unwrap();
    assert_eq!(
        (found.lines.len(), found.matching, found.looked_at),
        (50, 50, 503)
    );
    query.tail = 3;
    let found = containers.find_in_log(&container, &query).await.unwrap();
    let texts: Vec<String> = found.lines.iter().map(text).collect();
    assert_eq!(
        (texts.join(" "), found.matching),
        ("out 94 out 96 out 98".to_owned(), 50)
    );
}

#[tokio::test]
async fn only_what_is_new_comes_where_no_history_is_wanted() {
    let Some(talker) = Talker::start(&["both:100:0", "sleep:1500", "out:new 100\\n"]).await else {
        return;
    };
    let containers = containers();
    tokio::time::sleep(SHORT * 5).await;
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers
        .follow_log(&container, Beginning::With(last(0)))
        .await
        .unwrap();
    let (lines, _) = to_the_end(&mut viewer).await;
    let texts: Vec<String> = lines.iter().map(text).collect();
    assert_eq!(texts, ["new 100"]);
}

#[tokio::test]
async fn who_wants_more_history_than_others_gets_what_comes_as_they_do() {
    let steps = ["flood:2000", "sleep:2000", "out:late\\n", "exit:0"];
    let Some(talker) = Talker::start(&steps).await else {
        return;
    };
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut little = containers
        .follow_log(&container, Beginning::With(last(10)))
        .await
        .unwrap();
    let mut much = containers
        .follow_log(&container, Beginning::With(last(1_500)))
        .await
        .unwrap();
    for viewer in [&mut much, &mut little] {
        let (lines, others) = to_the_end(viewer).await;
        assert_eq!(text(lines.last().unwrap()), "late");
        assert!(
            matches!(others.last(), Some(Item::Life(Life::Stopped { .. }))),
            "{others:?}"
        );
        assert!(
            !others.iter().any(|item| matches!(item, Item::Gap(_))),
            "{others:?}"
        );
    }
}

#[tokio::test]
async fn the_last_lines_of_one_stream_are_found_behind_those_of_the_other() {
    let Some(talker) = Talker::start(&["err:one\\n", "err:two\\n", "flood:3000"]).await else {
        return;
    };
    talker.ended().await;
    let containers = containers();
    let container = talker.seen_by(&containers).await;
    let mut query = last(10);
    query.stream = Some(LogStream::Errors);
    let found = containers.find_in_log(&container, &query).await.unwrap();
    assert_eq!(found.lines.iter().map(text).collect::<Vec<_>>(), ["one", "two"]);
    query.stream = Some(LogStream::Output);
    let found = containers.find_in_log(&container, &query).await.unwrap();
    assert_eq!((found.lines.len(), found.is_cut), (10, true));
}

#[tokio::test]
async fn a_line_that_takes_long_to_end_comes_whole_though_the_other_stream_goes_on() {
    // Its first piece comes seconds before its last, and others are printed meanwhile.
    let half = format!("err:{}", "x".repeat(20_000));
    let mut steps = vec![half.as_str()];
    steps.extend(["out:meanwhile\\n", "sleep:1000"].repeat(7));
    steps.extend(["err:end\\n", "exit:0"]);
    let Some(talker) = Talker::start(&steps).await else {
        return;
    };
    let first = containers();
    let container = talker.seen_by(&first).await;
    let mut viewer = first.follow_log(&container, from_the_start()).await.unwrap();
    let (lines, _) = to_the_end(&mut viewer).await;
    let long = lines
        .iter()
        .find(|line| line.stream == LogStream::Errors)
        .unwrap();
    assert_eq!(long.text.len(), 20_003);
    assert!(long.text.ends_with(b"xend"));
    assert_eq!(lines.len(), 8);
}
