//! Where an engine finds its model: on this machine, in a container, or at a hub.
//!
//! The one idea: an absolute path is a model that is here. A local program is given that
//! path; a container is given a read-only view of it and the path inside. To a cluster a path is
//! one in its pods: on a volume that the task names, or in the image. Two layouts need
//! more than the path itself to be seen: a hub's cache, whose snapshots are links into the
//! same model's folder, and a GGUF model in several files. Nothing here looks at a disk.

use std::path::{Component, Path, PathBuf};

use super::{Mount, PlanRequest};
use crate::task::DeploymentMode;

/// Where a container sees models of this machine.
const MODELS: &str = "/models";

/// A model as an engine is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// What to tell the engine: a path where it runs, or a hub id.
    pub(crate) name: String,
    /// What a container must see for that.
    pub(crate) mounts: Vec<Mount>,
    /// Whether the engine fetches it from a hub.
    pub(crate) from_hub: bool,
}

impl Placed {
    /// A model of which only the name matters.
    pub(crate) fn by_name(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            mounts: Vec::new(),
            from_hub: false,
        }
    }
}

/// Places a request's model.
pub(crate) fn place(request: &PlanRequest<'_>) -> Placed {
    if let Some(path) = &request.settings.model_path {
        return Placed::by_name(path);
    }
    let named = request.model.id_or_path.as_str();
    let path = Path::new(named);
    let is_contained = request.deployment == DeploymentMode::Docker;
    if !is_contained || !path.is_absolute() {
        return Placed {
            name: named.to_owned(),
            mounts: Vec::new(),
            from_hub: !path.is_absolute(),
        };
    }
    let seen = seen_through(path);
    let name = seen
        .file_name()
        .map_or_else(|| "model".into(), |name| name.to_string_lossy());
    let target = format!("{MODELS}/{name}");
    let inside = path
        .strip_prefix(&seen)
        .ok()
        .filter(|rest| !rest.as_os_str().is_empty());
    let name = match inside {
        Some(rest) => format!("{target}/{}", rest.display()),
        None => target.clone(),
    };
    Placed {
        name,
        mounts: vec![Mount { source: seen, target }],
        from_hub: false,
    }
}

/// The path that must be seen for all of the model to be there.
fn seen_through(path: &Path) -> PathBuf {
    let parts: Vec<Component<'_>> = path.components().collect();
    let is_named = |index: usize, test: fn(&str) -> bool| {
        parts
            .get(index)
            .and_then(|part| part.as_os_str().to_str())
            .is_some_and(test)
    };
    let in_cache = (1..parts.len()).find(|&index| {
        is_named(index, |name| name == "snapshots")
            && is_named(index - 1, |name| name.starts_with("models--"))
    });
    if let Some(snapshots) = in_cache {
        return parts[..snapshots].iter().collect();
    }
    let is_shard = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(is_shard);
    match path.parent() {
        Some(parent) if is_shard && parent != Path::new("/") => parent.to_owned(),
        _ => parts.iter().collect(),
    }
}

/// Whether the name is that of one file of several: `name-00001-of-00003.gguf`.
fn is_shard(name: &str) -> bool {
    let number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((rest, total)) = name
        .strip_suffix(".gguf")
        .and_then(|stem| stem.rsplit_once("-of-"))
    else {
        return false;
    };
    number(total) && rest.rsplit_once('-').is_some_and(|(_, index)| number(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Candidate;
    use crate::task::{EngineSettings, Model, Resources};

    fn placed(id_or_path: &str, deployment: DeploymentMode) -> Placed {
        place(&PlanRequest {
            model: &Model {
                id_or_path: id_or_path.into(),
                namespace: "n".into(),
                served_name: "m".into(),
            },
            settings: &EngineSettings::default(),
            resources: &Resources::default(),
            candidate: &Candidate::engine_default(),
            deployment,
        })
    }

    #[test]
    fn a_local_program_is_told_what_was_asked_for() {
        for (named, from_hub) in [("/m/a", false), ("org/name", true)] {
            let placed = placed(named, DeploymentMode::Local);
            assert_eq!((placed.name.as_str(), placed.from_hub), (named, from_hub));
            assert_eq!(placed.mounts, []);
        }
    }

    #[test]
    fn a_model_that_somebody_else_puts_there_is_where_they_put_it() {
        let placed = place(&PlanRequest {
            model: &Model {
                id_or_path: "org/name".into(),
                namespace: "n".into(),
                served_name: "m".into(),
            },
            settings: &EngineSettings {
                model_path: Some("$(MODEL_PATH)".into()),
                ..EngineSettings::default()
            },
            resources: &Resources::default(),
            candidate: &Candidate::engine_default(),
            deployment: DeploymentMode::Kubernetes,
        });
        assert_eq!(placed, Placed::by_name("$(MODEL_PATH)"));
    }

    #[test]
    fn a_container_sees_the_model_and_no_more() {
        let check = |path: &str, source: &str, target: &str, name: &str| {
            let placed = placed(path, DeploymentMode::Docker);
            let mount = Mount {
                source: source.into(),
                target: target.into(),
            };
            assert_eq!((placed.name.as_str(), placed.from_hub), (name, false), "{path}");
            assert_eq!(placed.mounts, [mount], "{path}");
        };
        check("/data/m/qwen", "/data/m/qwen", "/models/qwen", "/models/qwen");
        check("/data/m/qwen/", "/data/m/qwen", "/models/qwen", "/models/qwen");
        check("/m/a.gguf", "/m/a.gguf", "/models/a.gguf", "/models/a.gguf");
        check(
            "/m/a-00001-of-00003.gguf",
            "/m",
            "/models/m",
            "/models/m/a-00001-of-00003.gguf",
        );
        check(
            "/c/hub/models--o--n/snapshots/12ab",
            "/c/hub/models--o--n",
            "/models/models--o--n",
            "/models/models--o--n/snapshots/12ab",
        );
        check(
            "/m/a-1-of-3.gguf",
            "/m/a-1-of-3.gguf",
            "/models/a-1-of-3.gguf",
            "/models/a-1-of-3.gguf",
        );
        check(
            "/a-00001-of-00003.gguf",
            "/a-00001-of-00003.gguf",
            "/models/a-00001-of-00003.gguf",
            "/models/a-00001-of-00003.gguf",
        );
    }

    #[test]
    fn a_hub_id_needs_no_mount() {
        let placed = placed("org/name", DeploymentMode::Docker);
        assert_eq!((placed.name.as_str(), placed.from_hub), ("org/name", true));
        assert_eq!(placed.mounts, []);
    }
}
