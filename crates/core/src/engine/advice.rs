//! What to do about a failure, in words of the engine's own flags.
//!
//! The one idea: causes are the same for all engines, remedies are not. Sentences that fit
//! every engine stand with the causes; the rest each engine fills in.

use super::rules::Cause;
use crate::failure::FailureKind;

/// One engine's remedies.
#[derive(Debug)]
pub struct Advice {
    /// The device ran out of memory.
    pub(crate) device_memory: &'static str,
    /// What is left of the device's memory is too little for the key/value cache.
    pub(crate) cache_memory: &'static str,
    /// Too little of the device's memory is free, before anything was loaded.
    pub(crate) free_memory: &'static str,
    /// The machine or the container ran out of memory.
    pub(crate) host_memory: &'static str,
    /// A type or a quantization that the device or the model does not support.
    pub(crate) precision: &'static str,
    /// The devices could not work together.
    pub(crate) parallel: &'static str,
}

impl Advice {
    /// What to do about this cause, if there is anything to say.
    pub(crate) fn on(&self, cause: Cause) -> Option<&'static str> {
        Some(match cause {
            Cause::DeviceMemory => self.device_memory,
            Cause::CacheMemory => self.cache_memory,
            Cause::FreeMemory => self.free_memory,
            Cause::HostMemory => self.host_memory,
            Cause::Precision => self.precision,
            Cause::Parallel => self.parallel,
            Cause::Argument => "compare with the help of this very build: flags come and go between builds",
            Cause::Combination => "leave this combination out of the search, for example with a constraint",
            Cause::Address => "another process took the port meanwhile; the next attempt gets another one",
            Cause::Library => "install what is missing, or use an engine built for this machine",
            Cause::Device => "check that the GPU and its driver are visible to the engine (nvidia-smi)",
            Cause::Build => "use a build of the engine made for this CPU and GPU",
            Cause::ModelAccess => "check the model's name, the network and the access token (HF_TOKEN)",
            Cause::Model => "check that model.id_or_path names a complete model that this engine can load",
            Cause::Disk => "free disk space, or give the container more shared memory",
            Cause::DeviceFault | Cause::Crash | Cause::Fault => return None,
        })
    }

    /// What usually helps against a failure of this kind, where its cause is not known.
    pub(crate) fn general(&self, kind: FailureKind) -> Option<&'static str> {
        Some(match kind {
            FailureKind::OutOfMemory => self.host_memory,
            FailureKind::InvalidCandidate => {
                "take the value out of the space, or rule the combination out with a constraint"
            }
            FailureKind::EngineCrashed => {
                "read the end of its log; where one value is to blame, take it out of the space"
            }
            FailureKind::NotReadyInTime => {
                "raise engine.start_timeout, or read in its log what it was waiting for"
            }
            FailureKind::BenchmarkFailed => {
                "look at the first error; fewer requests at once or more time for an experiment may help"
            }
            FailureKind::ClientLimited => {
                "run the load generator on another machine, lower the concurrency, or measure fewer streams at once"
            }
            FailureKind::EarlyAborted
            | FailureKind::Infrastructure
            | FailureKind::WorkerLost
            | FailureKind::Cancelled => return None,
        })
    }
}
