//! Logs of containers: whole, in order, and no line twice, whatever comes in between.

mod cable;
mod followed;
mod interrupted;
mod lives;
mod tricky;

use std::time::Duration;

use autotuner_deploy::containers::{
    Beginning, Container, ContainerName, Containers, Item, Life, Line, LogQuery, LogStream, Surroundings,
    Viewer,
};
use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::CreateContainerOptionsBuilder;
use tokio::time::timeout;

use crate::common::unique_name;
use crate::image::engine_image;
use crate::support::{PATIENCE, docker, host, remove};

/// A container that prints what a test wants, and goes with the test.
pub(crate) struct Talker {
    pub(crate) docker: Docker,
    pub(crate) name: String,
}

impl Talker {
    /// Creates a container for these steps, and does not start it.
    pub(crate) async fn create(steps: &[&str], has_terminal: bool) -> Option<Self> {
        let docker = docker().await?;
        let image = engine_image(&docker).await;
        Some(Self::at(docker, &image, steps, has_terminal).await)
    }

    /// The same at any daemon, without a network.
    pub(crate) async fn at(docker: Docker, image: &str, steps: &[&str], has_terminal: bool) -> Self {
        let name = format!("autotuner-deploy-log-{}", unique_name());
        let command = std::iter::once("script").chain(steps.iter().copied());
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            network_disabled: Some(true),
            cmd: Some(command.map(str::to_owned).collect()),
            tty: Some(has_terminal),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        docker.create_container(Some(options), body).await.unwrap();
        Self { docker, name }
    }

    /// The same, started.
    pub(crate) async fn start(steps: &[&str]) -> Option<Self> {
        let talker = Self::create(steps, false).await?;
        talker.go().await;
        Some(talker)
    }

    pub(crate) async fn go(&self) {
        self.docker.start_container(&self.name, None).await.unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) {
        crate::support::until("the container has ended", async || {
            let found = self.docker.inspect_container(&self.name, None).await.unwrap();
            found.state.unwrap().running == Some(false)
        })
        .await;
    }

    pub(crate) async fn seen_by(&self, containers: &Containers) -> Container {
        let name: ContainerName = self.name.parse().unwrap();
        containers.resolve(&name).await.unwrap()
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let (docker, name) = (self.docker.clone(), self.name.clone());
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(remove(&docker, &name));
        });
        let _ = clean.join();
    }
}

/// Everybody's containers, seen afresh: nothing is shared with anybody else.
pub(crate) fn containers() -> Containers {
    Containers::new(Surroundings {
        host: host(),
        ..Surroundings::default()
    })
}

/// All of a log as it is now.
pub(crate) fn everything() -> LogQuery {
    last(usize::MAX / 64)
}

pub(crate) fn last(tail: usize) -> LogQuery {
    LogQuery {
        tail,
        ..LogQuery::default()
    }
}

pub(crate) fn from_the_start() -> Beginning {
    Beginning::With(everything())
}

/// What a viewer is given next, in good time.
pub(crate) async fn next(viewer: &mut Viewer) -> Option<Vec<Item>> {
    let chunk = timeout(PATIENCE, viewer.next())
        .await
        .expect("something in time")
        .unwrap();
    chunk.map(|chunk| chunk.items().to_vec())
}

/// Reads until the container has stopped, and answers with its lines and with everything else.
pub(crate) async fn to_the_end(viewer: &mut Viewer) -> (Vec<Line>, Vec<Item>) {
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    while let Some(items) = next(viewer).await {
        for item in items {
            match item {
                Item::Line(line) => lines.push(line),
                other => others.push(other),
            }
        }
        if matches!(
            others.last(),
            Some(Item::Life(Life::Stopped { .. } | Life::Removed))
        ) {
            break;
        }
    }
    (lines, others)
}

pub(crate) fn text(line: &Line) -> String {
    String::from_utf8_lossy(&line.text).into_owned()
}

/// The numbers that the script's `both` has printed to one stream.
pub(crate) fn numbers(lines: &[Line], stream: LogStream) -> Vec<usize> {
    let of_stream = lines.iter().filter(|line| line.stream == stream);
    of_stream
        .map(|line| text(line).split(' ').nth(1).unwrap().parse().unwrap())
        .collect()
}

/// Checks that both streams have every number of this range once and in order.
#[track_caller]
pub(crate) fn assert_whole(lines: &[Line], first: usize, count: usize) {
    for (stream, remainder) in [(LogStream::Output, 0), (LogStream::Errors, 1)] {
        let expected: Vec<usize> = (first..count).filter(|number| number % 2 == remainder).collect();
        let found = numbers(lines, stream);
        assert!(
            found == expected,
            "{stream:?}: {} lines of {}, first difference at {:?}",
            found.len(),
            expected.len(),
            found
                .iter()
                .zip(&expected)
                .find(|(found, expected)| found != expected)
        );
    }
}

pub(crate) const SHORT: Duration = Duration::from_millis(100);
