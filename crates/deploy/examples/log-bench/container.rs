//! A container that prints, and goes when it is no longer needed.

use std::time::Duration;

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptionsBuilder};
use tokio::time::sleep;

use crate::Failure;

pub(crate) struct Container {
    docker: Docker,
    pub(crate) id: String,
}

impl Container {
    pub(crate) async fn create(image: &str, lines: usize) -> Result<Self, Failure> {
        let docker = Docker::connect_with_socket_defaults()?
            .negotiate_version()
            .await?;
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: Some(vec!["print".to_owned(), lines.to_string()]),
            ..ContainerCreateBody::default()
        };
        let created = docker
            .create_container(None::<CreateContainerOptions>, body)
            .await?;
        Ok(Self {
            docker,
            id: created.id,
        })
    }

    pub(crate) async fn start(&self) -> Result<(), Failure> {
        Ok(self.docker.start_container(&self.id, None).await?)
    }

    pub(crate) async fn ended(&self) -> Result<(), Failure> {
        loop {
            let found = self.docker.inspect_container(&self.id, None).await?;
            if found.state.and_then(|state| state.running) == Some(false) {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn remove(self) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        Ok(self.docker.remove_container(&self.id, Some(options)).await?)
    }
}
