//! `span`: a span's name out of its attributes, attributes out of its name, and its status.
//!
//! Where a rule's groups overlap, or one takes no part in a match, otelcol crashes; here such a group sets its attribute and
//! leaves the name alone.

use crate::{
    Broken, Edited, Moment, Processor, any_value,
    attribute_list::AttributeList,
    matching::{MatchSettings, Skip},
    splice::{Field, Splice},
    walk,
};
use otlp::{
    Signal, Value,
    view::SpanView,
    wire::{put_len, put_uint},
};
use ottl::Extractor;
use settings::{Decode, Node, Problems, Severity};
use std::{borrow::Cow, ops::Range};

/// Settings of a `span` processor.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct SpanSettings {
    /// Which spans it is for: `include` and `exclude`.
    pub matching: MatchSettings,
    /// What the name is made from, and what is made from it.
    pub name: NameSettings,
    /// The status that spans get.
    pub status: Option<StatusSettings>,
}

/// What the name is made from, and what is made from it.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct NameSettings {
    /// The keys of the attributes whose values make the name; a span that lacks one keeps its name.
    pub from_attributes: Vec<String>,
    /// What stands between them.
    pub separator: String,
    /// What is made from the name.
    pub to_attributes: Option<ToAttributes>,
}

/// What is made from the name.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct ToAttributes {
    /// Patterns with named groups: each group becomes an attribute, and its name in braces stands in the span's name.
    pub rules: Vec<String>,
    /// Whether the first rule that matches is the last.
    pub break_after_match: bool,
    /// Whether the span keeps its name.
    pub keep_original_name: bool,
}

/// A status.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct StatusSettings {
    /// `Ok`, `Error` or `Unset`.
    pub code: String,
    /// What went wrong; only of `Error`.
    pub description: String,
}

/// The processor `span`.
#[derive(Clone, Debug)]
pub struct Span {
    skip: Skip,
    settings: NameSettings,
    rules: Vec<Extractor>,
    /// The body of the `Status`.
    status: Option<Vec<u8>>,
}

const CODES: [(&str, u64); 3] = [("Unset", 0), ("Ok", 1), ("Error", 2)];

impl Decode for SpanSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let mut fields = node.map("span", p)?;
        fields.describe::<Self>();
        let settings = Self {
            matching: MatchSettings::take(&mut fields, p),
            name: fields.take("name", NameSettings::default(), p),
            status: fields.optional("status", p),
        };
        fields.finish(p);
        if p.count(Severity::Error) > told {
            return None;
        }
        let has_rules = settings.name.to_attributes.as_ref().is_some_and(|to| !to.rules.is_empty());
        if settings.name.from_attributes.is_empty() && !has_rules && settings.status.is_none() {
            let message = "a `span` processor needs `name::from_attributes`, `name::to_attributes` or `status`";
            let help = "add one, such as `name: {from_attributes: [http.route]}`";
            p.error(&node.at, message, help.to_string());
            return None;
        }
        if let Err(error) = settings.matching.fits(Signal::Traces) {
            p.error(&node.at, error, None);
            return None;
        }
        Some(settings)
    }
}

impl Decode for NameSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("name", p)?;
        fields.describe::<Self>();
        let settings = Self {
            from_attributes: fields.take("from_attributes", Vec::new(), p),
            separator: fields.take("separator", String::new(), p),
            to_attributes: fields.optional("to_attributes", p),
        };
        fields.finish(p);
        Some(settings)
    }
}

impl Decode for ToAttributes {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("to_attributes", p)?;
        fields.describe::<Self>();
        let settings = Self {
            rules: fields.take("rules", Vec::new(), p),
            break_after_match: fields.take("break_after_match", false, p),
            keep_original_name: fields.take("keep_original_name", false, p),
        };
        let rules = fields.node("rules");
        fields.finish(p);
        for (index, rule) in settings.rules.iter().enumerate() {
            if let Err(error) = Extractor::with_all_groups(rule) {
                let items = rules.and_then(|rules| rules.list("rules", &mut Problems::new())).unwrap_or_default();
                let at = items.get(index).or(rules).map_or(node.at, |node| node.at);
                p.error(&at, format!("invalid pattern `{rule}`: {error}; write it in Go's syntax (RE2)"), None);
            }
        }
        Some(settings)
    }
}

impl Decode for StatusSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("status", p)?;
        fields.describe::<Self>();
        let settings = Self {
            code: fields.take("code", String::new(), p),
            description: fields.take("description", String::new(), p),
        };
        fields.words("code", &CODES.map(|(name, _)| name));
        let at = |node: Option<&Node>| node.map_or(fields.at(), |node| node.at);
        let (code_at, description_at) = (at(node.lookup("code")), at(node.lookup("description")));
        fields.finish(p);
        if !CODES.iter().any(|(name, _)| *name == settings.code) {
            p.error(&code_at, format!("unknown status `{}`; write `Ok`, `Error` or `Unset`", settings.code), None);
        } else if settings.code != "Error" && !settings.description.is_empty() {
            p.error(
                &description_at,
                "only the status `Error` has a `description`",
                "remove it, or write `code: Error`".to_string(),
            );
        }
        Some(settings)
    }
}

impl SpanSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let to_attributes = |to: &ToAttributes| {
            Node::map_of([
                ("break_after_match", Node::from(to.break_after_match)),
                ("keep_original_name", to.keep_original_name.into()),
                ("rules", Node::list_of(&to.rules)),
            ])
        };
        let status = |status: &StatusSettings| {
            Node::map_of([("code", Node::from(&status.code)), ("description", Node::from(&status.description))])
        };
        let name = Node::map_of([
            ("from_attributes", Node::list_of(&self.name.from_attributes)),
            ("separator", Node::from(&self.name.separator)),
            ("to_attributes", self.name.to_attributes.as_ref().map_or_else(Node::null, to_attributes)),
        ]);
        let [exclude, include] = self.matching.effective();
        let status = self.status.as_ref().map_or_else(Node::null, status);
        Node::map_of([exclude, include, ("name", name), ("status", status)])
    }
}

impl Span {
    /// Compiles the settings.
    ///
    /// # Errors
    /// What is wrong with them; with those that decoding gave nothing is.
    pub fn new(settings: &SpanSettings) -> Result<Self, String> {
        let rules = settings.name.to_attributes.iter().flat_map(|to| &to.rules);
        let rules = rules.map(|rule| Extractor::with_all_groups(rule)).collect::<Result<_, _>>()?;
        let status = |status: &StatusSettings| {
            let mut body = Vec::new();
            if !status.description.is_empty() {
                put_len(&mut body, STATUS_MESSAGE, status.description.as_bytes());
            }
            let code = CODES.iter().find(|(name, _)| *name == status.code).map_or(0, |(_, code)| *code);
            if code != 0 {
                put_uint(&mut body, STATUS_CODE, code);
            }
            body
        };
        let skip = Skip::new(&settings.matching, Signal::Traces)?;
        Ok(Self { skip, settings: settings.name.clone(), rules, status: settings.status.as_ref().map(status) })
    }

    fn edit_span<'e>(
        &'e self,
        splice: &mut Splice<'_>,
        list: &mut AttributeList<'e>,
        span: &Field,
    ) -> Result<(), Broken> {
        let source = splice.source();
        let view = SpanView::parse(span.of(source))?;
        let named = self.name_of(list).map_or(Cow::Borrowed(view.name), Cow::Owned);
        let name = self.take_apart(named, list);
        let mut edits: Vec<Edit> = Vec::new();
        list.edits(|cut, entry| {
            let mut added = Vec::new();
            list.put(entry, &mut added);
            edits.push((cut, added));
        });
        if *name != *view.name {
            edits.extend(replacements(source, span, NAME, &name)?);
        }
        if let Some(status) = &self.status {
            edits.extend(replacements(source, span, STATUS, status)?);
        }
        edits.sort_by_key(|(cut, _)| cut.start);
        for (cut, added) in edits {
            splice.replace(cut, |out| out.extend_from_slice(&added));
        }
        Ok(())
    }

    /// The name that the attributes make, if all of them are there.
    fn name_of(&self, list: &AttributeList<'_>) -> Option<Vec<u8>> {
        if self.settings.from_attributes.is_empty() || list.is_empty() {
            return None;
        }
        let mut name = Vec::new();
        for (index, key) in self.settings.from_attributes.iter().enumerate() {
            let value = any_value::read(list.get(key.as_bytes())?);
            if index > 0 {
                name.extend_from_slice(self.settings.separator.as_bytes());
            }
            match value {
                Value::Double(double) => name.extend_from_slice(any_value::plain_double(double).as_bytes()),
                Value::Str(_) | Value::Bool(_) | Value::Int(_) => name.extend_from_slice(&any_value::text(value)),
                _ => name.extend_from_slice(b"<unknown-attribute-type>"),
            }
        }
        Some(name)
    }

    /// Sets the attributes that the rules find in a name, and gives the name that is left.
    fn take_apart<'e, 'n>(&'e self, name: Cow<'n, [u8]>, list: &mut AttributeList<'e>) -> Cow<'n, [u8]> {
        let Some(to) = self.settings.to_attributes.as_ref().filter(|_| !name.is_empty()) else { return name };
        let mut name = name;
        for rule in &self.rules {
            let Some(groups) = rule.ranges(&name) else { continue };
            let (mut left, mut position) = (Vec::new(), 0);
            for (group, range) in groups {
                let text = range.clone().and_then(|range| name.get(range)).unwrap_or_default();
                list.set(group.as_bytes(), Cow::Owned(any_value::of_str(text)));
                if let Some(range) = range.filter(|range| range.start >= position) {
                    left.extend_from_slice(name.get(position..range.start).unwrap_or_default());
                    left.extend([b"{", group.as_bytes(), b"}"].concat());
                    position = range.end;
                }
            }
            left.extend_from_slice(name.get(position..).unwrap_or_default());
            if !to.keep_original_name {
                name = Cow::Owned(left);
            }
            if to.break_after_match {
                break;
            }
        }
        name
    }
}

/// What is cut, and what comes in its place.
type Edit = (Range<usize>, Vec<u8>);

/// What puts one field in the place of all with its number; an empty one is not put where there is none.
fn replacements(source: &[u8], span: &Field, number: u32, body: &[u8]) -> Result<Vec<Edit>, Broken> {
    let mut added = Vec::new();
    put_len(&mut added, number, body);
    let mut edits = Vec::new();
    for field in walk::fields(source, span.body.clone()) {
        let field = field?;
        if field.number == number {
            edits.push((field.whole(), std::mem::take(&mut added)));
        }
    }
    if edits.is_empty() && !body.is_empty() {
        edits.push((span.body.end..span.body.end, added));
    }
    Ok(edits)
}

/// `Span.name`.
const NAME: u32 = 5;
/// `Span.status`.
const STATUS: u32 = 15;
/// `Status.message`.
const STATUS_MESSAGE: u32 = 2;
/// `Status.code`.
const STATUS_CODE: u32 = 3;

impl Processor for Span {
    fn edit<'a>(&self, signal: Signal, request: &'a [u8], _moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        if signal != Signal::Traces {
            return Ok(Edited::unchanged(request));
        }
        let mut splice = Splice::new(request);
        let mut list = AttributeList::new(request);
        walk::each_scope(&mut splice, |splice, resource_part, scope_part| {
            let source = splice.source();
            let skip = self.skip.of_scope(resource_part.of(source), scope_part.of(source))?;
            if skip.skips_all() {
                return Ok(());
            }
            for span in walk::fields(source, scope_part.body.clone()) {
                let span = span?;
                if span.number != walk::ITEM {
                    continue;
                }
                list.read(span.body.clone(), walk::SPAN_ATTRIBUTE)?;
                if !skip.skips(span.of(source), &list)? {
                    splice.enter(&span);
                    self.edit_span(splice, &mut list, &span)?;
                    splice.leave();
                }
            }
            Ok::<(), Broken>(())
        })?;
        Ok(Edited::new(splice.finish(), 0))
    }
}

#[cfg(test)]
mod tests;
