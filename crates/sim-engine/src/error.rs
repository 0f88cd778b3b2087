//! Why a simulated engine could not start or had to end.
//!
//! Each variant says only its own layer; the cause, where there is one, is its `source`.
//! Every variant is an exit code of 1 for a process that runs the engine.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::model::Gibibytes;

/// Why a simulated engine could not start or had to end.
#[derive(Debug, Error)]
pub enum SimError {
    /// The host is not a numeric address or a name that this machine knows.
    #[error("cannot find the address of host `{host}`; give a numeric address, for example 127.0.0.1")]
    ResolveHost {
        /// The host as it was given.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}; is the port taken? `--port 0` takes a free one")]
    BindAddress {
        /// The address as it was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A flag's value, alone or together with another's, is not one that the engine can run with.
    #[error("cannot run with {flag}: {reason}")]
    InvalidConfiguration {
        /// The flag at fault, with its dashes.
        flag: &'static str,
        /// What is wrong with it and what would do.
        reason: String,
    },
    /// The memory that the flags ask for does not fit the simulated device at load.
    #[error(
        "out of memory while loading: {needed} GiB needed, {available} GiB available; \
         try another --gpu-memory-utilization, or lower --max-num-batched-tokens, --max-num-seqs or --max-model-len",
        needed = Gibibytes(*needed), available = Gibibytes(*available)
    )]
    OutOfMemory {
        /// Bytes needed on one device.
        needed: u64,
        /// Bytes available on one device.
        available: u64,
    },
    /// A step under load needed more memory than the utilization had left free.
    #[error(
        "out of memory under load: a step needed {needed} GiB outside the cache, {available} GiB were free; \
         lower --gpu-memory-utilization or --max-num-seqs",
        needed = Gibibytes(*needed), available = Gibibytes(*available)
    )]
    OutOfMemoryUnderLoad {
        /// Bytes that the step needed outside the pool that was reserved at load.
        needed: u64,
        /// Bytes that were free outside that pool.
        available: u64,
    },
    /// The fault `exit-at-load` was switched on.
    #[error("cannot load the model `{model}`: the fault `exit-at-load` is switched on")]
    LoadModel {
        /// The model as it was named.
        model: String,
    },
    /// The fault `exit-after-requests` was switched on and its number was reached.
    #[error("the engine ended after {requests} requests: the fault `exit-after-requests` is switched on")]
    ExitAfterRequests {
        /// How many requests were answered.
        requests: u64,
    },
    /// A kernel of the simulated device is broken for these flags; see the engine's documentation.
    #[error("CUDA error: an illegal memory access was encountered {place}; {hint}")]
    BrokenKernel {
        /// Where it was met.
        place: &'static str,
        /// What would do.
        hint: &'static str,
    },
    /// The fault `crash-under-load` was switched on and its number was reached. [`crate::run`]
    /// does not return it: the process is dead.
    #[error("segmentation fault: the fault `crash-under-load` is switched on")]
    SegmentationFault,
    /// The fault `abort-under-load` was switched on and its number was reached. [`crate::run`]
    /// does not return it: the process is dead.
    #[error("aborted: the fault `abort-under-load` is switched on")]
    Abort,
    /// The fault `eat-memory` was switched on and the system gave no more.
    #[error("cannot allocate memory: {mebibytes} MiB are asked for by `--fault eat-memory`")]
    HostMemory {
        /// How much was asked for in all.
        mebibytes: u64,
        /// What the allocator said.
        source: std::collections::TryReserveError,
    },
    /// The fault `forks-children` was switched on and no child could be started.
    #[error("cannot start a process of our own program")]
    StartChild {
        /// What the system said.
        source: io::Error,
    },
    /// The task that served the engine panicked.
    #[error("the engine's task ended abnormally")]
    JoinTask {
        /// What the runtime said.
        source: tokio::task::JoinError,
    },
}
