//! Settings of `headers_setter`: their meaning, defaults, YAML.

use settings::{Node, Problems, Secret};

/// Settings of a `headers_setter` extension.
#[derive(Clone, Debug, PartialEq, Default, settings::Documented)]
pub struct HeadersSetterSettings {
    /// What to do with which headers, in this order.
    pub headers: Vec<HeaderSettings>,
    /// An authenticator whose credentials are added after that.
    pub additional_auth: Option<String>,
}

/// One header.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct HeaderSettings {
    /// What to do with it.
    pub action: Action,
    /// Its name.
    pub key: String,
    /// Where its value comes from.
    pub source: Source,
}

/// What to do with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Set it if it is not there.
    Insert,
    /// Set it if it is there.
    Update,
    /// Set it.
    Upsert,
    /// Take it away.
    Delete,
}

/// Where the value of a header comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// `value`.
    Value(String),
    /// `value_file`: the text of a file, read for each attempt.
    File(String),
    /// `from_context`: a header of the incoming request, with its `default_value`.
    Context(String, Option<Secret>),
    /// `from_attribute`: an attribute of the incoming request's authentication, with its `default_value`.
    Attribute(String, Option<Secret>),
    /// For a header that is deleted.
    Nothing,
}

/// What a header takes of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'s> {
    /// The value of a key of its metadata.
    Metadata(&'s str),
    /// What its authenticator knows under a name.
    Attribute(&'s str),
}

/// What `from_context` begins with where it means an attribute.
const ATTRIBUTE: &str = "auth.";

impl Source {
    /// What it asks of the client, with what there is instead.
    pub(super) fn asked(&self) -> Option<(Asked<'_>, Option<&Secret>)> {
        match self {
            Self::Context(from, default) => match from.strip_prefix(ATTRIBUTE) {
                Some(name) => Some((Asked::Attribute(name), default.as_ref())),
                None => Some((Asked::Metadata(from), default.as_ref())),
            },
            Self::Attribute(from, default) => Some((Asked::Attribute(from), default.as_ref())),
            Self::Value(_) | Self::File(_) | Self::Nothing => None,
        }
    }
}

impl HeadersSetterSettings {
    /// Reads the settings of an extension.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("headers_setter", p)?;
        fields.describe::<Self>();
        let list = fields.node("headers").filter(|node| !node.is_absent());
        let headers = list.and_then(|node| node.list("headers", p)).unwrap_or_default();
        let headers: Vec<_> = headers.iter().map(|node| HeaderSettings::decode(node, p)).collect();
        let additional_auth = fields.optional::<String>("additional_auth", p).filter(|name| !name.is_empty());
        let at = fields.at();
        fields.finish(p);
        if headers.is_empty() {
            let help = "write `headers: [{key: X-Scope-OrgID, value: team}]`";
            p.error(&at, "`headers_setter` needs the setting `headers`", help.to_owned());
        }
        Some(Self { headers: headers.into_iter().collect::<Option<_>>()?, additional_auth })
    }

    /// The headers whose values are the client's, with what they ask.
    pub fn of_clients(&self) -> impl Iterator<Item = (&str, Asked<'_>)> {
        let set = self.headers.iter().filter(|header| header.action != Action::Delete);
        set.filter_map(|header| Some((header.key.as_str(), header.source.asked()?.0)))
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        Node::map_of([
            ("additional_auth", Node::or_null(self.additional_auth.as_deref())),
            ("headers", Node::list_of(self.headers.iter().map(HeaderSettings::effective))),
        ])
    }
}

impl HeaderSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("headers", p)?;
        fields.describe::<Self>();
        let key = fields.required::<String>("key", p).filter(|key| !key.is_empty());
        fields.describe_keys(&[
            ("value", "Its value."),
            ("value_file", "A file with its value, read for each attempt."),
            (
                "from_context",
                "A header of the incoming request, where its receiver has `include_metadata` and nothing mixes clients.",
            ),
            ("from_attribute", "What the incoming request's authenticator knows: `username` or `raw` of `basicauth`."),
            ("default_value", "The value where `from_context` or `from_attribute` finds none."),
        ]);
        fields.words("action", &["", "insert", "update", "upsert", "delete"]);
        fields.defaults_to("action", "upsert");
        let action = fields.optional::<String>("action", p).unwrap_or_default();
        let value = fields.optional::<String>("value", p);
        let file = fields.optional::<String>("value_file", p);
        let context = fields.optional::<String>("from_context", p);
        let attribute = fields.optional::<String>("from_attribute", p);
        let default = fields.optional::<Secret>("default_value", p);
        fields.finish(p);
        let Some(action) = Action::named(&action) else {
            let message = format!("unknown action `{action}`");
            p.error(&node.at, message, "write `insert`, `update`, `upsert` or `delete`".to_owned());
            return None;
        };
        let key = key?;
        if http::HeaderName::from_bytes(key.as_bytes()).is_err() {
            p.error(
                &node.at,
                format!("`{key}` cannot be the name of a header"),
                "write letters, digits and `-` only".to_owned(),
            );
        }
        let lonely = (value.is_some() || file.is_some()) && default.is_some();
        let mut sources = [
            value.map(Source::Value),
            file.map(Source::File),
            context.map(|from| Source::Context(from, default.clone())),
            attribute.map(|from| Source::Attribute(from, default)),
        ]
        .into_iter()
        .flatten();
        let (source, second) = (sources.next(), sources.next());
        let expected = "`from_context`, `from_attribute`, `value` or `value_file`";
        match (&source, action) {
            (None, Action::Delete) => {}
            (None, _) => p.error(&node.at, format!("the header `{key}` needs a source"), format!("write {expected}")),
            (Some(_), Action::Delete) => {}
            (Some(_), _) if second.is_some() || lonely => {
                p.error(
                    &node.at,
                    format!("the header `{key}` has more than one source"),
                    format!("keep one of {expected}"),
                );
            }
            _ => {}
        }
        Some(Self { action, key, source: source.unwrap_or(Source::Nothing) })
    }

    fn effective(&self) -> Node {
        let text = |text: Option<&str>| Node::or_null(text);
        let mut entries = [None; 4];
        let mut default = Node::null();
        match &self.source {
            Source::Value(value) => entries[0] = Some(value.as_str()),
            Source::File(path) => entries[1] = Some(path.as_str()),
            Source::Context(from, or) | Source::Attribute(from, or) => {
                entries[if matches!(self.source, Source::Context(..)) { 2 } else { 3 }] = Some(from.as_str());
                default = or.as_ref().map_or_else(Node::null, Node::secret);
            }
            Source::Nothing => {}
        }
        Node::map_of([
            ("action", self.action.name().into()),
            ("default_value", default),
            ("from_attribute", text(entries[3])),
            ("from_context", text(entries[2])),
            ("key", self.key.as_str().into()),
            ("value", text(entries[0])),
            ("value_file", text(entries[1])),
        ])
    }
}

impl Action {
    /// The action of a name; none is `upsert`.
    fn named(name: &str) -> Option<Self> {
        match name {
            "" => Some(Self::Upsert),
            name => [Self::Insert, Self::Update, Self::Upsert, Self::Delete].into_iter().find(|one| one.name() == name),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }
}
