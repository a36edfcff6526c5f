//! Resources that the process uses, as reported by Linux in `/proc/self`.

use std::fs;

/// Units of processor time in `/proc/self/stat`, per second. Linux reports the same to programs on
/// all common architectures, independent of the kernel's timer.
const CLOCK_TICKS_PER_SECOND: f64 = 100.0;
const BYTES_PER_KIB: u64 = 1024;
/// Positions of `utime` and `stime` in `/proc/self/stat`, counted after the name of the program.
const CPU_TIME_FIELDS: std::ops::RangeInclusive<usize> = 11..=12;

/// Resources that the process uses. Values that cannot be read are `None`.
#[derive(Debug, Clone, Copy)]
pub struct ProcessSample {
    pub cpu_seconds: Option<f64>,
    pub resident_memory_bytes: Option<u64>,
    pub virtual_memory_bytes: Option<u64>,
    pub open_fds: Option<u64>,
    /// Maximum number of open files.
    pub max_fds: Option<u64>,
    pub threads: Option<u64>,
}

impl ProcessSample {
    /// Reads the current values.
    pub fn read() -> Self {
        let status = read("status");
        let memory = |name| Some(field(&status, name)? * BYTES_PER_KIB);
        Self {
            cpu_seconds: cpu_seconds(&read("stat")),
            resident_memory_bytes: memory("VmRSS:"),
            virtual_memory_bytes: memory("VmSize:"),
            open_fds: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|entries| entries.count() as u64),
            max_fds: field(&read("limits"), "Max open files"),
            threads: field(&status, "Threads:"),
        }
    }
}

/// A file in `/proc/self`; empty if it cannot be read.
fn read(name: &str) -> String {
    fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default()
}

/// The first number of the line that begins with `name`.
fn field(text: &str, name: &str) -> Option<u64> {
    let values = text.lines().find_map(|line| line.strip_prefix(name))?;
    values.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name of the program is in parentheses and may contain spaces.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let ticks = fields
        .get(CPU_TIME_FIELDS)?
        .iter()
        .map(|ticks| ticks.parse::<u32>().map(f64::from))
        .sum::<Result<f64, _>>();
    Some(ticks.ok()? / CLOCK_TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_process_is_measured() {
        let sample = ProcessSample::read();
        assert!(sample.cpu_seconds.is_some());
        assert!(sample.resident_memory_bytes > Some(1_000_000));
        assert!(sample.virtual_memory_bytes >= sample.resident_memory_bytes);
        assert!(sample.open_fds > Some(2) && sample.max_fds >= sample.open_fds);
        assert!(sample.threads > Some(0));
    }

    #[test]
    fn cpu_time_is_sum_of_user_and_system_time() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20";
        assert_eq!(cpu_seconds(stat), Some(1.75));
        assert_eq!(cpu_seconds(""), None);
    }
}
