//! One collector as a process: found, configured, pinned to core 0, watched through /proc, stopped.

use crate::{options::Options, scenario::Addresses};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Tailrace,
    Otelcol,
    /// A bare h2 server that reads requests and throws them away.
    Floor,
}

/// A running collector; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Collector {
    child: Child,
    ticks_a_second: f64,
    folder: PathBuf,
}

/// Processes that take time away from the collector; dropped, they are killed.
#[derive(Debug)]
pub(crate) struct Burners(Vec<Child>);

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Otelcol, Self::Tailrace, Self::Floor];

    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, String> {
        match text {
            "tailrace" => Ok(vec![Self::Tailrace]),
            "otelcol" => Ok(vec![Self::Otelcol]),
            "floor" => Ok(vec![Self::Floor]),
            "both" => Ok(vec![Self::Otelcol, Self::Tailrace]),
            other => Err(format!("unknown side `{other}`, there are `tailrace`, `otelcol`, `floor` and `both`")),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tailrace => "tailrace",
            Self::Otelcol => "otelcol",
            Self::Floor => "floor",
        }
    }

    fn program(self, options: &Options) -> Result<PathBuf, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let found = match self {
            Self::Tailrace => options.tailrace.clone().or(option_env!("CARGO_BIN_EXE_tailrace").map(PathBuf::from)),
            Self::Otelcol => {
                let named = options.otelcol.clone().or(std::env::var_os("OTELCOL_PEER").map(PathBuf::from));
                named.or(Some(root.join("target/peers/bin/otelcol-peer")))
            }
            Self::Floor => std::env::current_exe().ok(),
        };
        found.filter(|path| path.is_file()).ok_or(match self {
            Self::Otelcol => {
                "no otelcol: run `tests/peers/install`, or name one by `--otelcol` or OTELCOL_PEER".to_owned()
            }
            other => format!("no program for `{}`: name one by `--{}`", other.name(), other.name()),
        })
    }
}

impl Collector {
    /// Starts it and returns when it accepts connections.
    pub(crate) async fn start(
        side: Side,
        options: &Options,
        addresses: &Addresses,
        configuration: &str,
        cores: &str,
    ) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("tailrace-compare-{}-{}", std::process::id(), side.name()));
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let file = folder.join("config.yaml");
        let log = folder.join("log.txt");
        fs::write(&file, configuration).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let output = fs::File::create(&log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;

        let mut command = Command::new("taskset");
        command.args(["-c", cores]).arg(side.program(options)?);
        match side {
            Side::Floor => command.arg("--serve-floor").arg(format!("{},{}", addresses.grpc, addresses.http)),
            Side::Otelcol | Side::Tailrace => command.arg("--config").arg(&file),
        };
        command.env("GOMAXPROCS", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let child = command.spawn().map_err(|error| format!("cannot start {} with taskset: {error}", side.name()))?;
        let mut collector = Self { child, ticks_a_second: ticks_a_second(), folder };
        collector.wait_until_ready(addresses.grpc, &log).await?;
        Ok(collector)
    }

    /// CPU time so far, user and system, of all threads.
    pub(crate) fn cpu(&self) -> Duration {
        Duration::from_secs_f64(self.cpu_ticks() as f64 / self.ticks_a_second)
    }

    /// CPU time so far in clock ticks, as fine as /proc has it.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        process_ticks(&self.child.id().to_string())
    }

    /// Resident bytes now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.status_kib("VmRSS:") * 1024
    }

    /// Most resident bytes so far.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.status_kib("VmHWM:") * 1024
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end, and waits for it a while.
    pub(crate) async fn stop(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + STOP_MAX;
        while self.is_running() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn wait_until_ready(&mut self, address: SocketAddr, log: &Path) -> Result<(), String> {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline && self.is_running() {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let log = fs::read_to_string(log).unwrap_or_default();
        Err(format!("the collector did not start; it says:\n{log}"))
    }

    fn status_kib(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Burners {
    /// Starts so many processes that each want all of the collector's core.
    pub(crate) fn start(count: u32) -> Result<Self, String> {
        let this = std::env::current_exe().map_err(|error| format!("this program has no path: {error}"))?;
        let burner = || Command::new("taskset").args(["-c", COLLECTOR_CORE]).arg(&this).arg("--burn").spawn();
        let started = (0..count).map(|_| burner().map_err(|error| format!("cannot start taskset: {error}")));
        started.collect::<Result<_, _>>().map(Self)
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Puts load and sink on the core that the collector does not have.
pub(crate) fn pin_myself() -> Result<(), String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        return Err("the comparison needs two cores: one for the collector, one for load and sink".to_owned());
    }
    let pinned = Command::new("taskset")
        .args(["-a", "-p", "-c", LOAD_CORE, &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("cannot run taskset: {error}"))?;
    if pinned.success() { Ok(()) } else { Err("taskset cannot pin this process".to_owned()) }
}

/// CPU time that load and sink have taken so far.
pub(crate) fn my_cpu() -> Duration {
    Duration::from_secs_f64(process_ticks("self") as f64 / ticks_a_second())
}

/// An address on loopback that was free a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|listener| listener.local_addr()).map_err(|error| format!("no free port: {error}"))
}

fn process_ticks(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may contain anything; utime and stime are the 12th and 13th field behind it.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn ticks_a_second() -> f64 {
    let said = Command::new("getconf").arg("CLK_TCK").output().ok();
    said.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok()).unwrap_or(100.0)
}

pub(crate) const COLLECTOR_CORE: &str = "0";
/// For a collector with two workers, which then shares one core with load and sink.
pub(crate) const BOTH_CORES: &str = "0,1";
const LOAD_CORE: &str = "1";
const START_MAX: Duration = Duration::from_secs(30);
const STOP_MAX: Duration = Duration::from_secs(30);
