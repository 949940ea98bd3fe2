//! The built binary as a test starts it: a configuration file, free ports, its log, and a polite end.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Between two looks at the log.
const POLL: Duration = Duration::from_millis(20);
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running `tailrace`, ended when the value goes.
pub(crate) struct Collector {
    child: Child,
    file: PathBuf,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Collector {
    /// Starts it with this configuration and waits until it listens.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// Starts it with more arguments.
    pub(crate) fn start_with(config: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.yaml");
        fs::write(&file, config).expect("the configuration can be written");
        let log = folder.path().join("log");
        let out = File::create(&log).expect("the log can be created");
        let child = Command::new(env!("CARGO_BIN_EXE_tailrace"))
            .arg("--config")
            .arg(&file)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a handle of the log"))
            .stderr(out)
            .spawn()
            .expect("tailrace can be started");
        let mut collector = Self { child, file, log, _folder: folder };
        collector.wait_until("ready", |log| log.contains("everything is ready"));
        collector
    }

    /// Where a receiver listens: `protocol` is `grpc` or `http`; the metrics endpoint is `metrics`.
    pub(crate) fn address(&self, protocol: &str) -> SocketAddr {
        let log = self.log();
        let wanted = format!("protocol={protocol} ");
        let line = log.lines().find(|line| line.contains("listening") && line.contains(&wanted));
        let line = line.unwrap_or_else(|| panic!("nothing listens for {protocol}:\n{log}"));
        let address = line.split("address=").nth(1).expect("an address").split_whitespace().next();
        address.expect("an address").parse().expect("host:port")
    }

    /// A metric's value, summed over the series whose labels hold all of `labels`.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        sum_of(&get(self.address("metrics"), "/metrics"), name, labels)
    }

    /// Puts another configuration in the place of the one that it was started with.
    pub(crate) fn write(&self, config: &str) {
        // Moved there, as editors and Kubernetes do it: nobody ever sees half of it.
        let new = self.file.with_extension("new");
        fs::write(&new, config).and_then(|()| fs::rename(&new, &self.file)).expect("the configuration can be written");
    }

    /// Everything printed so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the log says so.
    pub(crate) fn wait_until(&mut self, what: &str, ready: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + START_LIMIT;
        while !ready(&self.log()) {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                panic!("tailrace ended ({status}) before it was {what}:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "not {what} in time:\n{}", self.log());
            thread::sleep(POLL);
        }
    }

    /// SIGTERM, and the exit status with everything it printed.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                return (status, self.log());
            }
            assert!(Instant::now() < deadline, "it does not stop:\n{}", self.log());
            thread::sleep(POLL);
        }
    }

    /// Sends a signal by its `kill` option.
    pub(crate) fn signal(&self, option: &str) {
        let status = Command::new("kill").arg(option).arg(self.child.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "cannot signal tailrace");
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One GET, read to its end.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).expect("the endpoint answers");
    // HTTP/1.0 asks for a body that is not in chunks.
    write!(socket, "GET {path} HTTP/1.0\r\nHost: test\r\n\r\n").expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer
}

/// One POST of JSON; gives the whole answer.
pub(crate) fn post_json(address: SocketAddr, path: &str, body: &str) -> String {
    post_json_with(address, path, &[], body)
}

/// One POST of JSON with further headers; gives the whole answer.
pub(crate) fn post_json_with(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut socket = TcpStream::connect(address).expect("the receiver answers");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n{headers}\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body.as_bytes())).expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The sum of a metric's series in an exposition.
pub(crate) fn sum_of(exposition: &str, name: &str, labels: &[&str]) -> f64 {
    let series = exposition.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']) && labels.iter().all(|label| rest.contains(label)))
    });
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
