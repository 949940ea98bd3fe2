//! What the operating system says about this process (Linux; zeros elsewhere).

use std::fs;

/// Resources used by the process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) rss_bytes: u64,
    /// User and system time.
    pub(crate) cpu_seconds: f64,
}

/// Kernel clock ticks a second; Linux has reported 100 to user space on every architecture for twenty years.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: u64 = 4096;

/// Reads `/proc/self`.
pub(crate) fn usage() -> Usage {
    let rss_pages = fs::read_to_string("/proc/self/statm").ok();
    let rss_pages = rss_pages.as_deref().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    let ticks = fs::read_to_string("/proc/self/stat").ok();
    // The second field, the command's name, may hold spaces; what follows its closing parenthesis does not.
    let ticks = ticks.as_deref().and_then(|text| {
        let mut fields = text.rsplit_once(") ")?.1.split(' ').skip(11);
        Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
    });
    Usage { rss_bytes: rss_pages.unwrap_or(0) * PAGE_BYTES, cpu_seconds: ticks.unwrap_or(0) as f64 / TICKS_PER_SECOND }
}

/// Bytes of memory that the process may use: its cgroup's limit, or the machine's memory.
pub(crate) fn memory_limit_bytes() -> Option<u64> {
    let physical = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    });
    let limit = cgroup_limit_bytes();
    match (physical, limit) {
        (Some(physical), Some(limit)) => Some(physical.min(limit)),
        (physical, limit) => physical.or(limit),
    }
}

/// The smallest limit on the way from the process's cgroup to the root (version 2, then version 1).
fn cgroup_limit_bytes() -> Option<u64> {
    let cgroups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut limits = Vec::new();
    for line in cgroups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            let text = fs::read_to_string(format!("{root}{path}/{file}")).ok();
            limits.extend(text.and_then(|text| text.trim().parse::<u64>().ok()));
            match path.rfind('/') {
                Some(slash) => path = &path[..slash],
                None => break,
            }
        }
    }
    limits.into_iter().min()
}
