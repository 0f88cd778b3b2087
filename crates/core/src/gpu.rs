//! GPUs as the brain knows them: which there are.
//!
//! Nothing in here asks a driver.

/// One GPU of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GpuDevice {
    /// Its number, as the driver counts.
    pub index: u32,
    /// The driver's own name for it, the same after a reboot: `GPU-5f2c…`.
    pub uuid: String,
    /// What it is called: `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Who made it.
    pub vendor: GpuVendor,
    /// Its memory in bytes.
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
    /// The word used in files and APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia",
            Self::Amd => "amd",
        }
    }
}
