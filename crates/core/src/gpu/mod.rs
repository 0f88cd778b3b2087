//! GPUs as the brain knows them: which there are, how they are, and which to take.
//!
//! The one idea: what a driver tells is data. Reading it, choosing from it and summing it up
//! are functions of that data alone. Nothing in here asks a driver, and what a driver does
//! not tell stays unknown instead of becoming a zero.

mod choose;
mod smi;
mod usage;
mod visible;

pub use choose::{Choice, ChoiceRules, NotEnough, Obstacle, choose, obstacle};
pub use smi::{SMI_APPS_QUERY, SMI_QUERIES, SmiError, read_smi};
pub use usage::{GpuUse, Span, UseRecorder};
pub use visible::visible;

/// One GPU of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GpuDevice {
    /// Its number among those that we may use: in the order of the PCI bus, each vendor's
    /// from 0.
    pub index: u32,
    /// The driver's own name for it, the same after a reboot: `GPU-5f2c…`.
    pub uuid: String,
    /// What it is called: `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Who made it.
    pub vendor: GpuVendor,
    /// Its memory in bytes; 0 where it shares the machine's memory and names no size.
    pub memory_bytes: u64,
}

/// Who made a GPU, which decides how an engine is given it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GpuVendor {
    /// NVIDIA.
    Nvidia,
    /// AMD.
    Amd,
}

impl GpuVendor {
    /// Every vendor.
    pub const ALL: [Self; 2] = [Self::Nvidia, Self::Amd];

    /// The vendor with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.as_str() == word)
    }

    /// The word used in files and APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia",
            Self::Amd => "amd",
        }
    }
}

/// How one GPU is at one moment. What the driver does not tell is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct GpuState {
    /// Which one.
    pub device: GpuDevice,
    /// Memory in use, bytes.
    pub memory_used_bytes: Option<u64>,
    /// Share of the last moments in which something was computed, percent.
    pub utilization_percent: Option<u8>,
    /// Temperature of the chip, degrees Celsius.
    pub temperature_c: Option<u32>,
    /// Power drawn, watts.
    pub power_w: Option<f64>,
    /// Power it may draw, watts.
    pub power_limit_w: Option<f64>,
    /// Processes that compute on it.
    pub processes: Option<u32>,
    /// Who may compute on it.
    pub compute_mode: ComputeMode,
    /// Whether it can be given to an engine at all.
    pub health: GpuHealth,
}

/// Who may compute on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ComputeMode {
    /// Any number of processes.
    #[default]
    Shared,
    /// One process at a time.
    Exclusive,
    /// Nobody.
    Prohibited,
}

/// Whether a GPU can be given to an engine at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GpuHealth {
    /// It can.
    #[default]
    Usable,
    /// It is split into instances (MIG), and whole it cannot be used.
    Split,
    /// It does not work, in the driver's words.
    Broken(String),
}

impl GpuState {
    /// A state of which nothing is known yet.
    pub fn unknown(device: GpuDevice) -> Self {
        Self {
            device,
            memory_used_bytes: None,
            utilization_percent: None,
            temperature_c: None,
            power_w: None,
            power_limit_w: None,
            processes: None,
            compute_mode: ComputeMode::default(),
            health: GpuHealth::default(),
        }
    }

    /// Memory not in use, bytes, where size and use are known.
    pub fn memory_free_bytes(&self) -> Option<u64> {
        let total = Some(self.device.memory_bytes).filter(|total| *total > 0)?;
        Some(total.saturating_sub(self.memory_used_bytes?))
    }

    /// Share of the memory that is free, 0 to 1, where known.
    pub fn free_share(&self) -> Option<f64> {
        share(self.memory_free_bytes()?, self.device.memory_bytes)
    }

    /// Share of the memory that is in use, 0 to 1, where known.
    pub fn used_share(&self) -> Option<f64> {
        share(self.memory_used_bytes?, self.device.memory_bytes)
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| mebibytes(part) / mebibytes(whole))
}

/// Bytes in MiB, exact to a 1/1024 of one, which is far finer than any driver's word.
fn mebibytes(bytes: u64) -> f64 {
    let kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kibibytes) / 1024.0
}

#[cfg(test)]
mod tests;
