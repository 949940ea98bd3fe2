//! XML documents: as maps, and as text of which parts are taken, added, removed or written in another way.
//!
//! The text that comes out is written anew from the tree, as in otelcol: quotes and entities may look different, and an empty
//! element has both tags.

mod maps;
mod scan;
mod select;
mod tree;
mod xpath;

use super::{Arguments, Call, Function, Kind, Run, arg, opt, plain, prepared, run};
use crate::{error::Error, value::Value};
use scan::Name;
use select::{Hit, select};
use tree::{DOCUMENT, NodeId, NodeKind, Tree};
use xpath::XPath;

pub(super) const TABLE: &[Function] = &[
    plain("ParseXML", &[arg("Target", Kind::Str)], parse_xml).costly(),
    plain("ParseSimplifiedXML", &[arg("Target", Kind::Str)], parse_simplified_xml).costly(),
    prepared("GetXML", &[arg("Target", Kind::Str), arg("XPath", Kind::Text)], get_xml).costly(),
    prepared(
        "InsertXML",
        &[arg("Target", Kind::Str), arg("XPath", Kind::Text), arg("SubDocument", Kind::Str)],
        insert_xml,
    )
    .costly(),
    prepared("RemoveXML", &[arg("Target", Kind::Str), arg("XPath", Kind::Text)], remove_xml).costly(),
    prepared(
        "ConvertAttributesToElementsXML",
        &[arg("Target", Kind::Str), opt("XPath", Kind::Text)],
        convert_attributes_to_elements_xml,
    )
    .costly(),
    prepared(
        "ConvertTextToElementsXML",
        &[arg("Target", Kind::Str), opt("XPath", Kind::Text), opt("ElementName", Kind::Text)],
        convert_text_to_elements_xml,
    )
    .costly(),
];

/// What reading and writing a document takes, in times of its length.
const WEIGHT: usize = 8;

fn parse_xml(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    call.spend(WEIGHT * text.len())?;
    maps::element(&text).map_err(Error::failed)
}

fn parse_simplified_xml(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    call.spend(WEIGHT * text.len())?;
    let tree = Tree::parse(&text).map_err(Error::failed)?;
    Ok(Value::Map(maps::simplified(&tree, DOCUMENT)))
}

/// The XPath that a literal argument is, or `default`, if that is missing or empty.
fn xpath(arguments: &Arguments, default: &str) -> Result<XPath, String> {
    let text = arguments.constant_str(1).unwrap_or_default();
    let text = std::str::from_utf8(text).map_err(|_| "the XPath is not UTF-8".to_string())?;
    XPath::new(if text.is_empty() { default } else { text })
}

/// The document that the first argument is, if it is not empty.
fn document(call: Call<'_>, xpath: &XPath) -> Result<Option<Tree>, Error> {
    let text = call.str(0)?;
    call.spend((WEIGHT + xpath.weight()) * text.len())?;
    if text.is_empty() {
        return Ok(None);
    }
    Tree::parse(&text).map(Some).map_err(Error::failed)
}

fn get_xml(arguments: &Arguments) -> Result<Run, String> {
    let xpath = xpath(arguments, "")?;
    Ok(run(move |call: Call<'_>| {
        let Some(tree) = document(call, &xpath)? else { return Ok(Value::str("")) };
        let mut found = Tree::new();
        for hit in select(&tree, &xpath) {
            match hit {
                Hit::Attribute(node, index) => {
                    if let NodeKind::Element(_, attributes) = &tree.nodes[node].kind {
                        found.append(DOCUMENT, NodeKind::Text(attributes[index].value.clone()));
                    }
                }
                Hit::Node(node) => match &tree.nodes[node].kind {
                    NodeKind::Cdata(text) => drop(found.append(DOCUMENT, NodeKind::Text(text.clone()))),
                    NodeKind::Element(..) => {
                        // Nodes that are selected within selected ones come again.
                        call.spend(tree.nodes.len())?;
                        found.append_copy(DOCUMENT, &tree, node);
                    }
                    NodeKind::Text(_) => found.append_copy(DOCUMENT, &tree, node),
                    _ => {}
                },
            }
        }
        Ok(Value::string(found.to_text()))
    }))
}

fn insert_xml(arguments: &Arguments) -> Result<Run, String> {
    let xpath = xpath(arguments, "")?;
    Ok(run(move |call: Call<'_>| {
        let mut tree = document(call, &xpath)?.unwrap_or_else(Tree::new);
        let inserted = call.str(2)?;
        call.spend(WEIGHT * inserted.len())?;
        let inserted_tree = Tree::parse(&inserted).map_err(Error::failed)?;
        for hit in select(&tree, &xpath) {
            call.spend(2 * inserted.len())?;
            match hit {
                Hit::Node(node) if matches!(tree.nodes[node].kind, NodeKind::Document | NodeKind::Element(..)) => {
                    for child in &inserted_tree.nodes[DOCUMENT].children {
                        tree.append_copy(node, &inserted_tree, *child);
                    }
                }
                _ => return Err(Error::failed("the XPath selects what is no element")),
            }
        }
        Ok(Value::string(tree.to_text()))
    }))
}

fn remove_xml(arguments: &Arguments) -> Result<Run, String> {
    let xpath = xpath(arguments, "")?;
    Ok(run(move |call: Call<'_>| {
        let Some(mut tree) = document(call, &xpath)? else { return Ok(Value::str("")) };
        // From behind, so that attributes keep their places.
        for hit in select(&tree, &xpath).into_iter().rev() {
            match hit {
                Hit::Attribute(node, index) => remove_attribute(&mut tree, node, index),
                Hit::Node(node) => match &mut tree.nodes[node].kind {
                    NodeKind::Text(text) => text.clear(),
                    NodeKind::Element(..) | NodeKind::Comment(_) | NodeKind::Cdata(_) => tree.remove(node),
                    _ => {}
                },
            }
        }
        Ok(Value::string(tree.to_text()))
    }))
}

/// Removes an attribute, unless its name has a prefix.
fn remove_attribute(tree: &mut Tree, node: NodeId, index: usize) {
    if let NodeKind::Element(_, attributes) = &mut tree.nodes[node].kind
        && attributes[index].name.prefix.is_empty()
    {
        attributes.remove(index);
    }
}

fn convert_attributes_to_elements_xml(arguments: &Arguments) -> Result<Run, String> {
    let xpath = xpath(arguments, "//@*")?;
    Ok(run(move |call: Call<'_>| {
        let mut tree = document(call, &xpath)?.ok_or(Error::failed("the XML document is empty"))?;
        let hits = select(&tree, &xpath);
        for hit in &hits {
            let Hit::Attribute(node, index) = *hit else { continue };
            let NodeKind::Element(_, attributes) = &tree.nodes[node].kind else { continue };
            let attribute = attributes[index].clone();
            let name = Name { prefix: Vec::new(), local: attribute.name.local };
            let element = tree.append(node, NodeKind::Element(name, Vec::new()));
            tree.append(element, NodeKind::Text(attribute.value));
        }
        for hit in hits.into_iter().rev() {
            if let Hit::Attribute(node, index) = hit {
                remove_attribute(&mut tree, node, index);
            }
        }
        Ok(Value::string(tree.to_text()))
    }))
}

fn convert_text_to_elements_xml(arguments: &Arguments) -> Result<Run, String> {
    let xpath = xpath(arguments, "/")?;
    let name = arguments.constant_str(2).filter(|name| !name.is_empty()).unwrap_or(b"value").to_vec();
    let name = Name { prefix: Vec::new(), local: name };
    Ok(run(move |call: Call<'_>| {
        let mut tree = document(call, &xpath)?.ok_or(Error::failed("the XML document is empty"))?;
        for hit in select(&tree, &xpath) {
            if let Hit::Node(node) = hit {
                call.spend(tree.nodes.len())?;
                wrap_texts(&mut tree, node, &name);
            }
        }
        Ok(Value::string(tree.to_text()))
    }))
}

/// Below a node, makes elements of texts that have siblings.
fn wrap_texts(tree: &mut Tree, node: NodeId, name: &Name) {
    if !matches!(tree.nodes[node].kind, NodeKind::Document | NodeKind::Element(..)) {
        return;
    }
    let children = tree.nodes[node].children.clone();
    children.iter().for_each(|child| wrap_texts(tree, *child, name));
    let is_text = |child: &NodeId| matches!(tree.nodes[*child].kind, NodeKind::Text(_));
    let is_counted = |child: &NodeId| matches!(tree.nodes[*child].kind, NodeKind::Text(_) | NodeKind::Element(..));
    if children.iter().filter(|child| is_counted(child)).count() <= 1 {
        return;
    }
    let texts: Vec<_> = children.iter().copied().filter(is_text).collect();
    for text in texts {
        let element = NodeKind::Element(name.clone(), Vec::new());
        let inner = std::mem::replace(&mut tree.nodes[text].kind, element);
        tree.append(text, inner);
    }
}

#[cfg(test)]
mod tests;
