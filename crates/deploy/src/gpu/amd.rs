//! AMD GPUs by way of the kernel's files under `/sys/class/drm`.
//!
//! The one idea: the kernel's driver tells all that is needed in small files, so no program
//! of ROCm has to be there. A file that is missing or odd makes its figure unknown. What has
//! no video memory of its own to tell of is no GPU that an engine could use.

use std::fs;
use std::path::{Path, PathBuf};

use autotuner_core::gpu::{GpuDevice, GpuState, GpuVendor};

/// The vendor's number on the PCI bus.
const VENDOR: &str = "0x1002";

/// The GPUs under a folder like `/sys/class/drm`, numbered in the order of the PCI bus.
pub(super) fn read(folder: &Path) -> Vec<GpuState> {
    let mut found: Vec<(String, GpuState)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| is_card(&entry.file_name().to_string_lossy()))
        .filter_map(|entry| card(&entry.path().join("device")))
        .collect();
    found.sort_by(|one, two| one.0.cmp(&two.0));
    let numbered = (0_u32..).zip(found);
    numbered
        .map(|(index, (_, mut state))| {
            state.device.index = index;
            state
        })
        .collect()
}

/// `card0`, but not the socket `card0-DP-1`.
fn is_card(name: &str) -> bool {
    name.strip_prefix("card")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// One card, with its place on the bus.
fn card(device: &Path) -> Option<(String, GpuState)> {
    if text(&device.join("vendor"))? != VENDOR {
        return None;
    }
    let memory_bytes = number(&device.join("mem_info_vram_total"))?;
    let place = fs::read_to_string(device.join("uevent"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| Some(line.strip_prefix("PCI_SLOT_NAME=")?.to_owned()))?;
    let uuid = match text(&device.join("unique_id")) {
        Some(id) => format!("GPU-{id}"),
        None => format!("PCI-{place}"),
    };
    let name = text(&device.join("product_name")).unwrap_or_else(|| {
        let number = text(&device.join("device")).unwrap_or_default();
        format!("AMD GPU {number}").trim_end().to_owned()
    });
    let sensors = sensors(device);
    let sensor = |file: &str| number(&sensors.as_ref()?.join(file));
    let watts = |microwatts: u64| u32::try_from(microwatts).ok().map(|value| f64::from(value) / 1e6);
    let device_facts = GpuDevice {
        index: 0,
        uuid,
        name,
        vendor: GpuVendor::Amd,
        memory_bytes,
    };
    let state = GpuState {
        memory_used_bytes: number(&device.join("mem_info_vram_used")),
        utilization_percent: number(&device.join("gpu_busy_percent"))
            .and_then(|percent| u8::try_from(percent).ok()),
        temperature_c: sensor("temp1_input").and_then(|milli| u32::try_from(milli / 1000).ok()),
        power_w: sensor("power1_average")
            .or_else(|| sensor("power1_input"))
            .and_then(watts),
        power_limit_w: sensor("power1_cap").and_then(watts),
        ..GpuState::unknown(device_facts)
    };
    Some((place, state))
}

/// The folder with temperature and power.
fn sensors(device: &Path) -> Option<PathBuf> {
    let entry = fs::read_dir(device.join("hwmon")).ok()?.flatten().next()?;
    Some(entry.path())
}

fn text(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes files below a folder, each with a line.
    fn tree(folder: &Path, files: &[(&str, &str)]) {
        for (path, line) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{line}\n")).unwrap();
        }
    }

    #[test]
    fn cards_are_read_from_the_kernels_files() {
        let folder = tempfile::tempdir().unwrap();
        tree(
            folder.path(),
            &[
                ("card1/device/vendor", "0x1002"),
                ("card1/device/device", "0x740f"),
                ("card1/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:83:00.0"),
                ("card1/device/mem_info_vram_total", "68702699520"),
                ("card1/device/mem_info_vram_used", "11800576"),
                ("card1/device/gpu_busy_percent", "7"),
                ("card1/device/unique_id", "b4c6c8d10b6a9d12"),
                ("card1/device/product_name", "AMD INSTINCT MI210"),
                ("card1/device/hwmon/hwmon3/temp1_input", "41000"),
                ("card1/device/hwmon/hwmon3/power1_average", "42500000"),
                ("card1/device/hwmon/hwmon3/power1_cap", "300000000"),
                // Listed later, and earlier on the bus; tells little.
                ("card2/device/vendor", "0x1002"),
                ("card2/device/device", "0x73bf"),
                ("card2/device/uevent", "PCI_SLOT_NAME=0000:03:00.0"),
                ("card2/device/mem_info_vram_total", "17163091968"),
                ("card2/device/gpu_busy_percent", "odd"),
                ("card2/device/hwmon/hwmon1/power1_input", "9000000"),
                // Another maker's, a socket, one without memory, and one without a place.
                ("card0/device/vendor", "0x1a03"),
                ("card1-DP-1/device/vendor", "0x1002"),
                ("renderD128/device/vendor", "0x1002"),
                ("card3/device/vendor", "0x1002"),
                ("card4/device/vendor", "0x1002"),
                ("card4/device/mem_info_vram_total", "1"),
            ],
        );
        let gpus = read(folder.path());
        let ids: Vec<(u32, &str, &str)> = gpus
            .iter()
            .map(|gpu| {
                (
                    gpu.device.index,
                    gpu.device.uuid.as_str(),
                    gpu.device.name.as_str(),
                )
            })
            .collect();
        assert_eq!(
            ids,
            [
                (0, "PCI-0000:03:00.0", "AMD GPU 0x73bf"),
                (1, "GPU-b4c6c8d10b6a9d12", "AMD INSTINCT MI210"),
            ]
        );
        let [little, all] = &gpus[..] else { unreachable!() };
        assert_eq!(
            (little.memory_used_bytes, little.utilization_percent),
            (None, None)
        );
        assert_eq!((little.power_w, little.power_limit_w), (Some(9.0), None));
        assert_eq!(
            (all.memory_used_bytes, all.utilization_percent),
            (Some(11_800_576), Some(7))
        );
        assert_eq!((all.temperature_c, all.power_w), (Some(41), Some(42.5)));
        assert_eq!((all.power_limit_w, all.processes), (Some(300.0), None));
        assert_eq!(all.device.memory_bytes, 68_702_699_520);
        assert_eq!(read(&folder.path().join("missing")), []);
    }
}
