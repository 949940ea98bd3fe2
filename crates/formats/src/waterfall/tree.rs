//! The order in which rows stand, and the lines that connect them.
//!
//! Spans come from many processes and may lack parents, repeat IDs, be their own parents or form circles. Each span has at
//! most one place here: under the first span with its parent's ID, else among the roots, else under the ID that never
//! came; of a circle the earliest span is taken out and stands on top. The walk keeps its own stack.

use super::OwnedSpan;
use std::{collections::HashMap, fmt::Write as _};

/// What a line shows.
pub(super) enum Entry {
    /// One span, or several siblings alike.
    Node(Node),
    /// The orphans of this parent follow.
    Missing { parent: String },
    /// Spans follow whose parents form a circle.
    Circle,
}

/// One span, or several siblings of the same service and name.
pub(super) struct Node {
    /// Indices of the spans, by start time.
    pub(super) members: Vec<usize>,
    /// The lines in front of the row.
    pub(super) lead: String,
    /// The lines in front of what stands below the row.
    pub(super) below: String,
}

/// Walks the rows from top to bottom.
pub(super) struct Tree<'a> {
    spans: &'a [OwnedSpan],
    children: Vec<Vec<usize>>,
    /// What is still to be shown, next one last.
    stack: Vec<Entry>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(spans: &'a [OwnedSpan]) -> Self {
        let mut tree = Self { spans, children: vec![Vec::new(); spans.len()], stack: Vec::new() };
        let (roots, orphans) = tree.adopt();
        let circles = tree.open_circles(roots.iter().chain(orphans.iter().flat_map(|(_, orphans)| orphans)));

        // The stack is filled from the end of the picture.
        if !circles.is_empty() {
            tree.push(circles, "", Place::Below);
            tree.stack.push(Entry::Circle);
        }
        for (parent, orphans) in orphans.into_iter().rev() {
            tree.push(orphans, "", Place::Below);
            tree.stack.push(Entry::Missing { parent });
        }
        tree.push(roots, "", Place::Top);
        tree
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Option<Entry> {
        let entry = self.stack.pop()?;
        if let Entry::Node(node) = &entry {
            let children = node.members.iter().flat_map(|index| std::mem::take(&mut self.children[*index])).collect();
            self.push(children, &node.below, Place::Below);
        }
        Some(entry)
    }

    /// Fills `children`; returns the roots, and the orphans by missing parent, earliest first.
    fn adopt(&mut self) -> (Vec<usize>, Vec<(String, Vec<usize>)>) {
        let mut by_id: HashMap<&[u8], usize> = HashMap::with_capacity(self.spans.len());
        for (index, span) in self.spans.iter().enumerate() {
            by_id.entry(&span.span_id).or_insert(index);
        }
        let mut roots = Vec::new();
        let mut orphans: Vec<(String, Vec<usize>)> = Vec::new();
        let mut group_of: HashMap<&[u8], usize> = HashMap::new();
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        order.sort_by_key(|index| self.spans[*index].start_ns);
        for index in order {
            let parent_span_id = &*self.spans[index].parent_span_id;
            match by_id.get(parent_span_id) {
                _ if self.spans[index].is_root() => roots.push(index),
                Some(parent) if *parent == index => roots.push(index),
                Some(parent) => self.children[*parent].push(index),
                None => {
                    let group = *group_of.entry(parent_span_id).or_insert(orphans.len());
                    if group == orphans.len() {
                        orphans.push((hex(parent_span_id), Vec::new()));
                    }
                    orphans[group].1.push(index);
                }
            }
        }
        (roots, orphans)
    }

    /// Spans that nothing above leads to hang in a circle: the earliest of each is cut from its parent and returned.
    fn open_circles<'b>(&mut self, tops: impl Iterator<Item = &'b usize>) -> Vec<usize> {
        let mut is_reached = vec![false; self.spans.len()];
        let mut open: Vec<usize> = tops.copied().collect();
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        order.sort_by_key(|index| self.spans[*index].start_ns);
        let mut candidates = order.into_iter();
        let mut circles = Vec::new();
        loop {
            while let Some(index) = open.pop() {
                is_reached[index] = true;
                open.extend(self.children[index].iter().filter(|child| !is_reached[**child]));
            }
            let Some(first) = candidates.find(|index| !is_reached[*index]) else { break };
            circles.push(first);
            open.push(first);
        }
        let mut is_on_top = vec![false; self.spans.len()];
        circles.iter().for_each(|index| is_on_top[*index] = true);
        if !circles.is_empty() {
            self.children.iter_mut().for_each(|children| children.retain(|child| !is_on_top[*child]));
        }
        circles
    }

    /// Puts siblings on the stack, those alike as one node.
    fn push(&mut self, siblings: Vec<usize>, lead: &str, place: Place) {
        let is_deep = lead.chars().count() >= LEVELS_SHOWN_MAX * 3;
        for (after, members) in self.alike(siblings).into_iter().rev().enumerate() {
            let (own, below) = match place {
                Place::Top => ("", ""),
                Place::Below if is_deep => ("⋯ ", ""),
                Place::Below if after == 0 => ("└─ ", "   "),
                Place::Below => ("├─ ", "│  "),
            };
            let node = Node { members, lead: format!("{lead}{own}"), below: format!("{lead}{below}") };
            self.stack.push(Entry::Node(node));
        }
    }

    /// Groups siblings by service and name where enough of them are alike; groups stand where their first member would.
    fn alike(&self, mut siblings: Vec<usize>) -> Vec<Vec<usize>> {
        let start = |index: usize| (self.spans[index].start_ns, index);
        siblings.sort_by_key(|index| start(*index));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_of: HashMap<(&str, &str), usize> = HashMap::new();
        for index in siblings {
            let span = &self.spans[index];
            let group = *group_of.entry((&span.service, &span.name)).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(index);
        }
        let mut nodes: Vec<Vec<usize>> = Vec::with_capacity(groups.len());
        for group in groups {
            if group.len() >= ALIKE_MIN {
                nodes.push(group);
            } else {
                nodes.extend(group.into_iter().map(|index| vec![index]));
            }
        }
        nodes.sort_by_key(|members| members.first().map(|index| start(*index)));
        nodes
    }
}

/// Whether lines connect a row with something above it.
#[derive(Clone, Copy)]
enum Place {
    Top,
    Below,
}

/// An ID from outside, which may have any length.
fn hex(id: &[u8]) -> String {
    let mut text = String::new();
    for byte in id.iter().take(ID_BYTES_SHOWN_MAX) {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    if id.len() > ID_BYTES_SHOWN_MAX {
        text.push('…');
    }
    text
}

/// From this many on, siblings of the same service and name are one row.
const ALIKE_MIN: usize = 3;
/// Deeper rows are not indented further.
const LEVELS_SHOWN_MAX: usize = 12;
const ID_BYTES_SHOWN_MAX: usize = 16;
