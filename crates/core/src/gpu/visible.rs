//! Which GPUs an operator or a batch system has left to us.
//!
//! The one idea: a `CUDA_VISIBLE_DEVICES` that we are started with is a fence. Drivers do not
//! heed it, only programs that compute do, so we heed it ourselves.

use super::{GpuState, GpuVendor};

/// The GPUs of one vendor that a list like `0,2` or `GPU-5f2c,GPU-71aa` names, and all of the
/// other vendors. A list ends at the first entry that names nothing, as it does for CUDA; an
/// empty one names none. Numbers count in the order of the PCI bus.
pub fn visible(states: Vec<GpuState>, vendor: GpuVendor, list: &str) -> Vec<GpuState> {
    let mut named: Vec<String> = Vec::new();
    for entry in list.split(',').map(str::trim) {
        let Some(state) = states.iter().find(|state| is_named(state, vendor, entry)) else {
            break;
        };
        named.push(state.device.uuid.clone());
    }
    states
        .into_iter()
        .filter(|state| state.device.vendor != vendor || named.contains(&state.device.uuid))
        .collect()
}

fn is_named(state: &GpuState, vendor: GpuVendor, entry: &str) -> bool {
    let device = &state.device;
    let by_uuid = entry.len() > "GPU-".len() && entry.starts_with("GPU-") && device.uuid.starts_with(entry);
    device.vendor == vendor && (by_uuid || entry.parse() == Ok(device.index))
}
