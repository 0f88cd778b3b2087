//! What `nvidia-smi` prints, as GPUs.
//!
//! The one idea: the first line names the columns, so no order is taken for granted, and a
//! cell that is no figure (`[N/A]`, `[Not Supported]`, `ERR!`) is unknown, not a failure.
//! A name may hold commas; no other column does, so what is too many belongs to the name.

use super::{ComputeMode, GpuDevice, GpuHealth, GpuState, GpuVendor};

const BASE_QUERY: &str = "--query-gpu=index,name,uuid,memory.total,memory.used,utilization.gpu,\
    temperature.gpu,power.draw,power.limit,compute_mode";

const WHOLE_QUERY: &str = "--query-gpu=index,name,uuid,memory.total,memory.used,utilization.gpu,\
    temperature.gpu,power.draw,power.limit,compute_mode,mig.mode.current";

/// Arguments to ask for all GPUs with: the first that is understood. Drivers before release
/// 450 know of no instances and refuse the question as a whole.
pub const SMI_QUERIES: [[&str; 2]; 2] = [
    [WHOLE_QUERY, "--format=csv,nounits"],
    [BASE_QUERY, "--format=csv,nounits"],
];

/// Arguments to ask for all processes that compute with.
pub const SMI_APPS_QUERY: [&str; 2] = ["--query-compute-apps=gpu_uuid,pid", "--format=csv,nounits"];

/// What was printed is no list of GPUs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmiError {
    /// It does not know what was asked for; there is an older question.
    #[error("nvidia-smi does not know what it was asked for: {0}")]
    Query(String),
    /// It could not ask the driver.
    #[error("nvidia-smi says: {0}")]
    Driver(String),
}

/// The GPUs in what `nvidia-smi` printed to one of [`SMI_QUERIES`], with the processes in
/// what it printed to [`SMI_APPS_QUERY`], where that is known.
///
/// # Errors
/// [`SmiError`] with what it printed instead of a list.
pub fn read_smi(gpus: &str, apps: Option<&str>) -> Result<Vec<GpuState>, SmiError> {
    let said: Vec<&str> = lines(gpus).collect();
    let Some(at) = said.iter().position(|line| line.starts_with("index,")) else {
        return match said.first() {
            None => Err(SmiError::Driver("nothing".to_owned())),
            Some(line) if line.to_ascii_lowercase().contains("no devices were found") => Ok(Vec::new()),
            Some(line) if line.contains("not a valid field") => Err(SmiError::Query((*line).to_owned())),
            Some(line) => Err(SmiError::Driver((*line).to_owned())),
        };
    };
    let columns: Vec<&str> = said[at].split(',').map(column).collect();
    let processes = apps.map(read_apps);
    Ok(said[at + 1..]
        .iter()
        .filter_map(|line| state(&Row::new(&columns, line)?, processes.as_deref()))
        .collect())
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// A column's name without its unit: `memory.total [MiB]`.
fn column(title: &str) -> &str {
    title.split('[').next().unwrap_or(title).trim()
}

/// Uuids of GPUs, one a process that computes; `None` where the driver does not tell.
fn read_apps(apps: &str) -> Vec<&str> {
    let uuids = lines(apps).filter_map(|line| line.split(',').next());
    uuids
        .map(str::trim)
        .filter(|uuid| uuid.starts_with("GPU-"))
        .collect()
}

/// One line, by the names of its columns.
struct Row<'a> {
    columns: &'a [&'a str],
    cells: Vec<String>,
}

impl<'a> Row<'a> {
    fn new(columns: &'a [&'a str], line: &str) -> Option<Self> {
        let mut cells: Vec<String> = line.split(',').map(|cell| cell.trim().to_owned()).collect();
        let surplus = cells.len().checked_sub(columns.len())?;
        let name = columns.iter().position(|column| *column == "name")?;
        let whole = cells[name..=name + surplus].join(", ");
        cells.splice(name..=name + surplus, [whole]);
        Some(Self { columns, cells })
    }

    /// What the cell says, unless it says that there is nothing to say.
    fn text(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| *name == column)?;
        let cell = self.cells.get(at)?.as_str();
        let is_silent = cell.is_empty() || cell.starts_with('[') || cell == "N/A" || cell == "ERR!";
        (!is_silent).then_some(cell)
    }

    /// A figure; a unit behind it does no harm.
    fn figure(&self, column: &str) -> Option<f64> {
        let figure: f64 = self.text(column)?.split_whitespace().next()?.parse().ok()?;
        (figure.is_finite() && figure >= 0.0).then_some(figure)
    }

    fn whole(&self, column: &str) -> Option<u32> {
        format!("{:.0}", self.figure(column)?).parse().ok()
    }

    fn mebibytes(&self, column: &str) -> Option<u64> {
        Some(u64::from(self.whole(column)?) << 20)
    }

    /// What went wrong with this GPU, where a cell tells.
    fn fault(&self) -> Option<String> {
        let faults = ["Unknown Error", "GPU is lost", "GPU requires reset", "ERR!"];
        let is_fault = |cell: &&String| faults.iter().any(|fault| cell.contains(fault));
        let cell = self.cells.iter().find(is_fault)?;
        Some(cell.trim_matches(['[', ']']).to_owned())
    }
}

/// A line that names no GPU (an instance of a split one, a remark) is none.
fn state(row: &Row<'_>, processes: Option<&[&str]>) -> Option<GpuState> {
    let device = GpuDevice {
        index: row.text("index")?.parse().ok()?,
        uuid: row
            .text("uuid")
            .filter(|uuid| uuid.starts_with("GPU-"))?
            .to_owned(),
        name: row.text("name").unwrap_or("NVIDIA GPU").to_owned(),
        vendor: GpuVendor::Nvidia,
        memory_bytes: row.mebibytes("memory.total").unwrap_or(0),
    };
    let is_split = row.text("mig.mode.current") == Some("Enabled");
    let health = match row.fault() {
        Some(fault) => GpuHealth::Broken(fault),
        None if is_split => GpuHealth::Split,
        None => GpuHealth::Usable,
    };
    let count = processes.map(|uuids| uuids.iter().filter(|uuid| **uuid == device.uuid).count());
    Some(GpuState {
        memory_used_bytes: row.mebibytes("memory.used"),
        utilization_percent: row
            .whole("utilization.gpu")
            .and_then(|percent| u8::try_from(percent).ok()),
        temperature_c: row.whole("temperature.gpu"),
        power_w: row.figure("power.draw"),
        power_limit_w: row.figure("power.limit"),
        processes: count.and_then(|count| u32::try_from(count).ok()),
        compute_mode: mode(row.text("compute_mode").unwrap_or_default()),
        health,
        device,
    })
}

fn mode(word: &str) -> ComputeMode {
    if word.starts_with("Prohibited") {
        ComputeMode::Prohibited
    } else if word.starts_with("Exclusive") {
        ComputeMode::Exclusive
    } else {
        ComputeMode::Shared
    }
}
