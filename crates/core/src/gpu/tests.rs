//! Machines and what is made of them: odd answers of `nvidia-smi`, choices, and sums.

use std::collections::HashSet;
use std::time::Duration;

use super::*;

const GIB: u64 = 1 << 30;

/// A machine in short: `H100 80/79 u3 p1` is a GPU with 79 of 80 GiB free, 3 % busy, with one
/// process; a word at the end says what else is the matter.
fn machine(gpus: &[&str]) -> Vec<GpuState> {
    (0_u32..)
        .zip(gpus)
        .map(|(index, gpu)| state(index, gpu))
        .collect()
}

fn state(index: u32, text: &str) -> GpuState {
    let mut words = text.split(' ');
    let name = words.next().unwrap();
    let mut state = GpuState::unknown(GpuDevice {
        index,
        uuid: format!("GPU-{index}"),
        name: name.to_owned(),
        vendor: if name.starts_with("MI") {
            GpuVendor::Amd
        } else {
            GpuVendor::Nvidia
        },
        memory_bytes: 0,
    });
    for word in words {
        match word {
            "prohibited" => state.compute_mode = ComputeMode::Prohibited,
            "exclusive" => state.compute_mode = ComputeMode::Exclusive,
            "split" => state.health = GpuHealth::Split,
            "broken" => state.health = GpuHealth::Broken("GPU is lost".into()),
            word if word.starts_with('u') => state.utilization_percent = word[1..].parse().ok(),
            word if word.starts_with('p') => state.processes = word[1..].parse().ok(),
            word => {
                let (total, free) = word.split_once('/').unwrap();
                let gib = |text: &str| text.parse::<u64>().unwrap() * GIB;
                state.device.memory_bytes = gib(total);
                state.memory_used_bytes = Some(gib(total) - gib(free));
            }
        }
    }
    state
}

fn chosen(gpus: &[&str], held: &[u32], wanted: u32, rules: &ChoiceRules) -> Result<Vec<u32>, NotEnough> {
    let held: HashSet<String> = held.iter().map(|index| format!("GPU-{index}")).collect();
    let mut states = machine(gpus);
    let forwards = choose(&states, &held, wanted, rules);
    states.reverse();
    if let (Ok(one), Ok(other)) = (&forwards, &choose(&states, &held, wanted, rules)) {
        assert_eq!(one, other, "the order in which they are listed is nothing");
    }
    forwards.map(|devices| devices.iter().map(|device| device.index).collect())
}

#[test]
fn the_freest_that_go_together_are_chosen() {
    let check = |gpus: &[&str], held: &[u32], wanted: u32, expected: &[u32]| {
        let rules = ChoiceRules::default();
        assert_eq!(
            chosen(gpus, held, wanted, &rules).unwrap(),
            expected,
            "{gpus:?}, {wanted} wanted"
        );
    };
    let idle = "A 80/80 u0 p0";
    check(&[idle], &[], 1, &[0]);
    check(&[idle, idle, idle], &[], 1, &[0]);
    check(&[idle, idle, idle], &[0, 1], 1, &[2]);
    check(&[idle, idle, idle], &[1], 2, &[0, 2]);
    // Busy ones are passed over: load, then memory, then who computes.
    check(&["A 80/80 u51", idle], &[], 1, &[1]);
    check(&["A 80/63 u0", idle], &[], 1, &[1]);
    check(&["A 80/80 u0 p1 exclusive", idle], &[], 1, &[1]);
    check(
        &["A 80/80 prohibited", "A 80/80 split", "A 80/80 broken", idle],
        &[],
        1,
        &[3],
    );
    // At the limits they are free.
    check(&["A 80/64 u50 p1"], &[], 1, &[0]);
    // Memory counts most, then idleness, then company.
    check(&["A 80/70 u0", "A 80/79 u0"], &[], 1, &[1]);
    check(&["A 80/80 u40", "A 80/80 u10"], &[], 1, &[1]);
    check(&["A 80/80 u0 p2", "A 80/80 u0 p1"], &[], 1, &[1]);
    check(&["A 80/75 u0", idle, "A 80/79 u0", idle], &[], 3, &[1, 3, 2]);
    // Several are of one model, though a mixture would be freer.
    check(&["A 80/80 u0", "B 80/70 u9", "B 80/70 u9"], &[], 2, &[1, 2]);
    // Unless no model of this machine has enough: then of one vendor.
    check(&["A 80/80 u0", "B 80/80 u0"], &[], 2, &[0, 1]);
    check(&["A 80/80 u0", "MI 80/80 u0", "B 80/78 u0"], &[], 2, &[0, 2]);
    // What shares the machine's memory tells no sizes.
    check(&["GB10 u0 p0"], &[], 1, &[0]);
    check(&["GB10"], &[], 1, &[0]);
    // What drives a display only is none.
    check(&["T 1/1 u0", "A 80/70 u9"], &[], 1, &[1]);
}

#[test]
fn balance_is_kept_even_if_freer_ones_are_left() {
    let rules = ChoiceRules {
        least_free_share: 0.1,
        ..ChoiceRules::default()
    };
    let gpus = ["A 80/80 u0", "A 80/40 u0", "A 80/36 u0"];
    assert_eq!(chosen(&gpus, &[], 2, &rules).unwrap(), [1, 2]);
    let why = chosen(&gpus, &[], 3, &rules).unwrap_err();
    assert!(why.can_waiting_help);
    assert_eq!(
        why.to_string(),
        "3 GPUs are wanted and the 3 free ones do not go together: their model or memory differs"
    );
    // Two models that never fit each other.
    let why = chosen(&["A 80/80 u0", "B 24/24 u0"], &[], 2, &rules).unwrap_err();
    assert!(!why.can_waiting_help);
}

#[test]
fn a_refusal_says_why_and_whether_to_wait() {
    let check = |gpus: &[&str], held: &[u32], wanted: u32, can_waiting_help: bool, expected: &str| {
        let why = chosen(gpus, held, wanted, &ChoiceRules::default()).unwrap_err();
        assert_eq!(why.can_waiting_help, can_waiting_help, "{why}");
        assert_eq!(why.to_string(), expected);
    };
    check(
        &[],
        &[],
        1,
        false,
        "1 GPU is wanted and this machine has none that can be seen",
    );
    check(
        &["A 80/80 u0"],
        &[],
        2,
        false,
        "2 GPUs are wanted and 1 of 1 free",
    );
    check(
        &["A 80/80 u0", "A 80/8 u97", "A 80/12 u3"],
        &[0],
        1,
        true,
        "1 GPU is wanted and none of 3 is free: GPU 0 (A) is held for another engine; \
         GPU 1 (A) is 97 % busy; GPU 2 (A) has 12.0 of 80.0 GiB free",
    );
    check(
        &["A 80/80 u0", "A 80/80 split"],
        &[],
        2,
        false,
        "2 GPUs are wanted and 1 of 2 free: GPU 1 (A) is split into MIG instances, which are not supported",
    );
    check(
        &["A 80/80 broken"],
        &[],
        1,
        false,
        "1 GPU is wanted and none of 1 is free: GPU 0 (A) does not work: GPU is lost",
    );
    check(
        &["GB10 u0 p2"],
        &[],
        1,
        true,
        "1 GPU is wanted and none of 1 is free: GPU 0 (GB10) has 2 processes computing on it",
    );
    // A free mixture is no answer while enough of one model are only busy.
    check(
        &["A 80/80 u0", "A 80/80 u0", "B 80/80 u0"],
        &[0],
        2,
        true,
        "2 GPUs are wanted and the 2 free ones do not go together: their model or memory differs: \
         GPU 0 (A) is held for another engine",
    );
}

#[test]
fn a_model_can_be_insisted_on() {
    let rules = ChoiceRules {
        model: Some("B".into()),
        ..ChoiceRules::default()
    };
    let gpus = ["A 80/80 u0", "B 80/70 u9"];
    assert_eq!(chosen(&gpus, &[], 1, &rules).unwrap(), [1]);
    let why = chosen(&gpus, &[1], 1, &rules).unwrap_err();
    assert!(why.can_waiting_help, "{why}");
    assert!(!chosen(&gpus, &[], 2, &rules).unwrap_err().can_waiting_help);
}

#[test]
fn figures_that_change_are_no_news() {
    let why = |gpus: &[&str], held: &[u32]| chosen(gpus, held, 1, &ChoiceRules::default()).unwrap_err();
    assert!(why(&["A 80/8 u97"], &[]).is_like(&why(&["A 80/9 u60"], &[])));
    assert!(!why(&["A 80/8 u97"], &[]).is_like(&why(&["A 80/8 u3"], &[])));
    assert!(!why(&["A 80/8 u97"], &[]).is_like(&why(&["A 80/80 u0"], &[0])));
}

const HEADER: &str = "index, name, uuid, memory.total [MiB], memory.used [MiB], utilization.gpu [%], \
                      temperature.gpu, power.draw [W], power.limit [W], compute_mode, mig.mode.current";

fn smi(lines: &[&str], apps: Option<&str>) -> Vec<GpuState> {
    let text = format!("{HEADER}\n{}\n", lines.join("\n"));
    read_smi(&text, apps).unwrap()
}

#[test]
fn what_nvidia_smi_lists_is_read() {
    let gpus = smi(
        &["0, NVIDIA H100 80GB HBM3, GPU-aa, 81559, 4, 7, 34, 71.35, 700.00, Default, Disabled"],
        Some("gpu_uuid, pid\nGPU-aa, 17\nGPU-bb, 18\nGPU-aa, 19\n"),
    );
    let expected = GpuState {
        device: GpuDevice {
            index: 0,
            uuid: "GPU-aa".into(),
            name: "NVIDIA H100 80GB HBM3".into(),
            vendor: GpuVendor::Nvidia,
            memory_bytes: 81559 << 20,
        },
        memory_used_bytes: Some(4 << 20),
        utilization_percent: Some(7),
        temperature_c: Some(34),
        power_w: Some(71.35),
        power_limit_w: Some(700.0),
        processes: Some(2),
        compute_mode: ComputeMode::Shared,
        health: GpuHealth::Usable,
    };
    assert_eq!(gpus, [expected]);
}

#[test]
fn odd_lines_of_nvidia_smi_cost_a_figure_and_never_the_list() {
    let one = |line: &str| smi(&[line], None).pop();
    let bare = |line: &str| one(line).unwrap();
    let silent = bare(
        "3, NVIDIA GB10, GPU-a, [N/A], [Not Supported], [N/A], 40, [Unknown Error], N/A, Default, [N/A]",
    );
    assert_eq!(silent.device.memory_bytes, 0);
    assert_eq!(
        (silent.memory_used_bytes, silent.utilization_percent),
        (None, None)
    );
    assert_eq!((silent.power_w, silent.processes), (None, None));
    assert_eq!(silent.health, GpuHealth::Broken("Unknown Error".into()));
    let commas = bare("1, Quadro, the 2nd, rev. A, GPU-b, 100, 50, 1, 2, 3, 4, Prohibited, [N/A]");
    assert_eq!(commas.device.name, "Quadro, the 2nd, rev. A");
    assert_eq!(commas.used_share(), Some(0.5));
    assert_eq!(commas.compute_mode, ComputeMode::Prohibited);
    let units = bare("1, A, GPU-b, 100 MiB, 50 MiB, 1 %, 2, 3.5 W, 4 W, Exclusive_Process, Disabled");
    assert_eq!(
        (units.memory_free_bytes(), units.power_w),
        (Some(50 << 20), Some(3.5))
    );
    assert_eq!(units.compute_mode, ComputeMode::Exclusive);
    let split = bare("1, A100, GPU-b, 40960, 0, [N/A], 30, 50, 400, Default, Enabled");
    assert_eq!(split.health, GpuHealth::Split);
    assert_eq!(
        bare("1, A, GPU-b, -5, nan, 400, x, inf, , Default, Disabled").temperature_c,
        None
    );
    for line in [
        "",
        "0",
        "x, A, GPU-b, 1, 1, 1, 1, 1, 1, Default, Disabled",
        "0, MIG 1g.10gb, MIG-77, 9856, 1, [N/A], 1, 1, 1, Default, Enabled",
        "WARNING: infoROM is corrupted at gpu 0000:3B:00.0",
    ] {
        assert_eq!(one(line), None, "{line}");
    }
    // A remark before the list, and columns of another driver.
    let text = "WARNING: x\nindex, uuid, name\n0, GPU-a, Tesla\n";
    assert_eq!(read_smi(text, Some("")).unwrap()[0].processes, Some(0));
}

#[test]
fn what_is_no_list_says_so() {
    let check = |text: &str, expected: Result<usize, SmiError>| {
        assert_eq!(read_smi(text, None).map(|gpus| gpus.len()), expected, "{text}");
    };
    check("No devices were found\n", Ok(0));
    check(&format!("{HEADER}\n"), Ok(0));
    check("", Err(SmiError::Driver("nothing".into())));
    let query = "Field \"mig.mode.current\" is not a valid field to query.";
    check(&format!("{query}\n\n"), Err(SmiError::Query(query.into())));
    let driver = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
    check(driver, Err(SmiError::Driver(driver.into())));
}

#[test]
fn a_fence_leaves_what_it_names() {
    let check = |list: &str, expected: &[u32]| {
        let mut states = machine(&["A 80/80", "A 80/80", "A 80/80", "MI 80/80"]);
        states[2].device.uuid = "GPU-77aa".into();
        let left = visible(states, GpuVendor::Nvidia, list);
        let left: Vec<u32> = left.iter().map(|state| state.device.index).collect();
        assert_eq!(left, expected, "{list:?}");
    };
    check("0,1,2", &[0, 1, 2, 3]);
    check("2, 0", &[0, 2, 3]);
    check("GPU-77", &[2, 3]);
    check("GPU-", &[3]);
    check("", &[3]);
    check("-1", &[3]);
    check("1,9,0", &[1, 3]);
    check("NoDevFiles", &[3]);
    check("3", &[3]);
}

#[test]
fn samples_are_summed_up() {
    let devices: Vec<GpuDevice> = machine(&["A 80/80", "A 80/80", "A 80/80"])
        .into_iter()
        .map(|state| state.device)
        .collect();
    let mut recorder = UseRecorder::new(&devices[..2]);
    for (second, utilization, watts) in [(1, 10, Some(100.0)), (2, 40, Some(300.0)), (4, 100, Some(100.0))] {
        let mut states = machine(&["A 80/60", "A 80/80", "A 80/0"]);
        states[0].utilization_percent = Some(utilization);
        states[0].power_w = watts;
        states.truncate(if second == 2 { 1 } else { 3 });
        recorder.add(Duration::from_secs(second), &states);
    }
    let uses = recorder.finish();
    assert_eq!(uses.len(), 2);
    let [first, second] = &uses[..] else {
        unreachable!()
    };
    let span = |min, mean, max| Some(Span { min, mean, max });
    assert_eq!((first.samples, second.samples), (3, 2));
    assert!((first.seconds - 3.0).abs() < 1e-9);
    assert_eq!(first.utilization_percent, span(10.0, 50.0, 100.0));
    assert_eq!(first.memory_percent, span(25.0, 25.0, 25.0));
    let bytes = 20.0 * 1024.0 * 1024.0 * 1024.0;
    assert_eq!(first.memory_used_bytes, span(bytes, bytes, bytes));
    // One second at 200 W on average, two more at the same.
    assert!((first.energy_j.unwrap() - 600.0).abs() < 1e-9);
    assert_eq!(
        (second.power_w, second.energy_j, second.temperature_c),
        (None, None, None)
    );
    assert_eq!(UseRecorder::new(&devices).finish(), []);
}
