//! What `config/` offers for running Tailrace, checked as far as that can be done without a cluster, a container or an init.
//!
//! Each way of running it is compared with the configuration that it runs: probes with the `health_check` extension, ports
//! with everything that listens, and the time until it would be killed with `tailrace: shutdown_grace`. The configuration is
//! validated by the built binary, with the environment that the manifest gives.

#[path = "deployment/configuration.rs"]
mod configuration;
#[path = "deployment/docker.rs"]
mod docker;
#[path = "deployment/kubernetes.rs"]
mod kubernetes;
#[path = "deployment/systemd.rs"]
mod systemd;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// The text of a file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
