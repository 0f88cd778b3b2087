//! Loading: the time before an engine is ready, told phase by phase.
//!
//! The one idea: each phase says what it does before it takes its time, as real engines do, so
//! that a log shows where a start stands or where it ended. What goes wrong at load goes wrong
//! in the phase in which it would: a broken model while weights are read, memory after that,
//! a broken kernel at warm-up.

use std::time::Duration;

use crate::SimError;
use crate::fault::Fault;
use crate::journal::Journal;
use crate::model::{Gibibytes, LoadTimes, MemoryPlan, check_warm_up, plan_memory, weight_bytes};
use crate::options::Options;
use crate::process::{Ballast, eat_memory};

/// Parts in which weights are read.
const PARTS: u32 = 4;

/// What loading leaves.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Where the simulated memory went.
    pub(crate) memory: MemoryPlan,
    /// Memory of the machine itself that a fault took, for as long as the engine runs.
    pub(crate) _ballast: Option<Ballast>,
}

/// Goes through all phases.
pub(crate) async fn load(options: &Options, journal: Journal) -> Result<Loaded, SimError> {
    let times = LoadTimes::new(options);
    let devices = options.tensor_parallel_size;
    journal.info(format_args!(
        "loading the model {} on {devices} device(s)",
        options.model
    ));
    if devices > 1 {
        journal.info(format_args!("waiting for {devices} devices to join"));
        spend(times.joining).await;
    }
    read_weights(options, times.weights, journal).await?;
    let ballast = match options.fault.iter().find_map(|fault| match fault {
        Fault::EatMemory(mebibytes) => Some(mebibytes.get()),
        _ => None,
    }) {
        Some(mebibytes) => Some(eat_memory(mebibytes, journal).await?),
        None => None,
    };
    let memory = divide_memory(options, journal)?;
    if options.enforce_eager {
        journal.info("no graphs are captured: --enforce-eager");
    } else {
        let largest = options.max_num_seqs;
        journal.info(format_args!(
            "capturing graphs for batches of 1 to {largest} sequences"
        ));
        spend(times.graphs).await;
    }
    journal.info("warming up");
    spend(times.warm_up).await;
    check_warm_up(options)?;
    Ok(Loaded {
        memory,
        _ballast: ballast,
    })
}

async fn spend(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

async fn read_weights(options: &Options, seconds: f64, journal: Journal) -> Result<(), SimError> {
    let whole = weight_bytes(options);
    for part in 1..=PARTS {
        spend(seconds / f64::from(PARTS)).await;
        if part > PARTS / 2 && options.fault.contains(&Fault::ExitAtLoad) {
            return Err(SimError::LoadModel {
                model: options.model.clone(),
            });
        }
        let share = f64::from(part) / f64::from(PARTS);
        journal.info(format_args!(
            "loading weights: {:.0} %, {} of {} GiB on each device",
            100.0 * share,
            Gibibytes::of(whole * share),
            Gibibytes::of(whole)
        ));
    }
    Ok(())
}

fn divide_memory(options: &Options, journal: Journal) -> Result<MemoryPlan, SimError> {
    let mut planned = options.clone();
    if options.fault.contains(&Fault::OomAtLoad) {
        planned.gpu_memory_utilization = 1.0;
    }
    let memory = plan_memory(&planned).map_err(|shortage| {
        journal.error(shortage.report());
        SimError::from(shortage)
    })?;
    let tokens = u64::from(memory.cache_blocks) * u64::from(options.block_size);
    journal.info(format_args!(
        "{} GiB for weights, activations and graphs",
        Gibibytes(memory.fixed)
    ));
    journal.info(format_args!(
        "key/value cache: {} blocks, {tokens} tokens",
        memory.cache_blocks
    ));
    Ok(memory)
}
