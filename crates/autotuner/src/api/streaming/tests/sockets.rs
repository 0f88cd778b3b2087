//! Events over WebSockets, with a real connection.

use autotuner_core::ids::{ExperimentNumber, TaskId};
use autotuner_store::Role;
use axum::Extension;
use axum::http::StatusCode;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::support::{Fresh, PATIENCE, caller};
use crate::service::events::{Event, Kind};

/// A server on a port of its own, until this is dropped.
struct Server {
    fresh: Fresh,
    address: String,
    _serving: JoinSet<()>,
}

type Socket = WebSocketStream<TcpStream>;

async fn serve(fresh: Fresh) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let router = fresh.router.clone().layer(Extension(caller(Role::Viewer)));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        axum::serve(listener, router).await.expect("serves");
    });
    Server {
        fresh,
        address,
        _serving: serving,
    }
}

impl Server {
    async fn connect(&self, path: &str) -> Result<Socket, Error> {
        let stream = TcpStream::connect(&self.address).await.expect("connected");
        let url = format!("ws://{}{path}", self.address);
        let connected = timeout(PATIENCE, tokio_tungstenite::client_async(url, stream)).await;
        connected.expect("in time").map(|(socket, _)| socket)
    }

    fn publish(&self, kind: Kind, task: TaskId, number: Option<u32>) {
        self.fresh.service.events.publish(Event {
            experiment: number.map(ExperimentNumber),
            ..Event::of_task(kind, task)
        });
    }
}

/// The next frame that is no ping.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("in time")? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(other) => panic!("nobody sends {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_socket_of_a_task_is_greeted_and_told() {
    let fresh = Fresh::new().await;
    let task = fresh.pending("one").await;
    let server = serve(fresh).await;
    let mut socket = server.connect("/api/ws/tasks/1").await.expect("let in");
    assert_eq!(
        next(&mut socket).await,
        Some(json!({ "type": "connection_established", "task_id": 1, "message": "Listening to task 1" }))
    );
    server.publish(Kind::TaskStarted, TaskId(2), None);
    server.publish(Kind::TaskStarted, task, None);
    server.publish(Kind::ExperimentStarted, task, Some(1));
    assert_eq!(
        next(&mut socket).await,
        Some(json!({ "type": "task_started", "task_id": 1, "timestamp": 1_700_000_000.25 }))
    );
    assert_eq!(
        next(&mut socket).await,
        Some(json!({
            "type": "experiment_started",
            "task_id": 1,
            "timestamp": 1_700_000_000.25,
            "experiment_id": 1,
        }))
    );
    socket.send(Message::text("ignored")).await.expect("sent");
    server.publish(Kind::TaskDeleted, task, None);
    assert_eq!(next(&mut socket).await.expect("a frame")["type"], "task_deleted");
    server.fresh.service.shutdown.soft.cancel();
    assert_eq!(next(&mut socket).await, None, "the server stops");
}

#[tokio::test]
async fn subscribers_are_counted() {
    let fresh = Fresh::new().await;
    fresh.pending("one").await;
    let server = serve(fresh).await;
    let count = async || server.fresh.get("/api/ws/tasks/1/subscribers").await.json();
    assert_eq!(
        count().await,
        json!({ "task_id": 1, "subscriber_count": 0, "status": "inactive" })
    );
    let socket = server.connect("/api/ws/tasks/1").await.expect("let in");
    assert_eq!(
        count().await,
        json!({ "task_id": 1, "subscriber_count": 1, "status": "active" })
    );
    drop(socket);
    let gone = async {
        while count().await["subscriber_count"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("in time");
    let missing = server.fresh.get("/api/ws/tasks/9/subscribers").await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn what_is_not_there_is_said_before_the_upgrade() {
    let fresh = Fresh::new().await;
    fresh.pending("one").await;
    let server = serve(fresh).await;
    for path in ["/api/ws/tasks/9", "/api/ws/experiments/9"] {
        match server.connect(path).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), StatusCode::NOT_FOUND),
            other => panic!("{path}: {other:?}"),
        }
    }
    let plain = server.fresh.get("/api/ws/tasks/1").await;
    assert_eq!(plain.status, StatusCode::UPGRADE_REQUIRED);
    assert_eq!(plain.json()["code"], "no_websocket");
}

#[tokio::test]
async fn a_socket_of_an_experiment_is_about_that_one_for_ever() {
    let fresh = Fresh::new().await;
    let claim = fresh.running("one").await;
    let task = claim.task;
    let number = fresh.begin(&claim).await;
    let page = autotuner_store::Page { skip: 0, limit: 1 };
    let listed = fresh.service.database.experiments(page).await.expect("listed");
    let path = format!("/api/ws/experiments/{}", listed.rows[0].id);
    let server = serve(fresh).await;
    let mut socket = server.connect(&path).await.expect("let in");
    let greeting = next(&mut socket).await.expect("a greeting");
    assert_eq!(greeting["type"], "connection_established");
    assert_eq!(
        (&greeting["task_id"], &greeting["experiment_id"]),
        (&json!(1), &json!(1))
    );
    server.publish(Kind::ExperimentStarted, task, Some(2));
    server.publish(Kind::ExperimentStarted, task, Some(1));
    server.publish(Kind::ExperimentFailed, task, Some(1));
    for expected in ["experiment_started", "experiment_failed"] {
        assert_eq!(next(&mut socket).await.expect("a frame")["type"], expected);
    }
    server.fresh.break_down(&claim, number).await;
    let claim = server.fresh.run_again(&claim).await;
    server.fresh.begin(&claim).await;
    server.publish(Kind::ExperimentStarted, task, Some(1));
    server.publish(Kind::ExperimentCompleted, task, Some(1));
    let left = async {
        while server.fresh.service.events.listeners(task) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, left).await.expect("in time");
    server.fresh.service.shutdown.soft.cancel();
    assert_eq!(
        next(&mut socket).await,
        None,
        "nothing of the new run's first experiment"
    );
}

#[tokio::test]
async fn a_socket_that_is_late_is_told_and_gets_the_latest() {
    let fresh = Fresh::new().await;
    let task = fresh.pending("one").await;
    let server = serve(fresh).await;
    let mut socket = server.connect("/api/ws/tasks/1").await.expect("let in");
    next(&mut socket).await.expect("a greeting");
    // One runtime, one thread: nobody reads while this goes on.
    for _ in 0..250 {
        server.publish(Kind::TaskUpdated, task, None);
    }
    let resync = next(&mut socket).await.expect("a frame");
    assert_eq!(
        (&resync["type"], &resync["task_id"]),
        (&json!("resync"), &json!(1))
    );
    for _ in 0..100 {
        assert_eq!(next(&mut socket).await.expect("a frame")["type"], "task_updated");
    }
    server.publish(Kind::TaskDeleted, task, None);
    assert_eq!(next(&mut socket).await.expect("a frame")["type"], "task_deleted");
}
