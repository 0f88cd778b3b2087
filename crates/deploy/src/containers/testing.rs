//! For unit tests: containers that are nowhere.

use super::{Container, ContainerId};

/// A container of this number in this state.
pub(super) fn container(number: u8, state: &str) -> Container {
    Container {
        id: ContainerId::read(&format!("{number:064x}")).unwrap(),
        name: format!("container-{number}"),
        image: "image".into(),
        image_id: None,
        state: state.into(),
        created_at: None,
        started_at: None,
        finished_at: None,
        exit_code: None,
        out_of_memory: false,
        error: None,
        restarts: 0,
        health: None,
        has_terminal: false,
        log_driver: None,
        network: None,
        ports: Default::default(),
        labels: Default::default(),
        command: String::new(),
        pid: None,
        ownership: None,
    }
}
