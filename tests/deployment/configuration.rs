//! A configuration as a way of running Tailrace sees it: what listens where, what is asked for health, how long stopping takes.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use settings::Node;

/// Where `health_check` listens if it is not told.
const HEALTH_DEFAULT: &str = "localhost:13133";
/// How long stopping may take if it is not told.
const GRACE_DEFAULT: &str = "20s";

/// A configuration with its environment.
pub(crate) struct Configuration {
    name: String,
    text: String,
    env: Vec<(String, String)>,
    tree: Node,
}

impl Configuration {
    /// Loads a configuration.
    pub(crate) fn load(name: &str, text: &str, env: &[(String, String)]) -> Configuration {
        let value = |key: &str| env.iter().find(|(one, _)| one == key).map(|(_, value)| value.clone());
        let (tree, sources, problems) = settings::load(&[format!("yaml:{text}")], &[], &value);
        assert!(!problems.has_errors(), "{name}: {}", problems.render(&sources));
        let tree = tree.expect("a tree without errors");
        Configuration { name: name.to_string(), text: text.to_string(), env: env.to_vec(), tree }
    }

    /// The built binary finds nothing to say about it.
    pub(crate) fn assert_valid(&self) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tailrace"));
        let process = process.env_clear().envs(self.env.iter().cloned());
        let output = process.args(["validate", "--config", &format!("yaml:{}", self.text)]).output().expect("it runs");
        let shown = String::from_utf8_lossy(&output.stderr);
        let told = shown.contains(": error: ") || shown.contains(": warning: ");
        assert!(output.status.success() && !told, "{}: {shown}", self.name);
    }

    /// The ports of receivers, of those that others than this machine reach.
    pub(crate) fn intake_ports(&self) -> BTreeSet<u16> {
        let protocols = self.entries("receivers").into_iter().flat_map(|receiver| at(receiver, &["protocols"]));
        let protocols = protocols.flat_map(|protocols| protocols.entries());
        let endpoints = protocols.filter_map(|protocol| text(&protocol.node, &["endpoint"]));
        endpoints.filter_map(|endpoint| public_port(&endpoint)).collect()
    }

    /// Every port that others than this machine reach.
    pub(crate) fn ports(&self) -> BTreeSet<u16> {
        let mut ports = self.intake_ports();
        ports.extend(public_port(&self.health_endpoint()));
        ports.extend(self.metrics_port());
        ports
    }

    /// The port of the metrics.
    pub(crate) fn metrics_port(&self) -> Option<u16> {
        let readers = at(&self.tree, &["service", "telemetry", "metrics", "readers"])?;
        let mut p = settings::Problems::new();
        let readers = readers.list("readers", &mut p)?;
        let prometheus = readers.iter().find_map(|reader| at(reader, &["pull", "exporter", "prometheus"]))?;
        public_port(&format!("{}:{}", text(prometheus, &["host"])?, text(prometheus, &["port"])?))
    }

    /// The port that probes ask.
    pub(crate) fn health_port(&self) -> u16 {
        let endpoint = self.health_endpoint();
        public_port(&endpoint).unwrap_or_else(|| panic!("{}: probes do not reach {endpoint}", self.name))
    }

    /// The path that probes ask.
    pub(crate) fn health_path(&self) -> String {
        text(&self.tree, &["extensions", "health_check", "path"]).unwrap_or_else(|| "/".to_string())
    }

    /// How long stopping may take.
    pub(crate) fn grace(&self) -> Duration {
        let grace = text(&self.tree, &["tailrace", "shutdown_grace"]).unwrap_or_else(|| GRACE_DEFAULT.to_string());
        settings::Duration::parse(&grace).expect("a duration").to_std()
    }

    fn health_endpoint(&self) -> String {
        let used = at(&self.tree, &["service", "extensions"]);
        let used = used.and_then(|used| used.list("extensions", &mut settings::Problems::new())).unwrap_or_default();
        let used = used.iter().any(|one| one.as_text() == Some("health_check"));
        assert!(used, "{}: `service::extensions` lacks `health_check`", self.name);
        text(&self.tree, &["extensions", "health_check", "endpoint"]).unwrap_or_else(|| HEALTH_DEFAULT.to_string())
    }

    fn entries(&self, section: &str) -> Vec<&Node> {
        let section = self.tree.lookup(section).map(Node::entries).unwrap_or_default();
        section.iter().map(|entry| &entry.node).collect()
    }
}

#[test]
fn the_files_in_config_are_valid() {
    for name in ["gateway", "sidecar", "gateway-jaeger", "sidecar-zipkin", "default"] {
        Configuration::load(name, &super::read(&format!("config/{name}.yaml")), &[]).assert_valid();
    }
}

/// The node under a path of keys.
fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.lookup(key))
}

/// The text or number under a path of keys, as it stands in the file or came out of an expansion.
fn text(node: &Node, path: &[&str]) -> Option<String> {
    at(node, path)?.text(&mut settings::Problems::new()).or_else(|| {
        let number = at(node, path)?.u64(&mut settings::Problems::new());
        number.map(|number| number.to_string())
    })
}

/// The port of an endpoint, unless that is on loopback.
fn public_port(endpoint: &str) -> Option<u16> {
    let (host, port) = endpoint.rsplit_once(':')?;
    (!["localhost", "127.0.0.1", "[::1]"].contains(&host)).then(|| port.parse().expect("a port"))
}
