//! Starting, watching and ending the programs of a story, each bound to the life of a value.
//!
//! A program is ended by its process ID when its value goes, so a failing story leaves nothing behind. Every wait has a
//! deadline, and a program that ends early fails the wait at once, with the end of its log.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Between two looks at something that other programs change.
const POLL: Duration = Duration::from_millis(50);
/// Below the range the kernel gives to outgoing connections, so that none of those takes a port between choice and use.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A running program.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command` with its output in a file in `folder`.
    pub(crate) fn start(name: &'static str, command: &mut Command, folder: &Path) -> Program {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).expect("the log can be created");
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a handle of the log")).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Program { name, child, log }
    }

    /// Waits until `ready` says so.
    pub(crate) fn wait_until(&mut self, what: &str, limit: Duration, ready: impl FnMut() -> bool) {
        if let Err(why) = self.reaches(what, limit, ready) {
            panic!("{why}");
        }
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// It ended before, or takes too long; with the end of its log.
    pub(crate) fn reaches(
        &mut self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        while !ready() {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                return Err(format!("{} ended ({status}) before {what}:\n{}", self.name, self.log_end()));
            }
            if Instant::now() >= deadline {
                return Err(format!("{}: not {what} within {limit:?}:\n{}", self.name, self.log_end()));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Waits until it listens on `port`.
    pub(crate) fn wait_for_port(&mut self, port: u16) {
        self.wait_until("listening", Duration::from_secs(30), || TcpStream::connect(("127.0.0.1", port)).is_ok());
    }

    /// Waits for its end and demands success.
    pub(crate) fn wait_for_success(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                break status;
            }
            assert!(Instant::now() < deadline, "{} runs longer than {limit:?}:\n{}", self.name, self.log_end());
            thread::sleep(POLL);
        };
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.log_end());
    }

    /// Asks it to stop as a supervisor does, and demands that it ends well.
    pub(crate) fn terminate(&mut self, limit: Duration) {
        let status = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "cannot signal {}", self.name);
        self.wait_for_success(limit);
    }

    /// The last lines of what it printed.
    pub(crate) fn log_end(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nothing uses, and that no other call gives.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another run of the tests beside this one begins elsewhere.
    let begin = (std::process::id() % 100) as u16 * 120;
    for _ in PORTS {
        let port = PORTS.start + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS.len() as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port in {PORTS:?}");
}

/// The file or program of an installed peer.
pub(crate) fn peer(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = std::env::var_os("TAILRACE_PEERS").map_or_else(|| root.join("target/peers"), PathBuf::from);
    let file = peers.join(path);
    assert!(file.exists(), "`{}` is missing, run `tests/peers/install` first", file.display());
    file
}

/// A file beside this one.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers").join(name)
}
