use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;

struct Fixed;

impl Clock for Fixed {
    fn now_ms(&self) -> i64 {
        1_700_000_000_250
    }
}

const TASK: TaskId = TaskId(7);

/// As streams of a browser are: never hurried, and what is old is of no use after a resync.
const STREAM: Patience = Patience {
    most_unheard: usize::MAX,
    kept: 0,
};

fn hub() -> Hub {
    Hub::new("boot".into(), Arc::new(Fixed))
}

fn progress(number: u32) -> Event {
    Event {
        experiment: Some(ExperimentNumber(number)),
        ..Event::of_task(Kind::BenchmarkProgress, TASK)
    }
}

/// The numbers of everything that is there to be heard; 0 for a resync.
fn heard(subscription: &mut Subscription) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(notice) = subscription.next().now_or_never() {
        numbers.push(match notice {
            Notice::Event(event) => event.number,
            Notice::Resync => 0,
        });
    }
    numbers
}

fn publish(hub: &Hub, count: u32) {
    for _ in 0..count {
        hub.publish(Event::of_task(Kind::TaskUpdated, TASK));
    }
}

#[test]
fn an_event_is_one_line_of_json() {
    let check = |event: Event, expected: &str| {
        let hub = hub();
        let mut listener = hub.subscribe(Filter::Everything, STREAM, None);
        hub.publish(event);
        let Some(Notice::Event(event)) = listener.next().now_or_never() else {
            panic!("nothing heard");
        };
        assert_eq!(event.json, expected);
    };
    check(
        Event::of_task(Kind::TaskStarted, TASK),
        r#"{"type":"task_started","task_id":7,"timestamp":1700000000.25}"#,
    );
    check(
        Event {
            message: Some("two\r\nlines\n\ndata: x".into()),
            data: json!({ "status": "a\nb" }),
            ..progress(3)
        },
        r#"{"type":"benchmark_progress","task_id":7,"timestamp":1700000000.25,"experiment_id":3,"message":"two\r\nlines\n\ndata: x","data":{"status":"a\nb"}}"#,
    );
    check(
        Event {
            kind: Kind::Warning,
            task: None,
            experiment: None,
            message: Some("é".repeat(LONGEST_MESSAGE)),
            data: json!("x".repeat(LONGEST_DATA)),
        },
        &format!(
            r#"{{"type":"warning","timestamp":1700000000.25,"message":"{}","data":{{"left_out_bytes":{}}}}}"#,
            "é".repeat(LONGEST_MESSAGE / 2),
            LONGEST_DATA + 2
        ),
    );
}

#[test]
fn listeners_hear_what_they_want_from_now_on() {
    let hub = hub();
    publish(&hub, 1);
    let mut everything = hub.subscribe(Filter::Everything, STREAM, None);
    let mut task = hub.subscribe(Filter::Task(TASK), STREAM, None);
    let mut experiment = hub.subscribe(Filter::Experiment(TASK, ExperimentNumber(2)), STREAM, None);
    hub.publish(Event::of_task(Kind::TaskStarted, TaskId(8)));
    hub.publish(progress(1));
    hub.publish(progress(2));
    assert_eq!(heard(&mut everything), [2, 3, 4]);
    assert_eq!(heard(&mut task), [3, 4]);
    assert_eq!(heard(&mut experiment), [4]);
    assert!(heard(&mut everything).is_empty(), "nothing twice");
    hub.publish(Event::of_task(Kind::TaskStarted, TaskId(8)));
    assert!(heard(&mut task).is_empty());
    assert_eq!(task.position(), "boot-5", "what is not wanted is passed over");
}

#[test]
fn a_broken_stream_goes_on_where_it_was() {
    let hub = hub();
    publish(&hub, 5);
    let check = |after: &str, expected: &[u64]| {
        let mut listener = hub.subscribe(Filter::Everything, STREAM, Some(after));
        assert_eq!(heard(&mut listener), expected, "{after}");
        assert_eq!(listener.position(), "boot-5", "{after}");
    };
    check("boot-0", &[1, 2, 3, 4, 5]);
    check("boot-3", &[4, 5]);
    check("boot-5", &[]);
    check("boot-6", &[0]);
    check("another-3", &[0]);
    check("boot-18446744073709551615", &[0]);
    check("boot-18446744073709551616", &[0]);
    check("boot--1", &[0]);
    check("3", &[0]);
    check("", &[0]);
}

#[test]
fn who_comes_too_late_is_told() {
    let hub = hub();
    let mut slow = hub.subscribe(Filter::Task(TASK), STREAM, None);
    publish(&hub, 5000);
    assert_eq!(heard(&mut slow), [0]);
    publish(&hub, 1);
    assert_eq!(heard(&mut slow), [5001], "and goes on from there");
    let mut late = hub.subscribe(Filter::Everything, STREAM, Some("boot-10"));
    assert_eq!(heard(&mut late), [0]);
    let mut in_time = hub.subscribe(Filter::Everything, STREAM, Some("boot-4900"));
    assert_eq!(heard(&mut in_time).len(), 101);
}

#[test]
fn sockets_lose_the_oldest_and_are_told() {
    let hub = hub();
    let patience = Patience {
        most_unheard: 100,
        kept: 100,
    };
    let mut socket = hub.subscribe(Filter::Task(TASK), patience, None);
    publish(&hub, 100);
    hub.publish(Event::of_task(Kind::TaskUpdated, TaskId(8)));
    assert_eq!(
        heard(&mut socket),
        (1..=100).collect::<Vec<_>>(),
        "others do not count"
    );
    publish(&hub, 150);
    let numbers = heard(&mut socket);
    assert_eq!((numbers[0], numbers[1], numbers.len()), (0, 152, 101));
    assert_eq!(numbers.last(), Some(&251));
}

#[test]
fn a_flood_of_progress_makes_nobody_late() {
    let hub = hub();
    let mut slow = hub.subscribe(Filter::Everything, STREAM, None);
    publish(&hub, 1);
    for _ in 0..50_000 {
        hub.publish(progress(1));
        hub.publish(progress(2));
    }
    assert_eq!(heard(&mut slow), [1, 100_000, 100_001]);
    hub.publish(progress(1));
    assert_eq!(heard(&mut slow), [100_002], "who keeps up hears each");
}

#[test]
fn listeners_of_a_task_are_counted_while_they_live() {
    let hub = hub();
    let everything = hub.subscribe(Filter::Everything, STREAM, None);
    let first = hub.subscribe(Filter::Task(TASK), STREAM, None);
    let second = hub.subscribe(Filter::Experiment(TASK, ExperimentNumber(1)), STREAM, None);
    assert_eq!((hub.listeners(TASK), hub.listeners(TaskId(8))), (2, 0));
    drop((everything, first));
    assert_eq!(hub.listeners(TASK), 1);
    drop(second);
    assert_eq!(hub.listeners(TASK), 0);
    assert!(hub.shared.state().listeners.is_empty());
}

#[test]
fn hubs_have_names_of_their_own() {
    let (first, second) = (Hub::default(), Hub::default());
    assert_ne!(first.boot(), second.boot());
    assert!(!first.boot().contains('-'));
    let listener = first.subscribe(Filter::Everything, STREAM, None);
    assert_eq!(listener.position(), format!("{}-0", first.boot()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_publishers_and_listeners_lose_nothing() {
    let hub = hub();
    let listeners: Vec<_> = (0..8)
        .map(|_| {
            let mut listener = hub.subscribe(Filter::Everything, STREAM, None);
            tokio::spawn(async move {
                for expected in 1..=4000 {
                    let Notice::Event(event) = listener.next().await else {
                        panic!("late within the ring");
                    };
                    assert_eq!(event.number, expected);
                }
            })
        })
        .collect();
    let publishers: Vec<_> = (0..4)
        .map(|_| {
            let hub = hub.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    publish(&hub, 10);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let all = async {
        for task in publishers.into_iter().chain(listeners) {
            task.await.expect("no panic");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .expect("in time");
}
