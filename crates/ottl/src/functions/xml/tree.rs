//! A document as a tree that can be changed and written again.
//!
//! Nodes stand in one vector and refer to each other by index; the document is the first one. A removed node stays in the
//! vector and is in nobody's children.

use super::scan::{Attribute, Name, Scanner, Token};

/// A node's place.
pub(super) type NodeId = usize;

/// The document's node.
pub(super) const DOCUMENT: NodeId = 0;

/// A document.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// A node.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) parent: NodeId,
    pub(super) children: Vec<NodeId>,
}

#[derive(Clone)]
pub(super) enum NodeKind {
    Document,
    Element(Name, Vec<Attribute>),
    Text(Vec<u8>),
    Cdata(Vec<u8>),
    Comment(Vec<u8>),
    Instruction(Vec<u8>, Vec<u8>),
    Directive(Vec<u8>),
}

impl Tree {
    /// An empty document.
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node { kind: NodeKind::Document, parent: DOCUMENT, children: Vec::new() }] }
    }

    /// A document as otelcol reads it: it has an element, and what stands before its first element or instruction is lost,
    /// as is an instruction at the beginning that is no `<?xml`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let mut tree = Self::new();
        let mut scanner = Scanner::new(text);
        let mut parent = DOCUMENT;
        let mut has_element = false;
        while let Some(token) = scanner.next()? {
            let is_started = !tree.nodes[DOCUMENT].children.is_empty();
            let kind = match token {
                Token::Start(name, attributes) => {
                    has_element |= parent == DOCUMENT;
                    parent = tree.append(parent, NodeKind::Element(name, attributes));
                    if !tree.is_prefix_known(parent) {
                        return Err("a prefix of XML is not declared");
                    }
                    continue;
                }
                Token::End => {
                    parent = tree.nodes[parent].parent;
                    continue;
                }
                Token::Instruction(target, text) => NodeKind::Instruction(target, text),
                _ if !is_started => continue,
                Token::Text(text) => NodeKind::Text(text),
                Token::Cdata(text) => NodeKind::Cdata(text),
                Token::Comment(text) => NodeKind::Comment(text),
                Token::Directive(text) => NodeKind::Directive(text),
            };
            tree.append(parent, kind);
        }
        if !has_element {
            return Err("the XML document has no element");
        }
        let first = tree.nodes[DOCUMENT].children[0];
        if matches!(tree.nodes[first].kind, NodeKind::Instruction(..)) && !text.starts_with(b"<?xml") {
            tree.remove(first);
        }
        Ok(tree)
    }

    fn is_prefix_known(&self, element: NodeId) -> bool {
        let NodeKind::Element(Name { prefix, .. }, _) = &self.nodes[element].kind else { return true };
        let declares = |node: NodeId| {
            let NodeKind::Element(_, attributes) = &self.nodes[node].kind else { return false };
            attributes.iter().any(|attribute| attribute.name.prefix == b"xmlns" && attribute.name.local == *prefix)
        };
        prefix.is_empty() || prefix == b"xml" || self.ancestors(element).any(declares)
    }

    /// The node and all above it.
    fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let up = |node: &NodeId| (*node != DOCUMENT).then(|| self.nodes[*node].parent);
        std::iter::successors(Some(node), up)
    }

    /// Adds a last child.
    pub(super) fn append(&mut self, parent: NodeId, kind: NodeKind) -> NodeId {
        let node = self.nodes.len();
        self.nodes.push(Node { kind, parent, children: Vec::new() });
        self.nodes[parent].children.push(node);
        node
    }

    /// Adds copies of another tree's node and all below it.
    pub(super) fn append_copy(&mut self, parent: NodeId, other: &Tree, node: NodeId) {
        let copy = self.append(parent, other.nodes[node].kind.clone());
        for child in &other.nodes[node].children {
            self.append_copy(copy, other, *child);
        }
    }

    pub(super) fn remove(&mut self, node: NodeId) {
        let parent = self.nodes[node].parent;
        self.nodes[parent].children.retain(|child| *child != node);
    }

    /// All text below a node.
    pub(super) fn inner_text(&self, node: NodeId, out: &mut Vec<u8>) {
        match &self.nodes[node].kind {
            NodeKind::Text(text) | NodeKind::Cdata(text) => out.extend_from_slice(text),
            _ => self.nodes[node].children.iter().for_each(|child| self.inner_text(*child, out)),
        }
    }

    /// The document as text; empty elements have both tags.
    pub(super) fn to_text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_children(DOCUMENT, true, &mut out);
        out
    }

    /// Writes a node; `keeps_space` is what `xml:space` says above it.
    pub(super) fn write(&self, node: NodeId, keeps_space: bool, out: &mut Vec<u8>) {
        let wrapped = |before: &[u8], text: &[&[u8]], after: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(before);
            text.iter().for_each(|text| out.extend_from_slice(text));
            out.extend_from_slice(after);
        };
        match &self.nodes[node].kind {
            NodeKind::Document => self.write_children(node, keeps_space, out),
            NodeKind::Element(name, attributes) => {
                let keeps_space = keeps_space_in(attributes).unwrap_or(keeps_space);
                out.push(b'<');
                write_name(name, out);
                for attribute in attributes {
                    out.push(b' ');
                    write_name(&attribute.name, out);
                    out.extend_from_slice(b"=\"");
                    escape(&attribute.value, out);
                    out.push(b'"');
                }
                out.push(b'>');
                self.write_children(node, keeps_space, out);
                out.extend_from_slice(b"</");
                write_name(name, out);
                out.push(b'>');
            }
            NodeKind::Text(text) => escape(if keeps_space { text } else { trimmed(text) }, out),
            NodeKind::Cdata(text) => wrapped(b"<![CDATA[", &[text], b"]]>", out),
            NodeKind::Comment(text) => wrapped(b"<!--", &[text], b"-->", out),
            NodeKind::Directive(text) => wrapped(b"<!", &[text], b">", out),
            NodeKind::Instruction(target, text) if target == b"xml" => {
                out.extend_from_slice(b"<?xml");
                write_declaration(text, out);
                out.extend_from_slice(b"?>");
            }
            NodeKind::Instruction(target, text) => match text.trim_ascii() {
                b"" => wrapped(b"<?", &[target], b"?>", out),
                text => wrapped(b"<?", &[target, b" ", text], b"?>", out),
            },
        }
    }

    fn write_children(&self, node: NodeId, keeps_space: bool, out: &mut Vec<u8>) {
        self.nodes[node].children.iter().for_each(|child| self.write(*child, keeps_space, out));
    }
}

fn keeps_space_in(attributes: &[Attribute]) -> Option<bool> {
    let space = attributes.iter().find(|attribute| attribute.name.prefix == b"xml" && attribute.name.local == b"space");
    match &*space?.value {
        b"preserve" => Some(true),
        b"default" => Some(false),
        _ => None,
    }
}

/// Text without white space at its ends.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    std::str::from_utf8(text).map_or(text, |text| text.trim().as_bytes())
}

fn write_name(name: &Name, out: &mut Vec<u8>) {
    out.extend_from_slice(&name.prefix);
    out.extend((!name.prefix.is_empty()).then_some(b':'));
    out.extend_from_slice(&name.local);
}

/// Each `key="value"` of a declaration.
fn write_declaration(text: &[u8], out: &mut Vec<u8>) {
    for pair in text.split(|byte| *byte == b' ').map(<[u8]>::trim_ascii) {
        let Some(at) = pair.iter().position(|byte| *byte == b'=').filter(|at| *at > 0) else { continue };
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        let value = &pair[at + 1..];
        let start = value.iter().take_while(|byte| is_quote(byte)).count();
        let end = value.iter().rposition(|byte| !is_quote(byte)).map_or(start, |last| last + 1);
        out.push(b' ');
        out.extend_from_slice(&pair[..at]);
        out.extend_from_slice(b"=\"");
        escape(&value[start..end], out);
        out.push(b'"');
    }
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&#34;"),
            other => out.push(*other),
        }
    }
}
