//! GPUs that only exist on paper, for tests of whoever holds or watches GPUs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use autotuner_core::gpu::{GpuDevice, GpuState, GpuVendor};
use tokio_util::sync::CancellationToken;

use super::{GpuError, GpuSource};

/// GPUs as they were last said to be.
#[derive(Debug, Default)]
pub struct FixedGpus {
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    states: Vec<GpuState>,
    fault: Option<String>,
    looks: u32,
}

impl FixedGpus {
    /// So many idle GPUs of one model with 80 GiB each.
    pub fn idle(count: u32) -> Self {
        let gpus = Self::default();
        gpus.set((0..count).map(idle).collect());
        gpus
    }

    /// From now on they are so.
    pub fn set(&self, states: Vec<GpuState>) {
        let mut told = self.told();
        told.states = states;
        told.fault = None;
    }

    /// From now on the driver says this instead.
    pub fn fail(&self, fault: &str) {
        self.told().fault = Some(fault.to_owned());
    }

    /// How they are.
    pub fn states(&self) -> Vec<GpuState> {
        self.told().states.clone()
    }

    /// How often somebody has looked.
    pub fn looks(&self) -> u32 {
        self.told().looks
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn idle(index: u32) -> GpuState {
    let device = GpuDevice {
        index,
        uuid: format!("GPU-fixed-{index}"),
        name: "Fixed GPU".to_owned(),
        vendor: GpuVendor::Nvidia,
        memory_bytes: 80 << 30,
    };
    GpuState {
        memory_used_bytes: Some(0),
        utilization_percent: Some(0),
        temperature_c: Some(30),
        power_w: Some(70.0),
        power_limit_w: Some(700.0),
        processes: Some(0),
        ..GpuState::unknown(device)
    }
}

#[async_trait]
impl GpuSource for FixedGpus {
    async fn look(&self, cancel: &CancellationToken) -> Result<Vec<GpuState>, GpuError> {
        if cancel.is_cancelled() {
            return Err(GpuError::Cancelled);
        }
        let mut told = self.told();
        told.looks += 1;
        match &told.fault {
            Some(message) => Err(GpuError::Driver {
                message: message.clone(),
            }),
            None => Ok(told.states.clone()),
        }
    }
}
