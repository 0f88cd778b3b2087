//! How an engine's process is shown its GPUs and no others.
//!
//! By number, in the order of the PCI bus, which is the driver's own order: vLLM takes every
//! entry of `CUDA_VISIBLE_DEVICES` for a number and ends where one is a uuid. On a machine
//! with GPUs an engine that was given none sees none: it would otherwise take what is held
//! for others. On a machine without, nothing is touched.

use std::collections::BTreeMap;
use std::path::Path;

use autotuner_core::gpu::{GpuDevice, GpuVendor};

/// Variables that say which GPUs a process sees.
const OF_NVIDIA: [&str; 1] = ["CUDA_VISIBLE_DEVICES"];
const OF_AMD: [&str; 3] = [
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
];

/// Makers of the GPUs whose drivers are there, by the files under `/dev` that a process
/// computes through.
pub(crate) fn drivers(devices: &Path) -> Vec<GpuVendor> {
    let files = [
        ("nvidiactl", GpuVendor::Nvidia),
        ("dxg", GpuVendor::Nvidia),
        ("kfd", GpuVendor::Amd),
    ];
    let mut found = Vec::new();
    for (file, vendor) in files {
        if !found.contains(&vendor) && devices.join(file).exists() {
            found.push(vendor);
        }
    }
    found
}

/// What is changed in an engine's environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Visibility {
    /// Set to these.
    pub(crate) set: BTreeMap<String, String>,
    /// Not inherited.
    pub(crate) withheld: Vec<&'static str>,
}

/// For an engine that was given these GPUs, on a machine with these drivers. What the task
/// itself says in the plan's environment is left as it is where no GPU is held.
pub(crate) fn visibility(
    given: &[GpuDevice],
    drivers: &[GpuVendor],
    plan: &BTreeMap<String, String>,
) -> Visibility {
    let says_itself = OF_NVIDIA
        .iter()
        .chain(&OF_AMD)
        .any(|name| plan.contains_key(*name));
    if given.is_empty() && says_itself {
        return Visibility::default();
    }
    let of = |vendor: GpuVendor| -> Vec<String> {
        let of_vendor = given.iter().filter(|device| device.vendor == vendor);
        let mut numbers: Vec<u32> = of_vendor.map(|device| device.index).collect();
        // In their own order, so that the same GPUs are always the same places.
        numbers.sort_unstable();
        numbers.iter().map(u32::to_string).collect()
    };
    let (nvidia, amd) = (of(GpuVendor::Nvidia), of(GpuVendor::Amd));
    let is_there = |vendor| drivers.contains(&vendor) || given.iter().any(|device| device.vendor == vendor);
    let mut set = BTreeMap::new();
    let mut withheld = Vec::new();
    let mut say = |name: &str, value: String| drop(set.insert(name.to_owned(), value));
    if is_there(GpuVendor::Nvidia) {
        say("CUDA_DEVICE_ORDER", "PCI_BUS_ID".to_owned());
        say("CUDA_VISIBLE_DEVICES", nvidia.join(","));
    }
    if is_there(GpuVendor::Amd) {
        withheld.push("GPU_DEVICE_ORDINAL");
        if amd.is_empty() {
            // An empty list would be no list to HIP; this one names a GPU that is not there.
            say("HIP_VISIBLE_DEVICES", "-1".to_owned());
            say("ROCR_VISIBLE_DEVICES", String::new());
        } else {
            // HIP counts among those that the layer below shows, so that one shows all.
            withheld.push("ROCR_VISIBLE_DEVICES");
            say("HIP_VISIBLE_DEVICES", amd.join(","));
            if nvidia.is_empty() {
                // HIP heeds this one, too, and vLLM insists that both say the same.
                say("CUDA_VISIBLE_DEVICES", amd.join(","));
            }
        }
    }
    Visibility { set, withheld }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(text: &str) -> GpuDevice {
        let (vendor, index) = text.split_at(1);
        GpuDevice {
            index: index.parse().unwrap(),
            uuid: text.to_owned(),
            name: "a GPU".to_owned(),
            vendor: if vendor == "n" {
                GpuVendor::Nvidia
            } else {
                GpuVendor::Amd
            },
            memory_bytes: 0,
        }
    }

    #[test]
    fn what_is_said_depends_on_gpus_drivers_and_the_task() {
        use GpuVendor::{Amd, Nvidia};
        let check = |given: &[&str], drivers: &[GpuVendor], plan: &[&str], expected: &str| {
            let given: Vec<GpuDevice> = given.iter().map(|text| device(text)).collect();
            let plan = plan
                .iter()
                .map(|name| ((*name).to_owned(), "7".to_owned()))
                .collect();
            let Visibility { set, withheld } = visibility(&given, drivers, &plan);
            let set = set.iter().map(|(name, value)| format!("{name}={value}"));
            let withheld = withheld.iter().map(|name| format!("-{name}"));
            let said: Vec<String> = set.chain(withheld).collect();
            assert_eq!(said.join(" "), expected, "{given:?} {drivers:?} {plan:?}");
        };
        check(&[], &[], &[], "");
        check(&[], &[Nvidia], &["CUDA_VISIBLE_DEVICES"], "");
        let hidden = "CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=";
        check(&[], &[Nvidia], &[], hidden);
        check(&["n1", "n0"], &[Nvidia], &[], &format!("{hidden}0,1"));
        check(&["n10", "n9"], &[], &[], &format!("{hidden}9,10"));
        check(
            &["n0"],
            &[Nvidia],
            &["CUDA_VISIBLE_DEVICES"],
            &format!("{hidden}0"),
        );
        check(
            &[],
            &[Amd],
            &[],
            "HIP_VISIBLE_DEVICES=-1 ROCR_VISIBLE_DEVICES= -GPU_DEVICE_ORDINAL",
        );
        check(
            &["a2", "a0"],
            &[Amd],
            &[],
            "CUDA_VISIBLE_DEVICES=0,2 HIP_VISIBLE_DEVICES=0,2 -GPU_DEVICE_ORDINAL -ROCR_VISIBLE_DEVICES",
        );
        check(
            &["n1"],
            &[Nvidia, Amd],
            &[],
            &format!("{hidden}1 HIP_VISIBLE_DEVICES=-1 ROCR_VISIBLE_DEVICES= -GPU_DEVICE_ORDINAL"),
        );
    }

    #[test]
    fn drivers_are_known_by_their_files() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(drivers(folder.path()), []);
        for file in ["kfd", "nvidiactl", "dxg"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!(drivers(folder.path()), [GpuVendor::Nvidia, GpuVendor::Amd]);
        assert_eq!(drivers(&folder.path().join("missing")), []);
    }
}
