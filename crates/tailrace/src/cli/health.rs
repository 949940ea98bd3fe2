//! `tailrace health`: asks a running Tailrace whether it is well, as a probe would.
//!
//! A container image without a shell has no `curl` either, so the program is its own. One request over plain HTTP/1.1 with
//! the standard library; every step has the same short time limit, for whoever asks wants an answer rather than the truth.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

/// How long connecting, sending and answering may each take.
const STEP: Duration = Duration::from_secs(2);
/// A longer status line is none.
const STATUS_BYTES_MAX: u64 = 1024;

/// Asks the `health_check` extension of a running Tailrace; for probes where there is no other client.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What to ask: the endpoint and path of `extensions: health_check`.
    #[arg(default_value = "http://127.0.0.1:13133/")]
    url: String,
}

impl Arguments {
    /// Succeeds if the answer is 200.
    pub(super) fn run(&self) -> ExitCode {
        match ask(&self.url) {
            Ok(200) => ExitCode::SUCCESS,
            Ok(status) => {
                eprintln!("not healthy: `{}` answers {status}", self.url);
                ExitCode::FAILURE
            }
            Err(message) => {
                eprintln!("error: {message}");
                ExitCode::FAILURE
            }
        }
    }
}

/// The status that a URL answers with.
fn ask(url: &str) -> Result<u16, String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("`{url}` does not begin with `http://`"))?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let cannot = |error: std::io::Error| {
        format!(
            "`{url}` cannot be asked: {error}; is Tailrace running, with `service: {{extensions: [health_check]}}`?"
        )
    };
    let addresses = authority.to_socket_addrs().map_err(|error| {
        format!("`{authority}` in `{url}` is no address: {error}; it is a host and a port, as in `127.0.0.1:13133`")
    })?;
    let mut stream = connect(addresses).map_err(cannot)?;
    stream.set_read_timeout(Some(STEP)).and_then(|()| stream.set_write_timeout(Some(STEP))).map_err(cannot)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(cannot)?;
    let mut line = Vec::new();
    BufReader::new(stream.take(STATUS_BYTES_MAX)).read_until(b'\n', &mut line).map_err(cannot)?;
    status(&line).ok_or_else(|| format!("what answers at `{url}` does not speak HTTP"))
}

/// Connects to the first address that takes it: a name may stand for `::1` where only 127.0.0.1 is listened on.
fn connect(addresses: impl Iterator<Item = std::net::SocketAddr>) -> std::io::Result<TcpStream> {
    let mut outcome = Err(std::io::Error::other("the name has no address"));
    for address in addresses {
        outcome = TcpStream::connect_timeout(&address, STEP);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// The number in a status line such as `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one request with these bytes, and gives back what was asked.
    fn answered(answer: &'static str, path: &str) -> (Result<u16, String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut asked = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
            while !asked.ends_with("\r\n\r\n") && reader.read_line(&mut asked).expect("a line") > 0 {}
            stream.write_all(answer.as_bytes()).expect("it can answer");
            asked
        });
        let outcome = ask(&format!("http://{address}{path}"));
        (outcome, server.join().expect("the server ends"))
    }

    #[test]
    fn the_status_is_what_is_answered() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Ok(200)),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Ok(503)),
            ("HTTP/1.1 204\r\n\r\n", Ok(204)),
        ] {
            assert_eq!(answered(answer, "/").0, expected, "{answer}");
        }
        for answer in ["", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 ok\r\n", "HTTP/2 200\r\n"] {
            let told = answered(answer, "/").0.expect_err(answer);
            assert!(told.contains("does not speak HTTP"), "{told}");
        }
    }

    #[test]
    fn the_path_is_asked() {
        for (path, line) in [("/health?full=1", "GET /health?full=1 HTTP/1.1"), ("", "GET / HTTP/1.1")] {
            assert_eq!(answered("HTTP/1.1 200 OK\r\n\r\n", path).1.lines().next(), Some(line));
        }
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        for (url, message) in [
            ("https://127.0.0.1:1/".to_string(), "does not begin with `http://`"),
            ("http://127.0.0.1/".to_string(), "is no address"),
            (format!("http://{gone}/"), "is Tailrace running"),
        ] {
            let told = ask(&url).expect_err(&url);
            assert!(told.contains(message), "{told}");
        }
    }
}
