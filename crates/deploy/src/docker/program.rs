//! Whether a container has the program it is to run.
//!
//! Without the init program the daemon itself says so when the container is started. With it,
//! the start succeeds and the container ends a moment later with a line in its log: that looks
//! like an engine that crashed. So it is looked for before the start. What cannot be found out
//! counts as found.

use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;

use super::connect::{Daemon, LOOK};
use super::container::Look;
use super::error::{Failed, Reason};
use crate::DeployError;

/// Where programs are looked up in an image that does not say.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How Docker marks directories and links among the modes of files, as Go does.
const DIRECTORY: u32 = 1 << 31;
const LINK: u32 = 1 << 27;
const EXECUTABLE: u32 = 0o111;

/// Refuses a container whose program is not there or cannot be run.
pub(crate) async fn check(daemon: &Daemon, id: &str, image: &str) -> Result<(), Failed> {
    let Some(look) = daemon.look(id).await? else {
        return Ok(());
    };
    let Some(program) = look.command.first() else {
        return Ok(());
    };
    for candidate in candidates(program, &look) {
        if may_be_run(daemon, id, &candidate).await {
            return Ok(());
        }
    }
    Err(Failed::Ours(DeployError::ProgramMissing {
        program: daemon.redact(program),
        searched: format!(" in the image {image}, or not to be run there"),
    }))
}

async fn may_be_run(daemon: &Daemon, id: &str, path: &str) -> bool {
    let options = ContainerArchiveInfoOptionsBuilder::new().path(path).build();
    let call = daemon.docker().get_container_archive_info(id, Some(options));
    match daemon.call(LOOK, call).await {
        Ok(found) => is_program(found.file_mode),
        Err(failed) => failed.reason() != Some(Reason::NoContainer),
    }
}

/// Where a link leads is not looked at.
fn is_program(mode: u32) -> bool {
    mode & LINK != 0 || (mode & DIRECTORY == 0 && mode & EXECUTABLE != 0)
}

/// Every place where the program may be.
fn candidates(program: &str, look: &Look) -> Vec<String> {
    let join = |folder: &str| format!("{}/{program}", folder.trim_end_matches('/'));
    if program.starts_with('/') {
        return vec![program.to_owned()];
    }
    if program.contains('/') {
        return vec![join(&look.working_dir)];
    }
    let folders = look.search_path.as_deref().unwrap_or(USUAL_PATH);
    folders.split(':').map(join).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_program_is_looked_for_where_the_container_would() {
        let check = |program: &str, config: serde_json::Value, expected: &[&str]| {
            let look = Look::of(serde_json::from_value(json!({ "Config": config })).unwrap());
            assert_eq!(candidates(program, &look), expected, "{program} {config}");
        };
        let config = json!({"Env": ["A=b", "PATH=/opt/bin/:/bin"], "WorkingDir": "/work"});
        check("/engine", config.clone(), &["/engine"]);
        check("bin/engine", config.clone(), &["/work/bin/engine"]);
        check("engine", config, &["/opt/bin/engine", "/bin/engine"]);
        check("./engine", json!({}), &["/./engine"]);
        let usual = candidates("engine", &Look::of(Default::default()));
        assert_eq!(usual.len(), 6);
    }

    #[test]
    fn only_what_can_be_run_is_a_program() {
        let check = |mode: u32, expected: bool| assert_eq!(is_program(mode), expected, "{mode:o}");
        check(0o755, true);
        check(0o100, true);
        check(0o644, false);
        check(DIRECTORY | 0o755, false);
        check(LINK | 0o777, true);
    }
}
