//! What a GPU did over a stretch of time.
//!
//! The one idea: samples come one by one and are summed up at once; none is kept. A figure
//! that the driver did not tell in any sample has no span.

use std::time::Duration;

use super::{GpuDevice, GpuState};

/// Smallest, mean and largest of the samples of one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// The smallest.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
}

/// What one GPU did while it was watched.
#[derive(Debug, Clone, PartialEq)]
pub struct GpuUse {
    /// Which one.
    pub device: GpuDevice,
    /// How often it was looked at.
    pub samples: u32,
    /// From the first look to the last, seconds.
    pub seconds: f64,
    /// Share of the time in which something was computed, percent.
    pub utilization_percent: Option<Span>,
    /// Memory in use, bytes.
    pub memory_used_bytes: Option<Span>,
    /// Memory in use, percent of all.
    pub memory_percent: Option<Span>,
    /// Temperature of the chip, degrees Celsius.
    pub temperature_c: Option<Span>,
    /// Power drawn, watts.
    pub power_w: Option<Span>,
    /// Energy drawn between the first look and the last, joules: an estimate, the power
    /// between two looks taken as the mean of both.
    pub energy_j: Option<f64>,
}

/// Sums up samples of a few GPUs.
#[derive(Debug, Clone)]
pub struct UseRecorder {
    gpus: Vec<Recorded>,
}

#[derive(Debug, Clone)]
struct Recorded {
    device: GpuDevice,
    samples: u32,
    first: Duration,
    last: Duration,
    utilization: Sum,
    memory: Sum,
    memory_percent: Sum,
    temperature: Sum,
    power: Sum,
    /// When power was last told, and what it was.
    last_power: Option<(Duration, f64)>,
    energy: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    span: Option<Span>,
    count: u32,
}

impl UseRecorder {
    /// For these GPUs; others in a sample are passed over.
    pub fn new(devices: &[GpuDevice]) -> Self {
        let gpus = devices.iter().map(|device| Recorded {
            device: device.clone(),
            samples: 0,
            first: Duration::ZERO,
            last: Duration::ZERO,
            utilization: Sum::default(),
            memory: Sum::default(),
            memory_percent: Sum::default(),
            temperature: Sum::default(),
            power: Sum::default(),
            last_power: None,
            energy: None,
        });
        Self { gpus: gpus.collect() }
    }

    /// Takes in what was seen this long after watching began. Looks come in their order.
    pub fn add(&mut self, after: Duration, states: &[GpuState]) {
        for gpu in &mut self.gpus {
            if let Some(state) = states.iter().find(|state| state.device.uuid == gpu.device.uuid) {
                gpu.add(after, state);
            }
        }
    }

    /// What each GPU did that was seen at least once, in the order of the devices.
    pub fn finish(self) -> Vec<GpuUse> {
        let seen = self.gpus.into_iter().filter(|gpu| gpu.samples > 0);
        seen.map(Recorded::finish).collect()
    }
}

impl Recorded {
    fn add(&mut self, after: Duration, state: &GpuState) {
        if self.samples == 0 {
            self.first = after;
        }
        self.last = after;
        self.samples += 1;
        self.utilization.add(state.utilization_percent.map(f64::from));
        let bytes = |bytes: u64| super::mebibytes(bytes) * 1024.0 * 1024.0;
        self.memory.add(state.memory_used_bytes.map(bytes));
        self.memory_percent
            .add(state.used_share().map(|share| share * 100.0));
        self.temperature.add(state.temperature_c.map(f64::from));
        self.power.add(state.power_w);
        if let Some(power) = state.power_w {
            if let Some((before, last)) = self.last_power {
                let joules = after.saturating_sub(before).as_secs_f64() * f64::midpoint(last, power);
                *self.energy.get_or_insert(0.0) += joules;
            }
            self.last_power = Some((after, power));
        }
    }

    fn finish(self) -> GpuUse {
        GpuUse {
            device: self.device,
            samples: self.samples,
            seconds: self.last.saturating_sub(self.first).as_secs_f64(),
            utilization_percent: self.utilization.span,
            memory_used_bytes: self.memory.span,
            memory_percent: self.memory_percent.span,
            temperature_c: self.temperature.span,
            power_w: self.power.span,
            energy_j: self.energy,
        }
    }
}

impl Sum {
    fn add(&mut self, value: Option<f64>) {
        let Some(value) = value else { return };
        self.count += 1;
        self.span = Some(match self.span {
            None => Span {
                min: value,
                mean: value,
                max: value,
            },
            Some(Span { min, mean, max }) => Span {
                min: min.min(value),
                mean: mean + (value - mean) / f64::from(self.count),
                max: max.max(value),
            },
        });
    }
}
