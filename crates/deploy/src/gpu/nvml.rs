//! NVIDIA GPUs by way of the driver's own library, NVML.
//!
//! The library is loaded when first asked and let go when it fails, so that a driver that is
//! updated or reset meanwhile is met afresh. A call may block, for ever on a broken driver:
//! this file must be used from a thread that may. It does not run `nvidia-smi`.

use std::collections::BTreeMap;

use autotuner_core::gpu::{ComputeMode, GpuDevice, GpuHealth, GpuState, GpuVendor};
use nvml_wrapper::enum_wrappers::device::{ComputeMode as NvmlMode, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::processes::GpuProcess;

/// What the library had to say.
#[derive(Debug)]
pub(super) enum Answer {
    /// The GPUs.
    Gpus(Vec<GpuState>),
    /// There is no NVIDIA driver in this kernel.
    NoDriver,
    /// The library is not here, or is too old for what we ask: another way may work.
    NoLibrary,
    /// It failed, in its own words.
    Failed(String),
}

/// What the library had to say of processes.
#[derive(Debug)]
pub(super) enum Listed {
    /// Those that use a GPU.
    All(Vec<GpuProcess>),
    /// There is no NVIDIA driver in this kernel, or its library is not here or too old.
    NoDriver,
    /// It failed.
    Failed,
}

/// The library, once loaded.
#[derive(Debug, Default)]
pub(super) struct Library {
    loaded: Option<Nvml>,
    /// Up to when each GPU's record of its processes has been read, in the driver's own time.
    read_until: BTreeMap<String, u64>,
}

impl Library {
    /// All GPUs as they are now.
    pub(super) fn look(&mut self) -> Answer {
        let nvml = match self.loaded.take().map_or_else(Nvml::init, Ok) {
            Ok(nvml) => nvml,
            Err(error) => return unusable(&error),
        };
        match all(&nvml) {
            Ok(gpus) => {
                self.loaded = Some(nvml);
                Answer::Gpus(gpus)
            }
            Err(error) => unusable(&error),
        }
    }

    /// The processes that use a GPU now.
    pub(super) fn processes(&mut self) -> Listed {
        let nvml = match self.loaded.take().map_or_else(Nvml::init, Ok) {
            Ok(nvml) => nvml,
            Err(error) => return unlisted(&error),
        };
        match users(&nvml, &mut self.read_until) {
            Ok(processes) => {
                self.loaded = Some(nvml);
                Listed::All(processes)
            }
            Err(error) => unlisted(&error),
        }
    }
}

fn unlisted(error: &NvmlError) -> Listed {
    match unusable(error) {
        Answer::NoDriver | Answer::NoLibrary => Listed::NoDriver,
        Answer::Gpus(_) | Answer::Failed(_) => Listed::Failed,
    }
}

fn users(nvml: &Nvml, read_until: &mut BTreeMap<String, u64>) -> Result<Vec<GpuProcess>, NvmlError> {
    let mut found = Vec::new();
    for index in 0..nvml.device_count()? {
        let device = match nvml.device_by_index(index) {
            Ok(device) => device,
            // A batch system's way of saying that it is somebody else's.
            Err(NvmlError::NoPermission) => continue,
            Err(error) => return Err(error),
        };
        let uuid = device.uuid()?;
        let name = device.name()?;
        let busy = busy(&device, read_until.entry(uuid.clone()).or_default());
        for process in told(device.running_compute_processes())?.unwrap_or_default() {
            found.push(GpuProcess {
                pid: process.pid,
                index,
                uuid: uuid.clone(),
                name: name.clone(),
                memory_bytes: match process.used_gpu_memory {
                    UsedGpuMemory::Used(bytes) => Some(bytes),
                    UsedGpuMemory::Unavailable => None,
                },
                utilization_percent: busy.get(&process.pid).copied(),
            });
        }
    }
    Ok(found)
}

/// How busy each process has kept a GPU since the last asking. Some GPUs keep no such record,
/// and none has an entry for a process that did nothing.
fn busy(device: &Device<'_>, read_until: &mut u64) -> BTreeMap<u32, u32> {
    let mut latest: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
    for sample in device.process_utilization_stats(*read_until).unwrap_or_default() {
        let seen = latest.entry(sample.pid).or_default();
        *seen = (*seen).max((sample.timestamp, sample.sm_util));
        *read_until = (*read_until).max(sample.timestamp);
    }
    latest
        .into_iter()
        .map(|(pid, (_, percent))| (pid, percent))
        .collect()
}

fn unusable(error: &NvmlError) -> Answer {
    match error {
        NvmlError::DriverNotLoaded => Answer::NoDriver,
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::FailedToLoadSymbol(_) => {
            Answer::NoLibrary
        }
        error => Answer::Failed(error.to_string()),
    }
}

fn all(nvml: &Nvml) -> Result<Vec<GpuState>, NvmlError> {
    let mut gpus = Vec::new();
    for place in 0..nvml.device_count()? {
        // Programs that compute count only those that they may use, and so do we.
        let index = u32::try_from(gpus.len()).unwrap_or(u32::MAX);
        match nvml
            .device_by_index(place)
            .and_then(|device| state(index, &device))
        {
            Ok(state) => gpus.push(state),
            // A batch system's way of saying that it is somebody else's.
            Err(NvmlError::NoPermission) => {}
            Err(error @ (NvmlError::FailedToLoadSymbol(_) | NvmlError::Uninitialized)) => return Err(error),
            Err(error) => gpus.push(broken(index, &error)),
        }
    }
    Ok(gpus)
}

/// One that cannot even tell its name.
fn broken(index: u32, error: &NvmlError) -> GpuState {
    let device = GpuDevice {
        index,
        uuid: format!("index-{index}"),
        name: "NVIDIA GPU".to_owned(),
        vendor: GpuVendor::Nvidia,
        memory_bytes: 0,
    };
    GpuState {
        health: GpuHealth::Broken(error.to_string()),
        ..GpuState::unknown(device)
    }
}

fn state(index: u32, device: &Device<'_>) -> Result<GpuState, NvmlError> {
    let memory = told(device.memory_info())?;
    let identity = GpuDevice {
        index,
        uuid: device.uuid()?,
        name: device.name()?,
        vendor: GpuVendor::Nvidia,
        memory_bytes: memory.as_ref().map_or(0, |memory| memory.total),
    };
    let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
    let is_split = told(device.mig_mode())
        .ok()
        .flatten()
        .is_some_and(|mode| mode.current == 1);
    Ok(GpuState {
        // What the driver keeps for itself is no use of anybody's.
        memory_used_bytes: memory.map(|memory| memory.used),
        utilization_percent: told(device.utilization_rates())?.and_then(|rates| u8::try_from(rates.gpu).ok()),
        temperature_c: told(device.temperature(TemperatureSensor::Gpu))?,
        power_w: told(device.power_usage())?.map(watts),
        power_limit_w: told(device.enforced_power_limit())?.map(watts),
        processes: told(device.running_compute_processes_count())?,
        compute_mode: match told(device.compute_mode())? {
            Some(NvmlMode::Prohibited) => ComputeMode::Prohibited,
            Some(NvmlMode::ExclusiveProcess | NvmlMode::ExclusiveThread) => ComputeMode::Exclusive,
            Some(NvmlMode::Default) | None => ComputeMode::Shared,
        },
        health: if is_split {
            GpuHealth::Split
        } else {
            GpuHealth::Usable
        },
        device: identity,
    })
}

/// What this GPU does not tell is unknown; what says that the GPU is gone is an error, as is
/// what says that the library is too old.
fn told<T>(answer: Result<T, NvmlError>) -> Result<Option<T>, NvmlError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(
            error @ (NvmlError::GpuLost
            | NvmlError::ResetRequired
            | NvmlError::FailedToLoadSymbol(_)
            | NvmlError::Uninitialized),
        ) => Err(error),
        Err(_) => Ok(None),
    }
}
