//! XML documents as maps: with all that stands in an element, or simplified to the texts of the leaves.

use super::{
    scan::{Scanner, Token},
    tree::{NodeId, NodeKind, Tree, trimmed},
};
use crate::value::{List, Map, Value};
use std::borrow::Cow;

type Entries = Vec<(Cow<'static, [u8]>, Value<'static>)>;

/// An element that is being read.
#[derive(Default)]
struct Element {
    tag: Vec<u8>,
    content: Vec<u8>,
    attributes: Entries,
    children: Vec<Value<'static>>,
}

/// The first element of a document, with which the document must end: its `tag`, `content`, `attributes` and `children`.
pub(super) fn element(text: &[u8]) -> Result<Value<'static>, &'static str> {
    let mut scanner = Scanner::new(text);
    let mut open: Vec<Element> = Vec::new();
    while let Some(token) = scanner.next()? {
        match token {
            Token::Start(name, attributes) => {
                let mut element = Element { tag: name.local, ..Element::default() };
                for attribute in attributes {
                    put(&mut element.attributes, attribute.name.local, Value::string(attribute.value));
                }
                open.push(element);
            }
            Token::Text(text) | Token::Cdata(text) => {
                if let Some(element) = open.last_mut() {
                    element.content.extend_from_slice(trimmed(&text));
                }
            }
            Token::End => {
                let Some(element) = open.pop().map(Element::into_value) else { continue };
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None if scanner.is_at_end() => return Ok(element),
                    None => return Err("text follows the XML element"),
                }
            }
            Token::Comment(_) | Token::Instruction(..) | Token::Directive(_) => {}
        }
    }
    Err("the XML document has no element")
}

impl Element {
    fn into_value(self) -> Value<'static> {
        let mut entries: Entries = vec![(b"tag".into(), Value::string(self.tag))];
        if !self.content.is_empty() {
            entries.push((b"content".into(), Value::string(self.content)));
        }
        if !self.attributes.is_empty() {
            entries.push((b"attributes".into(), Value::Map(Map::data(self.attributes))));
        }
        if !self.children.is_empty() {
            entries.push((b"children".into(), Value::List(List::data(self.children))));
        }
        Value::Map(Map::data(entries))
    }
}

/// Sets the value of a key.
fn put(entries: &mut Entries, key: Vec<u8>, value: Value<'static>) {
    match entries.iter_mut().find(|(known, _)| **known == *key) {
        Some((_, known)) => *known = value,
        None => entries.push((key.into(), value)),
    }
}

/// The elements below a node by their names: a leaf as its text, several of one name as a list, empty ones not at all.
pub(super) fn simplified(tree: &Tree, node: NodeId) -> Map<'static> {
    let elements: Vec<_> =
        tree.nodes[node].children.iter().filter_map(|child| Some((*child, local(tree, *child)?))).collect();
    let mut counts = std::collections::HashMap::new();
    elements.iter().for_each(|(_, name)| *counts.entry(*name).or_insert(0) += 1);
    // Where the list of a name stands among the entries.
    let mut lists = std::collections::HashMap::new();
    let mut entries: Vec<(&[u8], Entry)> = Vec::new();
    for (child, name) in elements.into_iter().filter(|(child, _)| !tree.nodes[*child].children.is_empty()) {
        let value = simplified_element(tree, child);
        if counts[name] == 1 {
            entries.extend(value.map(|value| (name, Entry::One(value))));
            continue;
        }
        let at = *lists.entry(name).or_insert_with(|| {
            entries.push((name, Entry::Several(Vec::new())));
            entries.len() - 1
        });
        if let (_, Entry::Several(values)) = &mut entries[at] {
            values.extend(value);
        }
    }
    Map::data(entries.into_iter().map(|(name, entry)| (name.to_vec().into(), entry.into_value())).collect())
}

enum Entry {
    One(Value<'static>),
    Several(Vec<Value<'static>>),
}

impl Entry {
    fn into_value(self) -> Value<'static> {
        match self {
            Self::One(value) => value,
            Self::Several(values) => Value::List(List::data(values)),
        }
    }
}

fn local(tree: &Tree, node: NodeId) -> Option<&[u8]> {
    if let NodeKind::Element(name, _) = &tree.nodes[node].kind { Some(&name.local) } else { None }
}

/// The text of an element without elements, the map of another one; `None` if that is empty.
fn simplified_element(tree: &Tree, node: NodeId) -> Option<Value<'static>> {
    let children = &tree.nodes[node].children;
    if children.iter().all(|child| local(tree, *child).is_none()) {
        let text = children.iter().find_map(|child| match &tree.nodes[*child].kind {
            NodeKind::Text(text) | NodeKind::Cdata(text) => Some(text),
            _ => None,
        });
        return text.filter(|text| !text.is_empty()).map(|text| Value::string(&**text));
    }
    let map = simplified(tree, node);
    (!map.is_empty()).then_some(Value::Map(map))
}
