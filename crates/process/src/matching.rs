//! The older way of otelcol to say which items a processor is for: `include` and `exclude` with lists of properties.
//!
//! An item is included if there is no `include` or it has all the properties that are listed there, and none if it has all
//! those under `exclude`. Which properties fit depends on the signal, so settings are checked twice: what is wrong for all
//! signals when they are decoded, the rest by [`MatchSettings::fits`] when it is known where the processor stands.

mod matcher;
mod strings;

pub(crate) use matcher::AttributeMatcher;
pub use matcher::{ItemSkip, Skip};
pub use strings::{RegexpSettings, Strings};

use crate::any_value::Literal;
use otlp::Signal;
use settings::{Decode, Fields, Node, Problems, Severity};

/// Which items a processor is for.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct MatchSettings {
    /// Only items with all these properties; all items if it is not written.
    pub include: Option<MatchProperties>,
    /// No items with all these properties.
    pub exclude: Option<MatchProperties>,
}

/// Properties of an item. Of each list that is written one entry must match; of `attributes`, `resources` and `libraries` all
/// entries.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct MatchProperties {
    /// How texts are compared: `strict` or `regexp`.
    pub match_type: String,
    /// Of `regexp`: what otelcol remembers of earlier matches.
    pub regexp: Option<RegexpSettings>,
    /// Names of services; of spans.
    pub services: Vec<String>,
    /// Names of spans.
    pub span_names: Vec<String>,
    /// Kinds of spans, such as `SPAN_KIND_SERVER`.
    pub span_kinds: Vec<String>,
    /// Texts of log bodies.
    pub log_bodies: Vec<String>,
    /// Severity texts of log records.
    pub log_severity_texts: Vec<String>,
    /// Severity numbers of log records.
    pub log_severity_number: Option<SeverityNumber>,
    /// Names of metrics.
    pub metric_names: Vec<String>,
    /// Attributes of spans and log records.
    pub attributes: Vec<AttributeMatch>,
    /// Attributes of the resource.
    pub resources: Vec<AttributeMatch>,
    /// Instrumentation scopes.
    pub libraries: Vec<LibraryMatch>,
}

/// An attribute with a value, or with any.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct AttributeMatch {
    /// Its key.
    pub key: String,
    /// Its value, or the pattern that it matches; not written, any value will do.
    pub value: Option<Literal>,
}

/// An instrumentation scope.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct LibraryMatch {
    /// Its name.
    pub name: String,
    /// Its version; not written, any version will do.
    pub version: Option<String>,
}

/// Severity numbers from one on.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct SeverityNumber {
    /// The least that matches, from 1 to 24.
    pub min: i32,
    /// Whether a record without a severity matches.
    pub match_undefined: bool,
}

impl MatchSettings {
    /// The settings `include` and `exclude` among others.
    pub fn take(fields: &mut Fields<'_>, p: &mut Problems) -> Self {
        fields.describe::<Self>();
        Self { include: fields.optional("include", p), exclude: fields.optional("exclude", p) }
    }

    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> [(&'static str, Node); 2] {
        let properties = |properties: &Option<MatchProperties>| {
            properties.as_ref().map_or_else(Node::null, MatchProperties::effective)
        };
        [("exclude", properties(&self.exclude)), ("include", properties(&self.include))]
    }

    /// Whether the properties are such that items of `signal` have.
    ///
    /// # Errors
    /// Which are not, or that none is written; in words for people.
    pub fn fits(&self, signal: Signal) -> Result<(), String> {
        let parts = [("include", &self.include), ("exclude", &self.exclude)];
        parts.iter().try_for_each(|(name, properties)| match properties {
            Some(properties) => properties.fits(signal).map_err(|error| format!("`{name}` {error}")),
            None => Ok(()),
        })
    }
}

/// The names of span kinds as properties have them, by number.
pub(crate) const SPAN_KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

impl MatchProperties {
    /// The properties that are written.
    fn written(&self) -> Vec<&'static str> {
        let lists = [
            ("services", self.services.is_empty()),
            ("span_names", self.span_names.is_empty()),
            ("span_kinds", self.span_kinds.is_empty()),
            ("log_bodies", self.log_bodies.is_empty()),
            ("log_severity_texts", self.log_severity_texts.is_empty()),
            ("log_severity_number", self.log_severity_number.is_none()),
            ("metric_names", self.metric_names.is_empty()),
            ("attributes", self.attributes.is_empty()),
            ("resources", self.resources.is_empty()),
            ("libraries", self.libraries.is_empty()),
        ];
        lists.into_iter().filter(|(_, is_empty)| !is_empty).map(|(name, _)| name).collect()
    }

    fn fits(&self, signal: Signal) -> Result<(), String> {
        let known: &[&str] = match signal {
            Signal::Traces => &["services", "span_names", "span_kinds", "attributes", "resources", "libraries"],
            Signal::Logs => {
                &["log_bodies", "log_severity_texts", "log_severity_number", "attributes", "resources", "libraries"]
            }
            Signal::Metrics => &["metric_names", "resources"],
        };
        let written = self.written();
        let listed = || known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        if let Some(other) = written.iter().find(|name| !known.contains(name)) {
            return Err(format!("has `{other}`, which {signal} do not have; use {}", listed()));
        }
        if written.is_empty() {
            return Err(format!("names no property; add one of {}", listed()));
        }
        let is_unknown = |kind: &&String| !SPAN_KINDS.iter().skip(1).any(|known| known == kind);
        if self.match_type == "strict"
            && let Some(kind) = self.span_kinds.iter().find(is_unknown)
        {
            let kinds = SPAN_KINDS.iter().skip(1).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(format!("has the unknown span kind `{kind}`; write one of {kinds}"));
        }
        Skip::check(self, signal)
    }

    fn effective(&self) -> Node {
        let attributes = |list: &[AttributeMatch]| Node::list_of(list.iter().map(AttributeMatch::effective));
        let library = |library: &LibraryMatch| {
            Node::map_of([("name", Node::from(&library.name)), ("version", Node::or_null(library.version.as_ref()))])
        };
        let severity = |severity: &SeverityNumber| {
            Node::map_of([("match_undefined", Node::from(severity.match_undefined)), ("min", severity.min.into())])
        };
        Node::map_of([
            ("attributes", attributes(&self.attributes)),
            ("libraries", Node::list_of(self.libraries.iter().map(library))),
            ("log_bodies", Node::list_of(&self.log_bodies)),
            ("log_severity_number", self.log_severity_number.as_ref().map_or_else(Node::null, severity)),
            ("log_severity_texts", Node::list_of(&self.log_severity_texts)),
            ("match_type", Node::from(&self.match_type)),
            ("metric_names", Node::list_of(&self.metric_names)),
            ("regexp", self.regexp.as_ref().map_or_else(Node::null, RegexpSettings::effective)),
            ("resources", attributes(&self.resources)),
            ("services", Node::list_of(&self.services)),
            ("span_kinds", Node::list_of(&self.span_kinds)),
            ("span_names", Node::list_of(&self.span_names)),
        ])
    }
}

impl AttributeMatch {
    pub(crate) fn effective(&self) -> Node {
        let value = self.value.as_ref().map_or_else(Node::null, Literal::effective);
        Node::map_of([("key", Node::from(&self.key)), ("value", value)])
    }
}

impl Decode for MatchProperties {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let mut fields = node.map(&p.name(), p)?;
        fields.describe::<Self>();
        let properties = Self {
            match_type: fields.take("match_type", String::new(), p),
            regexp: fields.optional("regexp", p),
            services: fields.take("services", Vec::new(), p),
            span_names: fields.take("span_names", Vec::new(), p),
            span_kinds: fields.take("span_kinds", Vec::new(), p),
            log_bodies: fields.take("log_bodies", Vec::new(), p),
            log_severity_texts: fields.take("log_severity_texts", Vec::new(), p),
            log_severity_number: fields.optional("log_severity_number", p),
            metric_names: fields.take("metric_names", Vec::new(), p),
            attributes: fields.take("attributes", Vec::new(), p),
            resources: fields.take("resources", Vec::new(), p),
            libraries: fields.take("libraries", Vec::new(), p),
        };
        fields.words("match_type", &["", "strict", "regexp"]);
        fields.finish(p);
        if p.count(Severity::Error) > told {
            return None;
        }
        // Whatever is wrong with a pattern or with the match type shows in one signal or the other.
        let lists = [
            ("services", &properties.services),
            ("span_names", &properties.span_names),
            ("span_kinds", &properties.span_kinds),
            ("log_bodies", &properties.log_bodies),
            ("log_severity_texts", &properties.log_severity_texts),
            ("metric_names", &properties.metric_names),
        ];
        let kind = Kind { match_type: &properties.match_type, regexp: properties.regexp.as_ref() };
        // With `expr`, which has no expressions here, otelcol looks at no metric's name.
        let is_checked = |name: &str| name != "metric_names" || properties.match_type != "expr";
        let is_sound = lists.iter().all(|(name, texts)| !is_checked(name) || kind.check(node, name, texts, p))
            && kind.check_attributes(node, "attributes", &properties.attributes, p)
            && kind.check_attributes(node, "resources", &properties.resources, p)
            && kind.check_libraries(node, &properties.libraries, p);
        is_sound.then_some(properties)
    }
}

/// How texts are compared.
#[derive(Clone, Copy)]
pub(crate) struct Kind<'s> {
    pub(crate) match_type: &'s str,
    pub(crate) regexp: Option<&'s RegexpSettings>,
}

impl Kind<'_> {
    /// Whether a list of texts can be compiled; says so if not, at most once.
    pub(crate) fn check(self, node: &Node, name: &str, texts: &[String], p: &mut Problems) -> bool {
        if texts.is_empty() {
            return true;
        }
        let list = node.lookup(name).unwrap_or(node);
        for (index, text) in texts.iter().enumerate() {
            if let Err(error) = Strings::new(std::slice::from_ref(text), self.match_type, self.regexp) {
                let item = item(list, index);
                let at = if error.is_of_match_type { node.lookup("match_type").unwrap_or(node) } else { item };
                p.error(&at.at, error.message, None);
                return false;
            }
        }
        true
    }

    pub(crate) fn check_attributes(self, node: &Node, name: &str, list: &[AttributeMatch], p: &mut Problems) -> bool {
        let nodes = node.lookup(name).unwrap_or(node);
        list.iter().enumerate().all(|(index, attribute)| match AttributeMatcher::new(attribute, self) {
            Ok(_) => true,
            Err(error) => {
                let item = item(nodes, index);
                let at = if error.is_of_match_type { node.lookup("match_type").unwrap_or(node) } else { item };
                p.error(&at.at, error.message, None);
                false
            }
        })
    }

    fn check_libraries(self, node: &Node, list: &[LibraryMatch], p: &mut Problems) -> bool {
        let texts: Vec<String> = list
            .iter()
            .flat_map(|library| [Some(&library.name), library.version.as_ref()])
            .flatten()
            .cloned()
            .collect();
        self.check(node, "libraries", &texts, p)
    }
}

/// The node of an item of a list, or that of the list.
fn item(list: &Node, index: usize) -> &Node {
    match &list.value {
        settings::Value::List(items) => items.get(index).unwrap_or(list),
        _ => list,
    }
}

impl Decode for AttributeMatch {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("attribute", p)?;
        fields.describe::<Self>();
        let attribute = Self { key: fields.take("key", String::new(), p), value: fields.optional("value", p) };
        fields.finish(p);
        Some(attribute)
    }
}

impl Decode for LibraryMatch {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("library", p)?;
        fields.describe::<Self>();
        let library = Self { name: fields.take("name", String::new(), p), version: fields.optional("version", p) };
        fields.finish(p);
        Some(library)
    }
}

impl Decode for SeverityNumber {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("log_severity_number", p)?;
        fields.describe::<Self>();
        let severity =
            Self { min: fields.take("min", 0, p), match_undefined: fields.take("match_undefined", false, p) };
        fields.finish(p);
        Some(severity)
    }
}
