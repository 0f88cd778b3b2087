//! How a container is given exactly the GPUs that were set aside for it.
//!
//! A pure function from the GPUs and what the daemon can do to parts of a container's
//! description. GPUs go by their own ids, never by number or count, which change. A container
//! that is to have none is told so: on some machines every container gets all of them unless
//! it says otherwise.

use std::path::Path;

use autotuner_core::gpu::{GpuDevice, GpuVendor};
use bollard::models::{DeviceMapping, DeviceRequest, SystemInfo};

use crate::DeployError;

/// The variable by which the NVIDIA runtime is told which GPUs a container gets, and the word
/// for none.
const NVIDIA_VARIABLE: &str = "NVIDIA_VISIBLE_DEVICES";
const NVIDIA_NONE: &str = "void";

/// What NVIDIA's GPUs are called as CDI devices.
const CDI_KIND: &str = "nvidia.com/gpu=";

/// The program by which a daemon without a runtime of NVIDIA's still hands out GPUs, and where
/// such programs are.
const HOOK: &str = "nvidia-container-runtime-hook";
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/bin", "/usr/local/bin", "/usr/sbin", "/bin"];

/// In which ways this machine can hand GPUs to containers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct GpuSupport {
    /// NVIDIA's runtime, or the hook it works by, is installed.
    pub(crate) has_nvidia: bool,
    /// The container device interface is there, with these devices where it lists them.
    pub(crate) cdi: Option<Vec<String>>,
    /// The groups that own AMD's device files, by number.
    pub(crate) amd_groups: Vec<String>,
}

/// What of a container's description is about GPUs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct GpuParts {
    pub(crate) device_requests: Option<Vec<DeviceRequest>>,
    pub(crate) devices: Option<Vec<DeviceMapping>>,
    pub(crate) group_add: Option<Vec<String>>,
    /// Set last, over whatever a plan says.
    pub(crate) environment: Vec<(String, String)>,
}

impl GpuSupport {
    /// What the daemon says it can do.
    pub(crate) fn of(info: &SystemInfo) -> Self {
        let has_runtime = info
            .runtimes
            .as_ref()
            .is_some_and(|runtimes| runtimes.keys().any(|name| name.contains("nvidia")));
        let listed = info.discovered_devices.as_ref().map(|devices| {
            let ids = devices.iter().filter_map(|device| device.id.clone());
            ids.filter(|id| id.starts_with(CDI_KIND)).collect::<Vec<_>>()
        });
        let has_folders = info
            .cdi_spec_dirs
            .as_ref()
            .is_some_and(|folders| !folders.is_empty());
        let cdi = match listed {
            Some(listed) => Some(listed).filter(|listed| !listed.is_empty()),
            None => has_folders.then(Vec::new),
        };
        Self {
            has_nvidia: has_runtime,
            cdi,
            amd_groups: Vec::new(),
        }
    }

    /// Adds what only a look at the machine's files tells.
    pub(crate) fn with_files(mut self) -> Self {
        let has_hook = PROGRAM_FOLDERS
            .iter()
            .any(|folder| Path::new(folder).join(HOOK).exists());
        self.has_nvidia |= has_hook;
        self.amd_groups = amd_groups();
        self
    }
}

/// The parts for these GPUs.
pub(crate) fn parts(gpus: &[GpuDevice], support: &GpuSupport) -> Result<GpuParts, DeployError> {
    let Some(first) = gpus.first() else {
        return Ok(none());
    };
    if gpus.iter().any(|gpu| gpu.vendor != first.vendor) {
        return Err(DeployError::GpuRuntimeMissing {
            message: "GPUs of different makers cannot be given to one container".to_owned(),
        });
    }
    match first.vendor {
        GpuVendor::Nvidia => nvidia(gpus, support),
        GpuVendor::Amd => Ok(amd(gpus, support)),
    }
}

fn none() -> GpuParts {
    GpuParts {
        environment: vec![(NVIDIA_VARIABLE.to_owned(), NVIDIA_NONE.to_owned())],
        ..GpuParts::default()
    }
}

fn nvidia(gpus: &[GpuDevice], support: &GpuSupport) -> Result<GpuParts, DeployError> {
    let ids: Vec<String> = gpus.iter().map(|gpu| gpu.uuid.clone()).collect();
    let (request, visible) = if support.has_nvidia {
        let request = DeviceRequest {
            driver: Some("nvidia".to_owned()),
            device_ids: Some(ids.clone()),
            capabilities: Some(vec![vec!["gpu".to_owned()]]),
            ..DeviceRequest::default()
        };
        (request, ids.join(","))
    } else if let Some(listed) = &support.cdi {
        let request = DeviceRequest {
            driver: Some("cdi".to_owned()),
            device_ids: Some(gpus.iter().map(|gpu| cdi_name(gpu, listed)).collect()),
            ..DeviceRequest::default()
        };
        (request, NVIDIA_NONE.to_owned())
    } else {
        return Err(missing());
    };
    Ok(GpuParts {
        device_requests: Some(vec![request]),
        environment: vec![(NVIDIA_VARIABLE.to_owned(), visible)],
        ..GpuParts::default()
    })
}

/// This machine has no way to hand out GPUs.
pub(crate) fn missing() -> DeployError {
    DeployError::GpuRuntimeMissing {
        message: "Docker knows neither a runtime of NVIDIA's nor CDI devices: install the NVIDIA \
                  Container Toolkit, run `nvidia-ctk runtime configure --runtime=docker` and \
                  restart Docker"
            .to_owned(),
    }
}

/// Some toolkits name devices by number only.
fn cdi_name(gpu: &GpuDevice, listed: &[String]) -> String {
    let by_number = format!("{CDI_KIND}{}", gpu.index);
    let by_id = format!("{CDI_KIND}{}", gpu.uuid);
    if listed.contains(&by_number) && !listed.contains(&by_id) {
        by_number
    } else {
        by_id
    }
}

/// All device files are shared, and the variable says which of them count.
fn amd(gpus: &[GpuDevice], support: &GpuSupport) -> GpuParts {
    let device = |path: &str| DeviceMapping {
        path_on_host: Some(path.to_owned()),
        path_in_container: Some(path.to_owned()),
        cgroup_permissions: Some("rwm".to_owned()),
    };
    let visible: Vec<String> = gpus
        .iter()
        .map(|gpu| match gpu.uuid.starts_with("GPU-") {
            true => gpu.uuid.clone(),
            false => gpu.index.to_string(),
        })
        .collect();
    let groups = match support.amd_groups.as_slice() {
        [] => vec!["video".to_owned(), "render".to_owned()],
        groups => groups.to_vec(),
    };
    GpuParts {
        devices: Some(vec![device("/dev/kfd"), device("/dev/dri")]),
        group_add: Some(groups),
        environment: vec![
            ("ROCR_VISIBLE_DEVICES".to_owned(), visible.join(",")),
            (NVIDIA_VARIABLE.to_owned(), NVIDIA_NONE.to_owned()),
        ],
        ..GpuParts::default()
    }
}

/// The groups that own the device files: usually `video` and `render`, whose names an image
/// need not know.
fn amd_groups() -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let render = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
    let mut groups: Vec<String> = render
        .map(|entry| entry.path())
        .chain(std::iter::once("/dev/kfd".into()))
        .filter_map(|path| std::fs::metadata(path).ok())
        .filter(|metadata| !metadata.is_dir())
        .map(|metadata| metadata.gid().to_string())
        .collect();
    groups.sort();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gpu(index: u32, uuid: &str, vendor: GpuVendor) -> GpuDevice {
        GpuDevice {
            index,
            uuid: uuid.to_owned(),
            name: "a GPU".to_owned(),
            vendor,
            memory_bytes: 1 << 34,
        }
    }

    fn support(info: serde_json::Value) -> GpuSupport {
        GpuSupport::of(&serde_json::from_value(info).unwrap())
    }

    #[test]
    fn gpus_are_asked_for_in_the_way_the_daemon_knows() {
        let gpus = [
            gpu(2, "GPU-b", GpuVendor::Nvidia),
            gpu(0, "GPU-a", GpuVendor::Nvidia),
        ];
        let check = |info: serde_json::Value, expected: Option<(serde_json::Value, &str)>| {
            let found = parts(&gpus, &support(info.clone()));
            match (found, expected) {
                (Ok(found), Some((request, visible))) => {
                    assert_eq!(
                        serde_json::to_value(found.device_requests).unwrap(),
                        json!([request])
                    );
                    let expected = [("NVIDIA_VISIBLE_DEVICES".to_owned(), visible.to_owned())];
                    assert_eq!(found.environment, expected);
                    assert_eq!((found.devices, found.group_add), (None, None));
                }
                (Err(DeployError::GpuRuntimeMissing { .. }), None) => {}
                (other, _) => panic!("{info}: {other:?}"),
            }
        };
        let by_driver =
            json!({"Driver": "nvidia", "DeviceIDs": ["GPU-b", "GPU-a"], "Capabilities": [["gpu"]]});
        let by_cdi = json!({"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=GPU-b", "nvidia.com/gpu=GPU-a"]});
        let by_number = json!({"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=2", "nvidia.com/gpu=0"]});
        let nvidia = json!({"runc": {"path": "runc"}, "nvidia": {"path": "nvidia-container-runtime"}});
        check(
            json!({"Runtimes": nvidia}),
            Some((by_driver.clone(), "GPU-b,GPU-a")),
        );
        check(
            json!({"Runtimes": nvidia, "CDISpecDirs": ["/etc/cdi"]}),
            Some((by_driver, "GPU-b,GPU-a")),
        );
        let runc = json!({"runc": {"path": "runc"}});
        check(
            json!({"Runtimes": runc, "CDISpecDirs": ["/etc/cdi"]}),
            Some((by_cdi.clone(), "void")),
        );
        let listed = |ids: &[&str]| {
            let devices: Vec<_> = ids.iter().map(|id| json!({"Source": "cdi", "ID": id})).collect();
            json!({"Runtimes": runc, "CDISpecDirs": ["/etc/cdi"], "DiscoveredDevices": devices})
        };
        check(
            listed(&["nvidia.com/gpu=GPU-a", "nvidia.com/gpu=GPU-b", "nvidia.com/gpu=0"]),
            Some((by_cdi, "void")),
        );
        check(
            listed(&["nvidia.com/gpu=0", "nvidia.com/gpu=2"]),
            Some((by_number, "void")),
        );
        check(listed(&["vendor.com/net=0"]), None);
        check(json!({"Runtimes": runc}), None);
        check(json!({}), None);
    }

    #[test]
    fn gpus_of_amd_are_device_files_and_a_variable() {
        let check = |uuids: [&str; 2], visible: &str| {
            let gpus = [gpu(1, uuids[0], GpuVendor::Amd), gpu(3, uuids[1], GpuVendor::Amd)];
            let support = GpuSupport {
                amd_groups: vec!["44".to_owned(), "105".to_owned()],
                ..GpuSupport::default()
            };
            let found = parts(&gpus, &support).unwrap();
            let paths: Vec<_> = found
                .devices
                .unwrap()
                .into_iter()
                .map(|device| device.path_on_host.unwrap())
                .collect();
            assert_eq!(paths, ["/dev/kfd", "/dev/dri"]);
            assert_eq!(found.group_add.unwrap(), ["44", "105"]);
            assert_eq!(found.device_requests, None);
            assert_eq!(found.environment[0].1, visible);
        };
        check(["GPU-1a", "GPU-2b"], "GPU-1a,GPU-2b");
        check(["0x1a", "0x2b"], "1,3");
    }

    #[test]
    fn an_engine_without_gpus_is_shut_off_from_all() {
        let nvidia = json!({"Runtimes": {"nvidia": {"path": "x"}}, "DefaultRuntime": "nvidia"});
        let found = parts(&[], &support(nvidia)).unwrap();
        assert_eq!(found, none());
        assert_eq!(found.environment[0].1, "void");
    }

    #[test]
    fn makers_are_not_mixed() {
        let gpus = [
            gpu(0, "GPU-a", GpuVendor::Nvidia),
            gpu(0, "GPU-b", GpuVendor::Amd),
        ];
        let support = support(json!({"Runtimes": {"nvidia": {"path": "x"}}}));
        assert!(parts(&gpus, &support).is_err());
    }
}
