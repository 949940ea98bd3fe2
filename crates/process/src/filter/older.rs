//! The older `include` and `exclude` of metrics and of log records, which have properties of their own.

use crate::matching::{
    AttributeMatch, AttributeMatcher, Kind, MatchProperties, MatchSettings, RegexpSettings, SeverityNumber, Skip,
};
use otlp::{Signal, view::ResourceView, wire::WireError};
use settings::{Decode, Node, Problems, Severity};

/// Properties of metrics.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct MetricProperties {
    /// How texts are compared: `strict` or `regexp`; otelcol's `expr` is not supported.
    pub match_type: String,
    /// Of `regexp`: what otelcol remembers of earlier matches.
    pub regexp: Option<RegexpSettings>,
    /// Names of metrics.
    pub metric_names: Vec<String>,
    /// Of `expr`: expressions about data points; not supported.
    pub expressions: Vec<String>,
    /// Attributes of the resource, all of which it must have.
    pub resource_attributes: Vec<AttributeMatch>,
}

/// Properties of log records.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct LogProperties {
    /// How texts are compared: `strict` or `regexp`.
    pub match_type: String,
    /// Attributes of the resource, all of which it must have.
    pub resource_attributes: Vec<AttributeMatch>,
    /// Attributes of the record, all of which it must have.
    pub record_attributes: Vec<AttributeMatch>,
    /// Severity texts.
    pub severity_texts: Vec<String>,
    /// Severity numbers.
    pub severity_number: Option<SeverityName>,
    /// Texts of bodies.
    pub bodies: Vec<String>,
}

/// Severity numbers from one on, by name.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct SeverityName {
    /// The least that matches: `TRACE`, `DEBUG2`, `INFO` and so on, or its number as text.
    pub min: String,
    /// Whether a record without a severity matches.
    pub match_undefined: bool,
}

/// Which resources of metrics are passed over.
#[derive(Clone, Debug)]
pub(super) struct ResourceSkip {
    include: Vec<AttributeMatcher>,
    exclude: Vec<AttributeMatcher>,
}

impl ResourceSkip {
    pub(super) fn new(
        include: Option<&MetricProperties>,
        exclude: Option<&MetricProperties>,
    ) -> Result<Option<Self>, String> {
        let side = |properties: Option<&MetricProperties>| {
            let attributes = properties.iter().flat_map(|properties| {
                let kind = properties.kind();
                properties.resource_attributes.iter().map(move |attribute| AttributeMatcher::new(attribute, kind))
            });
            attributes.collect::<Result<Vec<_>, _>>().map_err(|error| error.message)
        };
        let skip = Self { include: side(include)?, exclude: side(exclude)? };
        Ok(Some(skip).filter(|skip| !skip.include.is_empty() || !skip.exclude.is_empty()))
    }

    /// Whether the resource of this part is passed over.
    pub(super) fn skips(&self, part: &[u8]) -> Result<bool, WireError> {
        let resource = ResourceView::parse(part)?;
        let has_all = |side: &[AttributeMatcher]| side.iter().all(|attribute| attribute.matches_resource(&resource));
        Ok(!has_all(&self.include) || (!self.exclude.is_empty() && has_all(&self.exclude)))
    }
}

/// Which metrics are passed over by their names.
pub(super) fn names(
    include: Option<&MetricProperties>,
    exclude: Option<&MetricProperties>,
) -> Result<Option<Skip>, String> {
    let side = |properties: Option<&MetricProperties>| {
        properties.filter(|properties| !properties.metric_names.is_empty()).map(|properties| MatchProperties {
            match_type: properties.match_type.clone(),
            regexp: properties.regexp.clone(),
            metric_names: properties.metric_names.clone(),
            ..MatchProperties::default()
        })
    };
    let matching = MatchSettings { include: side(include), exclude: side(exclude) };
    if matching.include.is_none() && matching.exclude.is_none() {
        return Ok(None);
    }
    Skip::new(&matching, Signal::Metrics).map(Some)
}

/// The properties of log records as other processors have them.
pub(super) fn log_matching(include: Option<&LogProperties>, exclude: Option<&LogProperties>) -> MatchSettings {
    let side = |properties: Option<&LogProperties>| {
        properties.filter(|properties| !properties.is_empty()).map(LogProperties::as_properties)
    };
    MatchSettings { include: side(include), exclude: side(exclude) }
}

impl MetricProperties {
    fn kind(&self) -> Kind<'_> {
        Kind { match_type: &self.match_type, regexp: self.regexp.as_ref() }
    }

    pub(super) fn effective(&self) -> Node {
        Node::map_of([
            ("expressions", Node::list_of(&self.expressions)),
            ("match_type", Node::from(&self.match_type)),
            ("metric_names", Node::list_of(&self.metric_names)),
            ("regexp", self.regexp.as_ref().map_or_else(Node::null, RegexpSettings::effective)),
            ("resource_attributes", Node::list_of(self.resource_attributes.iter().map(AttributeMatch::effective))),
        ])
    }
}

impl LogProperties {
    fn is_empty(&self) -> bool {
        let Self { resource_attributes, record_attributes, severity_texts, bodies, .. } = self;
        let attributes = resource_attributes.is_empty() && record_attributes.is_empty();
        attributes && severity_texts.is_empty() && bodies.is_empty() && self.severity_number.is_none()
    }

    fn as_properties(&self) -> MatchProperties {
        let number = |severity: &SeverityName| SeverityNumber {
            min: severity.number().unwrap_or(0),
            match_undefined: severity.match_undefined,
        };
        MatchProperties {
            match_type: self.match_type.clone(),
            resources: self.resource_attributes.clone(),
            attributes: self.record_attributes.clone(),
            log_severity_texts: self.severity_texts.clone(),
            log_bodies: self.bodies.clone(),
            log_severity_number: self.severity_number.as_ref().map(number),
            ..MatchProperties::default()
        }
    }

    pub(super) fn effective(&self) -> Node {
        let attributes = |list: &[AttributeMatch]| Node::list_of(list.iter().map(AttributeMatch::effective));
        let severity = |severity: &SeverityName| {
            Node::map_of([
                ("match_undefined", Node::from(severity.match_undefined)),
                ("min", Node::from(&severity.min)),
            ])
        };
        Node::map_of([
            ("bodies", Node::list_of(&self.bodies)),
            ("match_type", Node::from(&self.match_type)),
            ("record_attributes", attributes(&self.record_attributes)),
            ("resource_attributes", attributes(&self.resource_attributes)),
            ("severity_number", self.severity_number.as_ref().map_or_else(Node::null, severity)),
            ("severity_texts", Node::list_of(&self.severity_texts)),
        ])
    }
}

impl SeverityName {
    /// 0 where nothing is written.
    fn number(&self) -> Option<i32> {
        const NAMES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
        let name = self.min.to_uppercase();
        if name.is_empty() {
            return Some(0);
        }
        let by_name = NAMES.iter().zip(0..).find_map(|(known, index)| {
            let step = match name.strip_prefix(known)? {
                "" => 1,
                "2" => 2,
                "3" => 3,
                "4" => 4,
                _ => return None,
            };
            Some(index * 4 + step)
        });
        let is_number = |number: &i32| (1..=24).contains(number) && number.to_string() == name;
        by_name.or_else(|| name.parse().ok().filter(is_number))
    }
}

impl Decode for MetricProperties {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let mut fields = node.map(&p.name(), p)?;
        fields.describe::<Self>();
        let properties = Self {
            match_type: fields.take("match_type", String::new(), p),
            regexp: fields.optional("regexp", p),
            metric_names: fields.take("metric_names", Vec::new(), p),
            expressions: fields.take("expressions", Vec::new(), p),
            resource_attributes: fields.take("resource_attributes", Vec::new(), p),
        };
        fields.words("match_type", &["", "strict", "regexp", "expr"]);
        fields.finish(p);
        if p.count(Severity::Error) > told {
            return None;
        }
        if properties.match_type == "expr" && !properties.expressions.is_empty() {
            let at = node.lookup("match_type").map_or(node.at, |node| node.at);
            let help = "write the same as an OTTL condition in `metrics::datapoint`, which drops what it holds for";
            p.error(&at, "the match type `expr` with `expressions` is not supported", help.to_string());
            return None;
        }
        let kind = properties.kind();
        let has_names =
            properties.match_type == "expr" || kind.check(node, "metric_names", &properties.metric_names, p);
        let is_sound =
            has_names && kind.check_attributes(node, "resource_attributes", &properties.resource_attributes, p);
        is_sound.then_some(properties)
    }
}

impl Decode for LogProperties {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let mut fields = node.map(&p.name(), p)?;
        fields.describe::<Self>();
        let properties = Self {
            match_type: fields.take("match_type", String::new(), p),
            resource_attributes: fields.take("resource_attributes", Vec::new(), p),
            record_attributes: fields.take("record_attributes", Vec::new(), p),
            severity_texts: fields.take("severity_texts", Vec::new(), p),
            severity_number: fields.optional("severity_number", p),
            bodies: fields.take("bodies", Vec::new(), p),
        };
        fields.words("match_type", &["", "strict", "regexp"]);
        fields.finish(p);
        if p.count(Severity::Error) > told {
            return None;
        }
        let kind = Kind { match_type: &properties.match_type, regexp: None };
        let is_sound = kind.check(node, "severity_texts", &properties.severity_texts, p)
            && kind.check(node, "bodies", &properties.bodies, p)
            && kind.check_attributes(node, "resource_attributes", &properties.resource_attributes, p)
            && kind.check_attributes(node, "record_attributes", &properties.record_attributes, p);
        is_sound.then_some(properties)
    }
}

impl Decode for SeverityName {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("severity_number", p)?;
        fields.describe::<Self>();
        let severity = Self {
            min: fields.take("min", String::new(), p),
            match_undefined: fields.take("match_undefined", false, p),
        };
        let at = fields.node("min").map_or(fields.at(), |node| node.at);
        fields.finish(p);
        if severity.number().is_none() {
            let help = "write one such as `INFO` or `WARN2`, or a number from \"1\" to \"24\"".to_string();
            p.error(&at, format!("unknown severity `{}`", severity.min), help);
            return None;
        }
        Some(severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities() {
        for (min, expected) in [
            ("", Some(0)),
            ("TRACE", Some(1)),
            ("info", Some(9)),
            ("Warn4", Some(16)),
            ("FATAL", Some(21)),
            ("24", Some(24)),
            ("25", None),
            ("0", None),
            ("+9", None),
            ("INFO1", None),
            ("notice", None),
        ] {
            let severity = SeverityName { min: min.to_string(), match_undefined: false };
            assert_eq!(severity.number(), expected, "{min}");
        }
    }
}
