//! The Dockerfile beside the configuration that it brings.

use std::collections::BTreeSet;

use super::configuration::Configuration;
use super::{read, root};

/// Its instructions with their arguments, continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = read("config/docker/Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| line.split_once(' ').map(|(name, rest)| (name.to_string(), rest.trim().to_string()));
    lines.map(|line| pair(line).unwrap_or_else(|| panic!("`{line}` is no instruction"))).collect()
}

fn all<'i>(instructions: &'i [(String, String)], name: &str) -> Vec<&'i str> {
    instructions.iter().filter(|(one, _)| one == name).map(|(_, rest)| rest.as_str()).collect()
}

/// The instructions of the image that remains: those after the last `FROM`.
fn last_stage(instructions: &[(String, String)]) -> &[(String, String)] {
    let begin = instructions.iter().rposition(|(name, _)| name == "FROM").expect("a base image");
    &instructions[begin..]
}

#[test]
fn the_image_is_small_and_not_root() {
    let instructions = instructions();
    assert_eq!(all(&instructions, "FROM").len(), 2, "one stage builds, one remains");
    let stage = last_stage(&instructions);
    let base = all(stage, "FROM")[0];
    assert!(base.contains("distroless") || base == "scratch", "{base}");
    assert!(all(stage, "RUN").is_empty(), "the last stage has no shell");
    let [user] = all(stage, "USER")[..] else { panic!("one user") };
    let ids: Vec<u32> = user.split(':').map(|id| id.parse().expect("a number")).collect();
    assert!(ids.len() == 2 && ids.iter().all(|id| *id > 0), "{user}");
    assert_eq!(all(stage, "STOPSIGNAL"), ["SIGTERM"]);
    let kubernetes = read("config/kubernetes/gateway.yaml");
    assert!(kubernetes.contains(&format!("runAsUser: {}\n", ids[0])), "the user is that of the manifests");
}

#[test]
fn what_is_copied_exists_and_what_is_exposed_listens() {
    let instructions = instructions();
    let stage = last_stage(&instructions);
    let mut configuration = None;
    for copy in all(stage, "COPY").into_iter().filter(|copy| !copy.starts_with("--from=")) {
        let (source, target) = copy.split_once(' ').expect("from and to");
        assert!(root().join(source).exists(), "{source} is copied and does not exist");
        let [command] = all(stage, "CMD")[..] else { panic!("one command") };
        if command.contains(&format!("\"{}\"", target.trim())) {
            configuration = Some(Configuration::load(source, &read(source), &[]));
        }
    }
    let configuration = configuration.expect("CMD names a file that is copied");
    let exposed = all(stage, "EXPOSE").into_iter().flat_map(str::split_whitespace);
    let exposed: BTreeSet<u16> = exposed.map(|port| port.parse().expect("a port")).collect();
    assert_eq!(exposed, configuration.ports());
    configuration.assert_valid();
}

/// There is no shell, so the check is the program itself, in the form that needs none.
#[test]
fn the_health_check_asks_where_health_check_answers() {
    let instructions = instructions();
    let stage = last_stage(&instructions);
    let [check] = all(stage, "HEALTHCHECK")[..] else { panic!("one check") };
    let (_, command) = check.split_once(" CMD ").expect("a command");
    let words: Vec<String> = serde_yaml::from_str(command).expect("the form without a shell");
    let [program, health, url] = &words[..] else { panic!("{words:?}") };
    assert_eq!(all(stage, "ENTRYPOINT"), [format!("[\"{program}\"]")]);
    let configuration = Configuration::load("gateway", &read("config/gateway.yaml"), &[]);
    assert_eq!(*url, format!("http://127.0.0.1:{}{}", configuration.health_port(), configuration.health_path()));
    let binary = std::process::Command::new(env!("CARGO_BIN_EXE_tailrace")).args([health, "--help"]).output();
    assert!(binary.expect("it runs").status.success(), "`tailrace {health}` is a command");
}

/// The program that the entry point names is the one that was built.
#[test]
fn the_entry_point_is_what_was_built() {
    let instructions = instructions();
    let stage = last_stage(&instructions);
    let built = all(stage, "COPY").into_iter().find_map(|copy| copy.strip_prefix("--from=build ")).expect("a program");
    let (_, target) = built.split_once(' ').expect("from and to");
    assert_eq!(all(stage, "ENTRYPOINT"), [format!("[\"{target}\"]")]);
    let toolchain = read("rust-toolchain.toml");
    let version = all(&instructions, "FROM")[0].strip_prefix("rust:").and_then(|tag| tag.split('-').next());
    assert!(version.is_some_and(|version| toolchain.contains(&format!("\"{version}"))), "{version:?}");
}

/// Cargo needs every path that a manifest or the source names; what is not sent must not be among them.
#[test]
fn the_build_is_sent_what_it_needs() {
    let ignored = read("config/docker/Dockerfile.dockerignore");
    for needed in ["Cargo.toml", "Cargo.lock", "crates", "proto", "config", "benches"] {
        assert!(!ignored.lines().any(|line| line.trim_matches('/') == needed), "{needed} is needed");
    }
}
