//! `service::telemetry::resource`: attributes of everything that Tailrace says about itself, in two forms: the older one
//! has them as keys, the newer one as a list under `attributes`.

use settings::{Decode, Location, Node, Problems, Scalar, Value};

use super::{no_effect, written};

/// Settings of the resource.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Resource {
    /// The schema that the attributes' names follow.
    pub(crate) schema_url: String,
    /// Attributes of the newer form, with values of any type.
    pub(crate) attributes: Vec<(String, Node)>,
    /// Attributes of the older form; without a value, one that is there by default is taken away.
    pub(crate) plain: Vec<(String, Option<String>)>,
    /// What finds further attributes; without effect.
    others: Vec<(String, Node)>,
}

impl Default for Resource {
    fn default() -> Resource {
        let schema_url = "https://opentelemetry.io/schemas/1.40.0".to_string();
        Resource { schema_url, attributes: Vec::new(), plain: Vec::new(), others: Vec::new() }
    }
}

impl Resource {
    /// The attributes as text, of either form; `None` takes one away that is there by default.
    pub(crate) fn texts(&self) -> Vec<(String, Option<String>)> {
        let text = |node: &Node| match &node.value {
            Value::Null => None,
            Value::Text(text) => Some(text.clone()),
            _ => Some(node.to_yaml(settings::Mode::Redacted).trim().to_string()),
        };
        let attributes = self.attributes.iter().map(|(key, node)| (key.clone(), text(node)));
        attributes.chain(self.plain.iter().cloned()).collect()
    }

    /// All settings, as otelcol prints them.
    pub(super) fn effective(&self) -> Node {
        let attribute =
            |(name, value): &(String, Node)| Node::map_of([("name", Node::from(name)), ("value", value.clone())]);
        let attributes = Some(&self.attributes).filter(|list| !list.is_empty());
        let named = written([
            ("attributes", attributes.map(|list| Node::list_of(list.iter().map(attribute)))),
            ("schema_url", Some(Node::from(&self.schema_url))),
        ]);
        let named = named.map(|(key, node)| (key.to_string(), node));
        let plain = self.plain.iter().map(|(key, value)| (key.clone(), Node::or_null(value.as_ref())));
        Node::map_of(named.chain(plain).chain(self.others.iter().cloned()))
    }
}

impl Decode for Resource {
    fn decode(node: &Node, p: &mut Problems) -> Option<Resource> {
        let mut fields = node.map("resource", p)?;
        fields.describe::<Self>();
        let default = Resource::default();
        let list = fields.node("attributes").filter(|node| !node.is_absent());
        let mut resource = Resource {
            schema_url: fields.take("schema_url", default.schema_url, p),
            attributes: list.map(|list| attributes(list, p)).unwrap_or_default(),
            ..Resource::default()
        };
        fields.describe_keys(&[
            ("detectors", "What finds further attributes; without effect."),
            ("detection/development", "What finds further attributes; without effect."),
        ]);
        for key in ["detectors", "detection/development"] {
            if let Some(node) = fields.node(key).filter(|node| !node.is_absent()) {
                p.takes(node, Scalar::Anything);
                no_effect(node, &format!("`{key}` of the resource is"), p);
                resource.others.push((key.to_string(), node.bare()));
            }
        }
        if let Some(text) = fields.unsupported("attributes_list").filter(|node| !node.is_absent()) {
            let help = "write `attributes: [{name: …, value: …}]`";
            p.error(&text.at, "`attributes_list` is not supported, nor is it by otelcol", help.to_string());
        }
        let mut first_plain: Option<Location> = None;
        for entry in fields.rest() {
            first_plain = first_plain.or(Some(entry.key_at));
            match p.within(entry.key.as_str(), |p| Option::<String>::decode(&entry.node, p)) {
                Some(value) => resource.plain.push((entry.key.clone(), value)),
                None => continue,
            }
        }
        if let (Some(at), false) = (first_plain, resource.attributes.is_empty()) {
            let help = "move them into the list: `attributes: [{name: …, value: …}]`";
            p.error(&at, "the resource has attributes both as keys and under `attributes`", help.to_string());
        }
        Some(resource)
    }
}

fn attributes(node: &Node, p: &mut Problems) -> Vec<(String, Node)> {
    let items = node.list("attributes", p).unwrap_or_default();
    let attribute = items.iter().map(|item| {
        let mut fields = item.map("attributes", p)?;
        fields.describe_keys(&[("name", "The attribute's key."), ("value", "Its value, of any type.")]);
        let name = fields.required::<String>("name", p);
        let value = fields.optional::<Node>("value", p).map_or(Node::null(), |node| node.bare());
        fields.ignore(&["type"]);
        fields.finish(p);
        Some((name?, value))
    });
    attribute.collect::<Vec<_>>().into_iter().flatten().collect()
}
