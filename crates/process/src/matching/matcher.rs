//! Compiled properties, asked level by level: of a resource once, of a scope once, then of each item what is left.

use super::strings::{StringsError, unknown_match_type};
use super::{AttributeMatch, Kind, MatchProperties, MatchSettings, SPAN_KINDS, SeverityNumber, Strings};
use crate::{
    any_value::{self, Literal},
    attribute_list::AttributeList,
};
use otlp::{
    Signal, Value,
    view::{LogView, MetricView, ResourceView, ScopeView, SpanView},
    wire::WireError,
};

/// Which items are passed over, compiled for one signal.
#[derive(Clone, Debug, Default)]
pub struct Skip {
    include: Option<Matcher>,
    exclude: Option<Matcher>,
}

/// What is left to ask of the items of one scope.
#[derive(Clone, Copy, Debug)]
pub struct ItemSkip<'s> {
    include: Side<'s>,
    exclude: Side<'s>,
}

/// Whether the properties of one side hold for the items of a scope.
#[derive(Clone, Copy, Debug)]
enum Side<'s> {
    /// For all or for none.
    Known(bool),
    /// That is up to the item.
    Open(&'s ItemMatcher),
}

#[derive(Clone, Debug)]
struct Matcher {
    services: Option<Strings>,
    resources: Vec<AttributeMatcher>,
    libraries: Vec<(Strings, Option<Strings>)>,
    item: ItemMatcher,
}

#[derive(Clone, Debug)]
struct ItemMatcher {
    signal: Signal,
    /// Of spans and metrics.
    names: Option<Strings>,
    kinds: Option<Strings>,
    bodies: Option<Strings>,
    severity_texts: Option<Strings>,
    severity_number: Option<SeverityNumber>,
    attributes: Vec<AttributeMatcher>,
}

/// An attribute that has to be there.
#[derive(Clone, Debug)]
pub(crate) struct AttributeMatcher {
    key: String,
    value: ValueMatcher,
}

#[derive(Clone, Debug)]
enum ValueMatcher {
    Any,
    Equal(Literal),
    Matching(Strings),
}

impl Skip {
    /// Compiles the settings for a signal that they fit.
    ///
    /// # Errors
    /// What of them cannot be compiled.
    pub fn new(settings: &MatchSettings, signal: Signal) -> Result<Self, String> {
        let side = |properties: &Option<MatchProperties>| match properties {
            Some(properties) => Self::matcher(properties, signal),
            None => Ok(None),
        };
        Ok(Self { include: side(&settings.include)?, exclude: side(&settings.exclude)? })
    }

    /// Whether one side compiles.
    pub(super) fn check(properties: &MatchProperties, signal: Signal) -> Result<(), String> {
        Self::matcher(properties, signal).map(drop)
    }

    /// Compiles one side; metrics are matched by their names alone, and by nothing where none is written.
    fn matcher(properties: &MatchProperties, signal: Signal) -> Result<Option<Matcher>, String> {
        if signal == Signal::Metrics && (properties.metric_names.is_empty() || properties.match_type == "expr") {
            return Ok(None);
        }
        Matcher::new(properties, signal).map(Some).map_err(|error| error.message)
    }

    /// What is left to ask of the items of a scope; both are the bodies of their parts, with all that is in them.
    ///
    /// # Errors
    /// Where their structure is broken.
    pub fn of_scope(&self, resource_part: &[u8], scope_part: &[u8]) -> Result<ItemSkip<'_>, WireError> {
        Ok(ItemSkip {
            include: match &self.include {
                None => Side::Known(true),
                Some(matcher) => matcher.side(resource_part, scope_part)?,
            },
            exclude: match &self.exclude {
                None => Side::Known(false),
                Some(matcher) => matcher.side(resource_part, scope_part)?,
            },
        })
    }
}

impl ItemSkip<'_> {
    /// Whether an item is passed over; `list` holds its attributes, unless it is a metric.
    ///
    /// # Errors
    /// Where its structure is broken.
    pub fn skips(&self, item: &[u8], list: &AttributeList<'_>) -> Result<bool, WireError> {
        Ok(!self.include.holds(item, list)? || self.exclude.holds(item, list)?)
    }

    /// Whether all items are passed over.
    #[must_use]
    pub fn skips_all(&self) -> bool {
        matches!(self.include, Side::Known(false)) || matches!(self.exclude, Side::Known(true))
    }
}

impl Side<'_> {
    fn holds(&self, item: &[u8], list: &AttributeList<'_>) -> Result<bool, WireError> {
        match self {
            Self::Known(holds) => Ok(*holds),
            Self::Open(matcher) => matcher.holds(item, list),
        }
    }
}

impl Matcher {
    fn new(properties: &MatchProperties, signal: Signal) -> Result<Self, StringsError> {
        let kind = Kind { match_type: &properties.match_type, regexp: properties.regexp.as_ref() };
        let set = |texts: &[String]| match texts {
            [] => Ok(None),
            texts => Strings::new(texts, kind.match_type, kind.regexp).map(Some),
        };
        let one = |text: &String| Strings::new(std::slice::from_ref(text), kind.match_type, kind.regexp);
        let libraries = properties
            .libraries
            .iter()
            .map(|library| Ok((one(&library.name)?, library.version.as_ref().map(one).transpose()?)));
        let attributes = |list: &[AttributeMatch]| {
            list.iter().map(|attribute| AttributeMatcher::new(attribute, kind)).collect::<Result<Vec<_>, _>>()
        };
        let names = if signal == Signal::Metrics { &properties.metric_names } else { &properties.span_names };
        let item = ItemMatcher {
            signal,
            names: set(names)?,
            kinds: set(&properties.span_kinds)?,
            bodies: set(&properties.log_bodies)?,
            severity_texts: set(&properties.log_severity_texts)?,
            severity_number: properties.log_severity_number.clone(),
            attributes: attributes(&properties.attributes)?,
        };
        let is_metric = signal == Signal::Metrics;
        Ok(Self {
            services: set(&properties.services)?,
            resources: if is_metric { Vec::new() } else { attributes(&properties.resources)? },
            libraries: libraries.collect::<Result<_, _>>()?,
            item,
        })
    }

    fn side(&self, resource_part: &[u8], scope_part: &[u8]) -> Result<Side<'_>, WireError> {
        if !self.of_resource(resource_part)? || !self.of_scope(scope_part)? {
            return Ok(Side::Known(false));
        }
        Ok(if self.item.asks_nothing() { Side::Known(true) } else { Side::Open(&self.item) })
    }

    fn of_resource(&self, part: &[u8]) -> Result<bool, WireError> {
        if self.services.is_none() && self.resources.is_empty() {
            return Ok(true);
        }
        let view = ResourceView::parse(part)?;
        let is_service = self.services.as_ref().is_none_or(|services| {
            match view.attributes().find(|(key, _)| *key == b"service.name") {
                Some((_, value)) => services.matches(&any_value::text(value)),
                None => services.matches(b"<nil-service-name>"),
            }
        });
        Ok(is_service && self.resources.iter().all(|attribute| attribute.matches_resource(&view)))
    }

    fn of_scope(&self, part: &[u8]) -> Result<bool, WireError> {
        if self.libraries.is_empty() {
            return Ok(true);
        }
        let view = ScopeView::parse(part)?;
        Ok(self.libraries.iter().all(|(name, version)| {
            name.matches(view.name) && version.as_ref().is_none_or(|version| version.matches(view.version))
        }))
    }
}

impl ItemMatcher {
    fn asks_nothing(&self) -> bool {
        self.asks_no_fields() && self.attributes.is_empty()
    }

    fn asks_no_fields(&self) -> bool {
        let sets = [&self.names, &self.kinds, &self.bodies, &self.severity_texts];
        sets.iter().all(|set| set.is_none()) && self.severity_number.is_none()
    }

    fn holds(&self, item: &[u8], list: &AttributeList<'_>) -> Result<bool, WireError> {
        let is_one = |set: &Option<Strings>, text: &[u8]| set.as_ref().is_none_or(|set| set.matches(text));
        let fields = match self.signal {
            _ if self.asks_no_fields() => true,
            Signal::Metrics => is_one(&self.names, MetricView::parse(item)?.name),
            Signal::Traces => {
                let span = SpanView::parse(item)?;
                let kind = usize::try_from(span.kind).ok().and_then(|kind| SPAN_KINDS.get(kind)).unwrap_or(&"");
                is_one(&self.names, span.name) && is_one(&self.kinds, kind.as_bytes())
            }
            Signal::Logs => {
                let log = LogView::parse(item)?;
                is_one(&self.severity_texts, log.severity_text)
                    && self.severity_number.as_ref().is_none_or(|severity| severity.matches(log.severity))
                    && self.bodies.as_ref().is_none_or(|set| set.matches(&any_value::text(any_value::read(log.value))))
            }
        };
        Ok(fields && self.attributes.iter().all(|attribute| attribute.matches(list)))
    }
}

impl SeverityNumber {
    fn matches(&self, severity: i32) -> bool {
        if severity == 0 { self.match_undefined } else { severity >= self.min }
    }
}

impl AttributeMatcher {
    pub(crate) fn new(attribute: &AttributeMatch, kind: Kind<'_>) -> Result<Self, StringsError> {
        let error = |message: String| Err(StringsError { is_of_match_type: false, message });
        if attribute.key.is_empty() {
            return error("an attribute to match needs a `key`; add `key: …`".to_string());
        }
        let value = match (&attribute.value, kind.match_type) {
            (None, _) => ValueMatcher::Any,
            (Some(value), "strict") => ValueMatcher::Equal(value.clone()),
            (Some(Literal::Str(text)), "regexp") => {
                ValueMatcher::Matching(Strings::new(std::slice::from_ref(text), kind.match_type, kind.regexp)?)
            }
            (Some(_), "regexp") => {
                return error(format!(
                    "the pattern for `{}` must be text; put it in quotes, or write `match_type: strict`",
                    attribute.key
                ));
            }
            (Some(_), other) => return Err(unknown_match_type(other)),
        };
        Ok(Self { key: attribute.key.clone(), value })
    }

    pub(crate) fn matches(&self, list: &AttributeList<'_>) -> bool {
        self.value.matches(list.get(self.key.as_bytes()).map(|value| any_value::read(value)))
    }

    /// The same of a resource.
    pub(crate) fn matches_resource(&self, resource: &ResourceView<'_>) -> bool {
        let found = resource.attributes().find(|(key, _)| *key == self.key.as_bytes());
        self.value.matches(found.map(|(_, value)| value))
    }
}

impl ValueMatcher {
    fn matches(&self, value: Option<Value<'_>>) -> bool {
        let Some(value) = value else { return false };
        match self {
            Self::Any => true,
            Self::Equal(literal) => any_value::equals(literal, value),
            Self::Matching(pattern) => match value {
                Value::Str(text) => pattern.matches(text),
                Value::Double(double) => pattern.matches(any_value::plain_double(double).as_bytes()),
                Value::Bool(_) | Value::Int(_) => pattern.matches(&any_value::text(value)),
                Value::Empty | Value::Array(_) | Value::Map(_) | Value::Bytes(_) => false,
            },
        }
    }
}
