//! The settings of `resourcedetection`.

use super::catalogue::{DETECTORS, Detector, Form};
use crate::any_value::Literal;
use settings::{Decode, Duration, Fields, Node, Problems, Secret, Severity, suggest};
use std::collections::BTreeMap;

/// Settings of a `resourcedetection` processor.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct ResourceDetectionSettings {
    /// Which detectors are asked, in this order; the first that gives an attribute counts.
    pub detectors: Vec<String>,
    /// Whether what is detected replaces the attributes that a resource brings.
    #[key = "override"]
    pub r#override: bool,
    /// How long a detector may take; none here takes any time.
    pub timeout: Duration,
    /// How often otelcol asks again; here it is done at each start and reload.
    pub refresh_interval: Duration,
    /// Whether it is an error if a detector finds nothing.
    pub fail_on_missing_metadata: bool,
    /// How otelcol tries again; nothing here is worth another try.
    pub retry: RetrySettings,
    /// Only these attributes are taken; all of them if empty. The newer way is `resource_attributes` of each detector.
    pub attributes: Vec<String>,
    /// By the name of their settings: what is written for each detector.
    pub of: BTreeMap<&'static str, DetectorSettings>,
}

/// How otelcol tries again.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct RetrySettings {
    /// Whether it does.
    pub enabled: bool,
    /// The first pause.
    pub initial_interval: Duration,
    /// By how much pauses differ at random, as a share.
    pub randomization_factor: f64,
    /// By what a pause is multiplied for the next one.
    pub multiplier: f64,
    /// The longest pause.
    pub max_interval: Duration,
    /// How long it goes on; 0 for ever.
    pub max_elapsed_time: Duration,
}

/// What is written for a detector.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct DetectorSettings {
    /// Attributes that are turned on or off.
    pub resource_attributes: BTreeMap<String, bool>,
    /// Its other settings, as they are written.
    pub others: BTreeMap<&'static str, Literal>,
}

/// Settings of the HTTP client with which otelcol asks; nobody is asked here.
const CLIENT: [&str; 20] = [
    "auth",
    "compression",
    "compression_params",
    "cookies",
    "disable_keep_alives",
    "endpoint",
    "force_attempt_http2",
    "headers",
    "http2_ping_timeout",
    "http2_read_idle_timeout",
    "idle_conn_timeout",
    "keepalive",
    "max_conns_per_host",
    "max_idle_conns",
    "max_idle_conns_per_host",
    "middlewares",
    "proxy_url",
    "read_buffer_size",
    "tls",
    "write_buffer_size",
];

/// What the settings mean that single detectors have.
const OTHERS: &[(&str, &str)] = &[
    ("address", "Where the service is that is asked; nobody is asked in this version."),
    ("auth_type", "How the service is asked; nobody is asked in this version."),
    ("context", "Which context of the Kubernetes configuration is used; nobody is asked in this version."),
    ("datacenter", "The data centre that is asked about; nobody is asked in this version."),
    ("fail_on_missing_metadata", "Older place of the setting of this name beside `detectors`; without effect."),
    ("hostname_sources", "Where the host's name is taken from, in this order: `os`, `dns`, `cname` or `lookup`."),
    ("labels", "Patterns of labels that become attributes; nobody is asked for them in this version."),
    ("max_attempts", "How often the service is asked; nobody is asked in this version."),
    ("max_backoff", "The longest pause between two attempts; nobody is asked in this version."),
    ("meta", "Labels that become attributes; nobody is asked for them in this version."),
    ("namespace", "The namespace that is asked about; nobody is asked in this version."),
    ("node_from_env_var", "The environment variable that has the node's name; `K8S_NODE_NAME` if it is not written."),
    ("protocol", "`http` or `https`; nobody is asked in this version."),
    ("tags", "Patterns of tags that become attributes; nobody is asked for them in this version."),
    ("tags_from_imds", "Whether tags come from the instance's metadata; nobody is asked in this version."),
    ("tls", "TLS towards the service; nobody is asked in this version."),
    ("token", "What the service is asked with; nobody is asked in this version."),
    ("token_file", "A file with that; nobody is asked in this version."),
];

/// Where `system` may take the host's name from.
const HOSTNAME_SOURCES: [&str; 4] = ["os", "dns", "cname", "lookup"];

fn duration(text: &str) -> Duration {
    Duration::parse(text).unwrap_or_default()
}

impl Default for ResourceDetectionSettings {
    fn default() -> Self {
        Self {
            detectors: vec!["env".to_string()],
            r#override: true,
            timeout: duration("5s"),
            refresh_interval: Duration::default(),
            fail_on_missing_metadata: false,
            retry: RetrySettings::default(),
            attributes: Vec::new(),
            of: BTreeMap::new(),
        }
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: duration("1s"),
            randomization_factor: 0.5,
            multiplier: 2.0,
            max_interval: duration("30s"),
            max_elapsed_time: Duration::default(),
        }
    }
}

impl Decode for ResourceDetectionSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let default = Self::default();
        let mut fields = node.map("resource_detection", p)?;
        fields.describe::<Self>();
        let mut settings = Self {
            detectors: fields.take("detectors", default.detectors, p),
            r#override: fields.take("override", default.r#override, p),
            timeout: fields.take("timeout", default.timeout, p),
            refresh_interval: fields.take("refresh_interval", default.refresh_interval, p),
            fail_on_missing_metadata: fields.take("fail_on_missing_metadata", false, p),
            retry: fields.take("retry", default.retry, p),
            attributes: fields.take("attributes", Vec::new(), p),
            of: BTreeMap::new(),
        };
        fields.ignore(&CLIENT);
        for detector in DETECTORS.iter().filter(|detector| !detector.settings.is_empty()) {
            fields.describe_keys(&[(detector.settings, "What this detector gives, and how it finds it.")]);
            let Some(node) = fields.node(detector.settings).filter(|node| !node.is_absent()) else { continue };
            let decoded = p.within(detector.settings, |p| DetectorSettings::decode(detector, node, p));
            settings.of.extend(decoded.map(|decoded| (detector.settings, decoded)));
        }
        fields.finish(p);
        settings.detectors.iter_mut().for_each(|name| *name = name.trim().to_string());
        settings.tell(node, p);
        Some(settings).filter(|_| p.count(Severity::Error) == told)
    }
}

impl ResourceDetectionSettings {
    /// What is wrong with them together, and what has no effect.
    fn tell(&self, node: &Node, p: &mut Problems) {
        let at = |key: &str| node.lookup(key).map_or(node.at, |node| node.at);
        let items = node.lookup("detectors").and_then(|node| node.list("detectors", &mut Problems::new()));
        for (index, name) in self.detectors.iter().enumerate() {
            let at = items.and_then(|items| items.get(index)).map_or(at("detectors"), |node| node.at);
            match Detector::named(name) {
                Some(detector) if detector.is_here => {}
                Some(_) => {
                    let message = format!(
                        "the detector `{name}` finds nothing in this version, for it asks a service over the network"
                    );
                    let help = "name the attributes in `OTEL_RESOURCE_ATTRIBUTES`, and add the detector `env`";
                    p.warning(&at, message, help.to_string());
                }
                None => {
                    let mut message = format!("unknown detector `{name}`");
                    if let Some(meant) = suggest(name, DETECTORS.iter().map(|detector| detector.name)) {
                        message.push_str(&format!(", did you mean `{meant}`?"));
                    }
                    let names = DETECTORS.iter().filter(|detector| detector.is_here).map(|detector| detector.name);
                    p.error(&at, message, format!("those that find something here are {}", settings::quoted(names)));
                }
            }
            if name == "k8snode" {
                p.warning(&at, "the detector `k8snode` is called `k8s_api` now", "write `k8s_api`".to_string());
            }
        }
        if self.retry.enabled
            && self.timeout == Duration::default()
            && self.retry.max_elapsed_time == Duration::default()
        {
            let message = "`retry` needs a `timeout` or a `max_elapsed_time` above 0";
            p.error(&at("timeout"), message, "write `timeout: 5s`; without one detection might never end".to_string());
        }
        if self.refresh_interval != Duration::default() {
            let message = "`refresh_interval` has no effect, for detection is done anew at each start and reload";
            p.warning(&at("refresh_interval"), message, "remove it to silence this".to_string());
        }
        if !self.attributes.is_empty() {
            let message = "`attributes` is gone from otelcol: its newer versions refuse it";
            let help = "remove it, and turn attributes off under `resource_attributes` of their detector";
            p.warning(&at("attributes"), message, help.to_string());
        }
    }

    /// Whether an attribute of a detector is taken.
    #[must_use]
    pub fn takes(&self, detector: &Detector, attribute: &str) -> bool {
        if !self.attributes.is_empty() && !self.attributes.iter().any(|name| name == attribute) {
            return false;
        }
        if detector.settings.is_empty() {
            return true;
        }
        let written = self.of.get(detector.settings).and_then(|of| of.resource_attributes.get(attribute));
        written.copied().unwrap_or_else(|| detector.on.contains(&attribute))
    }

    /// The texts of a detector's setting, if it is written: one, or those of a list.
    #[must_use]
    pub fn texts(&self, detector: &Detector, setting: &str) -> Vec<&str> {
        fn text(literal: &Literal) -> Option<&str> {
            match literal {
                Literal::Str(text) => Some(text.as_str()),
                _ => None,
            }
        }
        match self.of.get(detector.settings).and_then(|of| of.others.get(setting)) {
            Some(Literal::List(items)) => items.iter().filter_map(text).collect(),
            Some(literal) => text(literal).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// As otelcol prints them, without those of its HTTP client other than `timeout`.
    #[must_use]
    pub fn effective(&self) -> Node {
        let mut entries = vec![
            ("detectors", Node::list_of(&self.detectors)),
            ("fail_on_missing_metadata", self.fail_on_missing_metadata.into()),
            ("override", self.r#override.into()),
            ("refresh_interval", self.refresh_interval.into()),
            ("retry", self.retry.effective()),
            ("timeout", self.timeout.into()),
        ];
        let nothing = DetectorSettings::default();
        for detector in DETECTORS.iter().filter(|detector| !detector.settings.is_empty()) {
            let written = self.of.get(detector.settings).unwrap_or(&nothing);
            entries.push((detector.settings, written.effective(detector)));
        }
        if !self.attributes.is_empty() {
            entries.push(("attributes", Node::list_of(&self.attributes)));
        }
        entries.sort_by_key(|(name, _)| *name);
        Node::map_of(entries)
    }
}

impl Decode for RetrySettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let default = Self::default();
        let mut fields = node.map("retry", p)?;
        fields.describe::<Self>();
        let settings = Self {
            enabled: fields.take("enabled", default.enabled, p),
            initial_interval: fields.take("initial_interval", default.initial_interval, p),
            randomization_factor: fields.take("randomization_factor", default.randomization_factor, p),
            multiplier: fields.take("multiplier", default.multiplier, p),
            max_interval: fields.take("max_interval", default.max_interval, p),
            max_elapsed_time: fields.take("max_elapsed_time", default.max_elapsed_time, p),
        };
        fields.finish(p);
        Some(settings)
    }
}

impl RetrySettings {
    fn effective(&self) -> Node {
        Node::map_of([
            ("enabled", Node::from(self.enabled)),
            ("initial_interval", self.initial_interval.into()),
            ("max_elapsed_time", self.max_elapsed_time.into()),
            ("max_interval", self.max_interval.into()),
            ("multiplier", self.multiplier.into()),
            ("randomization_factor", self.randomization_factor.into()),
        ])
    }
}

impl DetectorSettings {
    fn decode(detector: &Detector, node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map(detector.settings, p)?;
        fields.describe::<Self>();
        let mut settings = Self::default();
        if let Some(node) = fields.node("resource_attributes").filter(|node| !node.is_absent()) {
            let mut attributes = node.map("resource_attributes", p)?;
            for (name, default) in detector.attributes() {
                attributes.describe_keys(&[(name, "The attribute of this name.")]);
                let Some(node) = attributes.node(name).filter(|node| !node.is_absent()) else { continue };
                let mut fields = node.map(name, p)?;
                fields.describe_keys(&[("enabled", "Whether it is given.")]);
                let enabled = fields.take("enabled", default, p);
                fields.finish(p);
                settings.resource_attributes.insert(name.to_string(), enabled);
            }
            attributes.finish(p);
        }
        fields.describe_keys(OTHERS);
        for (name, form) in detector.others {
            let value = form.decode(name, &mut fields, p);
            settings.others.extend(value.map(|value| (*name, value)));
        }
        let sources = node.lookup("hostname_sources").filter(|_| detector.name == "system");
        for source in sources.and_then(|node| node.list("hostname_sources", &mut Problems::new())).unwrap_or_default() {
            let Some(name) = source.as_text() else { continue };
            if !HOSTNAME_SOURCES.contains(&name) {
                let help = "it is `os`, `dns`, `cname` or `lookup`".to_string();
                p.error(&source.at, format!("unknown source of the host's name `{name}`"), help);
            } else if matches!(name, "cname" | "lookup") {
                let message = format!("the source `{name}` finds nothing in this version, for it asks name servers");
                p.warning(&source.at, message, "the next source counts, and at last `os`".to_string());
            }
        }
        fields.finish(p);
        Some(settings)
    }

    fn effective(&self, detector: &Detector) -> Node {
        let attributes = detector.attributes().map(|(name, default)| {
            let enabled = self.resource_attributes.get(name).copied().unwrap_or(default);
            (name, Node::map_of([("enabled", Node::from(enabled))]))
        });
        let others = detector.others.iter().map(|(name, form)| (*name, form.effective(self.others.get(name))));
        let mut entries: Vec<(&str, Node)> = others.collect();
        entries.push(("resource_attributes", Node::map_of(attributes)));
        entries.sort_by_key(|(name, _)| *name);
        Node::map_of(entries)
    }
}

impl Form {
    fn decode(self, name: &str, fields: &mut Fields<'_>, p: &mut Problems) -> Option<Literal> {
        match self {
            Self::No => fields.optional(name, p).map(Literal::Bool),
            Self::Int(_) => fields.optional(name, p).map(Literal::Int),
            Self::Text(_) | Self::Secret => fields.optional(name, p).map(Literal::Str),
            Self::List => {
                let texts: Vec<String> = fields.optional(name, p)?;
                Some(Literal::List(texts.into_iter().map(Literal::Str).collect()))
            }
            Self::Any => fields.optional(name, p),
        }
    }

    fn effective(self, written: Option<&Literal>) -> Node {
        match (self, written) {
            (Self::Secret, Some(Literal::Str(text))) => Node::secret(&Secret::new(text)),
            (_, Some(written)) => written.effective(),
            (Self::No, None) => false.into(),
            (Self::Int(default), None) => default.into(),
            (Self::Text(default), None) => default.into(),
            (Self::Secret, None) => Node::secret(&Secret::default()),
            (Self::List, None) => Node::list_of::<&str>([]),
            (Self::Any, None) => Node::null(),
        }
    }
}
