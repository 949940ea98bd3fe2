//! `resource`: actions on the attributes of every resource, of all signals.
//!
//! A request that names no resource for its spans gets one where an action adds an attribute. One that brings its resource
//! in several messages means them joined, as protobuf does, and gets them back as one if something changes.

use crate::{
    Broken, Edited, Moment, Processor,
    action::{ActionSettings, Actions, Mistake},
    attribute_list::AttributeList,
    splice::{Field, Splice},
    walk,
};
use otlp::{Signal, wire::put_len};
use settings::{Decode, Node, Problems};

/// Settings of a `resource` processor.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct ResourceSettings {
    /// What is done to the attributes of each resource, in this order.
    pub attributes: Vec<ActionSettings>,
}

/// The processor `resource`.
#[derive(Clone, Debug)]
pub struct Resource {
    actions: Actions,
}

impl Decode for ResourceSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("resource", p)?;
        fields.describe::<Self>();
        let written =
            fields.node("attributes").is_some_and(|node| node.list("attributes", &mut Problems::new()) != Some(&[]));
        let attributes = fields.optional("attributes", p);
        fields.finish(p);
        if !written {
            let help = "list actions, such as `- {key: deployment.environment, value: test, action: upsert}`";
            p.error(&node.at, "a `resource` processor needs `attributes`", help.to_string());
        }
        Some(Self { attributes: attributes? })
    }
}

impl ResourceSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        Node::map_of([("attributes", Node::list_of(self.attributes.iter().map(ActionSettings::effective)))])
    }
}

impl Resource {
    /// Compiles the settings.
    ///
    /// # Errors
    /// What is wrong with an action; with those that decoding gave nothing is.
    pub fn new(settings: &ResourceSettings) -> Result<Self, Mistake> {
        Ok(Self { actions: Actions::new(&settings.attributes)? })
    }
}

/// What changes a resource's attributes.
pub(crate) trait Change {
    /// Changes them.
    fn apply<'e>(&'e self, list: &mut AttributeList<'e>);
}

impl Change for Actions {
    fn apply<'e>(&'e self, list: &mut AttributeList<'e>) {
        Self::apply(self, list);
    }
}

/// Changes the attributes of the resource in a resource's part, which the splice has entered.
pub(crate) fn edit_part<'e>(
    change: &'e impl Change,
    splice: &mut Splice<'_>,
    list: &mut AttributeList<'e>,
    part: &Field,
) -> Result<(), Broken> {
    let mut resources = Vec::new();
    for field in walk::fields(splice.source(), part.body.clone()) {
        let field = field?;
        if field.number == walk::RESOURCE {
            resources.push(field);
        }
    }
    match resources.as_slice() {
        [resource] => {
            list.read(resource.body.clone(), ATTRIBUTES)?;
            change.apply(list);
            splice.enter(resource);
            list.write(splice);
            splice.leave();
        }
        [] => {
            list.read(part.body.start..part.body.start, ATTRIBUTES)?;
            change.apply(list);
            if !list.is_empty() {
                let mut body = Vec::new();
                list.put_all(&mut body);
                splice.insert(part.body.start, |out| put_len(out, walk::RESOURCE, &body));
            }
        }
        [first, others @ ..] => {
            let joined: Vec<u8> = resources.iter().flat_map(|resource| resource.of(splice.source())).copied().collect();
            let mut inner = Splice::new(&joined);
            let mut list = AttributeList::new(&joined);
            list.read(0..joined.len(), ATTRIBUTES)?;
            change.apply(&mut list);
            list.write(&mut inner);
            let edited = inner.finish();
            splice.replace(first.whole(), |out| put_len(out, walk::RESOURCE, &edited));
            others.iter().for_each(|other| splice.cut(other.whole()));
        }
    }
    Ok(())
}

/// `Resource.attributes`.
const ATTRIBUTES: u32 = 1;

impl Processor for Resource {
    fn edit<'a>(&self, _signal: Signal, request: &'a [u8], moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let actions = self.actions.of(moment.client);
        let mut splice = Splice::new(request);
        let mut list = AttributeList::new(request);
        for part in walk::fields(request, 0..request.len()) {
            let part = part?;
            if part.number == walk::RESOURCE_PART {
                splice.enter(&part);
                edit_part(&*actions, &mut splice, &mut list, &part)?;
                splice.leave();
            }
        }
        Ok(Edited::new(splice.finish(), 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::{check, decode, request, shown};

    fn resource(yaml: &str) -> Resource {
        Resource::new(&decode(yaml).unwrap()).unwrap()
    }

    #[test]
    fn every_resource_of_every_signal() {
        let processor = resource("{attributes: [{key: a, value: x, action: upsert}, {key: b, action: delete}]}");
        for (before, after) in [
            ("{a: 1, b: 2, c: 3} [s] n {b: 2}", "{a: x, c: 3} [s] n {b: 2}"),
            ("{} [s] n {}\n{b: 1} [s@1] n {}", "{a: x} [s] n {}\n{a: x} [s@1] n {}"),
            ("- [s] n {b: 2}", "{a: x} [s] n {b: 2}"),
            ("{b: 1}", "{a: x}"),
        ] {
            Signal::ALL.iter().for_each(|signal| check(&processor, *signal, before, after, 0));
        }
        check(&resource("{attributes: [{key: b, action: delete}]}"), Signal::Traces, "- [s] n {}", "- [s] n {}", 0);
    }

    #[test]
    fn a_resource_in_parts_is_joined() {
        let processor = resource("{attributes: [{key: a, value: x, action: upsert}]}");
        let (first, second) = (request(Signal::Logs, "{a: 1}"), request(Signal::Logs, "{b: 2, a: 3} [s] n {}"));
        // Each is a request with one ResourceLogs: their fields in one make one with two resources.
        let body = |bytes: &[u8]| {
            let field = walk::fields(bytes, 0..bytes.len()).next().unwrap().unwrap();
            field.of(bytes).to_vec()
        };
        let mut whole = Vec::new();
        put_len(&mut whole, 1, &[body(&first), body(&second)].concat());
        let edited = processor.edit(Signal::Logs, &whole, Moment::at(0, 0)).unwrap();
        assert_eq!(shown(Signal::Logs, &edited.body), "{a: x, b: 2, a: 3} [s] n {}");
    }

    #[test]
    fn settings() {
        for yaml in ["{}", "{attributes: []}", "{attributes: }"] {
            assert_eq!(decode::<ResourceSettings>(yaml).unwrap_err(), "a `resource` processor needs `attributes`");
        }
        let settings: ResourceSettings = decode("{attributes: [{key: a, action: delete}]}").unwrap();
        let printed = settings.effective().to_yaml(settings::Mode::Unredacted);
        assert!(printed.starts_with("attributes:\n    - action: delete\n      converted_type: \"\"\n"), "{printed}");
    }
}
