//! A daemon that is not there, does not answer, or goes away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use autotuner_deploy::docker::{DockerConfig, DockerDeployer, Policy};
use autotuner_deploy::{DeployError, Deployer as _, DeploymentStatus, Instance};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{PATIENCE, World, host, until};

/// Connects to a daemon at this socket.
async fn connect(folder: &Path, socket: &Path) -> Result<DockerDeployer, DeployError> {
    let instance = Instance::claim(&folder.join("instances"), "tests").unwrap();
    DockerDeployer::connect(DockerConfig {
        instance: Arc::new(instance),
        host: Some(format!("unix://{}", socket.display())),
        hub_cache: None,
        environment: vec![],
        shm_bytes: 1 << 20,
        policy: Policy::anything(),
    })
    .await
}

#[tokio::test]
async fn what_keeps_us_from_the_daemon_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let check = async |name: &str, expected: &str| {
        let socket = folder.path().join(name);
        let refused = connect(folder.path(), &socket).await;
        let Err(error @ DeployError::TargetGone { .. }) = refused else {
            panic!("{name}: {refused:?}");
        };
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(expected), "{name}: {text}");
    };
    check("absent.sock", "install and start Docker").await;
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("deserted.sock")).unwrap());
    check("deserted.sock", "start the Docker daemon").await;
}

/// Answers one request after the other with these texts.
async fn answering(socket: &Path, answers: &'static [&'static str]) -> JoinHandle<()> {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
}

#[tokio::test]
async fn a_daemon_that_wants_another_version_of_its_api_gets_it() {
    const TOO_NEW: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
        client version 1.53 is too new. Maximum supported API version is 1.41";
    const VERSION: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
        {\"ApiVersion\": \"1.41\"}";
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("old.sock");
    let daemon = answering(&socket, &[TOO_NEW, VERSION]).await;
    let connected = connect(folder.path(), &socket).await;
    assert!(connected.is_ok(), "{connected:?}");
    daemon.await.unwrap();
    drop(connected);

    let stubborn = folder.path().join("stubborn.sock");
    let daemon = answering(&stubborn, &[TOO_NEW, TOO_NEW]).await;
    let text = connect(folder.path(), &stubborn).await.unwrap_err().to_string();
    assert!(text.contains("agree on an API version"), "{text}");
    daemon.await.unwrap();
}

/// A socket before the daemon's that can be cut.
struct Proxy {
    socket: PathBuf,
    open: Option<CancellationToken>,
}

impl Proxy {
    fn new(folder: &Path) -> Self {
        Self {
            socket: folder.join("proxy.sock"),
            open: None,
        }
    }

    fn daemon() -> PathBuf {
        let host = host().unwrap_or_default();
        let path = host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock");
        path.into()
    }

    fn open(&mut self) {
        let open = CancellationToken::new();
        let listener = UnixListener::bind(&self.socket).unwrap();
        let close = open.clone();
        tokio::spawn(open.clone().run_until_cancelled_owned(async move {
            loop {
                let (mut ours, _) = listener.accept().await.unwrap();
                tokio::spawn(close.clone().run_until_cancelled_owned(async move {
                    let mut theirs = UnixStream::connect(Self::daemon()).await.unwrap();
                    let _ = copy_bidirectional(&mut ours, &mut theirs).await;
                }));
            }
        }));
        self.open = Some(open);
    }

    fn cut(&mut self) {
        if let Some(open) = self.open.take() {
            open.cancel();
        }
        std::fs::remove_file(&self.socket).unwrap();
    }
}

#[tokio::test]
async fn a_daemon_that_goes_away_disturbs_the_engine_and_is_waited_for_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut proxy = Proxy::new(folder.path());
    proxy.open();
    let address = format!("unix://{}", proxy.socket.display());
    let Some(world) = World::with(|config| config.host = Some(address)).await else {
        return;
    };
    let plan = world.plan(&["serve", "HOST", "PORT", "x"]);
    let deployment = world.launch(&plan, "cut").await.unwrap();
    world.wait(&plan, &deployment).await.unwrap();
    assert_eq!(
        world.deployer.status(&deployment).await.unwrap(),
        DeploymentStatus::Running
    );
    proxy.cut();
    let status = world.deployer.status(&deployment).await;
    assert!(
        matches!(status, Err(DeployError::TargetGone { .. })),
        "{status:?}"
    );
    let (stopped, ()) = tokio::join!(world.deployer.stop(&deployment, PATIENCE), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        proxy.open();
    });
    stopped.unwrap();
    world.assert_nothing_left().await;
    let text = std::fs::read_to_string(&deployment.log_file).unwrap();
    assert_eq!(text, "x listens\n");

    let deployment = world.launch(&plan, "cut-again").await.unwrap();
    world.wait(&plan, &deployment).await.unwrap();
    proxy.cut();
    proxy.open();
    until("it counts as disturbed", async || {
        let status = world.deployer.status(&deployment).await;
        matches!(status, Err(DeployError::Interrupted { .. }))
    })
    .await;
    world.deployer.stop(&deployment, Duration::ZERO).await.unwrap();
    world.assert_nothing_left().await;
}
