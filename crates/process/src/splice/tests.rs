//! Edits of nested messages, against messages written from scratch.

use super::*;
use crate::walk;
use otlp::wire::put_len;
use proptest::prelude::*;

/// A message of messages, down to texts.
#[derive(Clone, Debug)]
enum Tree {
    Text(Vec<u8>),
    Node(Vec<Tree>),
}

/// What becomes of a text.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Stays,
    Goes,
    Grows(u16),
    Twice,
}

fn written(tree: &Tree) -> Vec<u8> {
    match tree {
        Tree::Text(text) => text.clone(),
        Tree::Node(children) => {
            let mut out = Vec::new();
            for child in children {
                put_len(&mut out, number(child), &written(child));
            }
            out
        }
    }
}

fn number(tree: &Tree) -> u32 {
    if matches!(tree, Tree::Text(_)) { 1 } else { 2 }
}

/// The same edit, done on the tree.
fn edited(tree: &Tree, fates: &mut impl Iterator<Item = Fate>) -> Tree {
    let Tree::Node(children) = tree else { return tree.clone() };
    let mut out = Vec::new();
    for child in children {
        match child {
            Tree::Node(_) => {
                // A node that lost everything goes whole, with whatever was edited in it.
                let inner = edited(child, fates);
                let Tree::Node(left) = &inner else { continue };
                if !left.is_empty() {
                    out.push(inner);
                }
            }
            Tree::Text(text) => match fates.next().unwrap_or(Fate::Stays) {
                Fate::Stays => out.push(child.clone()),
                Fate::Goes => {}
                Fate::Grows(by) => out.push(Tree::Text([text.clone(), vec![b'x'; by.into()]].concat())),
                Fate::Twice => out.extend([child.clone(), child.clone()]),
            },
        }
    }
    Tree::Node(out)
}

/// Does it on the bytes; gives how many fields are left.
fn splice(splice: &mut Splice<'_>, within: Range<usize>, fates: &mut impl Iterator<Item = Fate>) -> usize {
    let mut left = 0;
    for field in walk::fields(splice.source(), within) {
        let field = field.expect("written by us");
        if field.number == 2 {
            let mark = splice.mark();
            splice.enter(&field);
            let inside = self::splice(splice, field.body.clone(), fates);
            splice.leave();
            if inside == 0 {
                splice.back(mark);
                splice.cut(field.whole());
            }
            left += usize::from(inside > 0);
            continue;
        }
        let source = splice.source();
        match fates.next().unwrap_or(Fate::Stays) {
            Fate::Stays => left += 1,
            Fate::Goes => splice.cut(field.whole()),
            Fate::Grows(by) => {
                let text = [field.of(source), &vec![b'x'; by.into()]].concat();
                splice.replace(field.whole(), |out| put_len(out, 1, &text));
                left += 1;
            }
            Fate::Twice => {
                splice.insert(field.body.end, |out| put_len(out, 1, field.of(source)));
                left += 2;
            }
        }
    }
    left
}

fn trees() -> impl Strategy<Value = Tree> {
    let text = prop::collection::vec(any::<u8>(), 0..200).prop_map(Tree::Text);
    let inner = text.prop_recursive(4, 64, 6, |inner| prop::collection::vec(inner, 0..6).prop_map(Tree::Node));
    prop::collection::vec(inner, 0..6).prop_map(Tree::Node)
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Stays),
        3 => Just(Fate::Goes),
        1 => (0..20_000_u16).prop_map(Fate::Grows),
        1 => Just(Fate::Twice),
    ]
}

proptest! {
    #[test]
    fn bytes_are_edited_as_a_tree_is(tree in trees(), fates in prop::collection::vec(fates(), 0..80)) {
        let source = written(&tree);
        let mut bytes = Splice::new(&source);
        splice(&mut bytes, 0..source.len(), &mut fates.iter().copied());
        let expected = written(&edited(&tree, &mut fates.iter().copied()));
        prop_assert_eq!(bytes.finish().into_owned(), expected);
    }
}

#[test]
fn nothing_edited_nothing_copied() {
    let source = written(&Tree::Node(vec![Tree::Node(vec![Tree::Text(b"a".to_vec())])]));
    let mut bytes = Splice::new(&source);
    for field in walk::fields(&source, 0..source.len()) {
        bytes.enter(&field.expect("written by us"));
        assert!(!bytes.leave());
    }
    assert!(matches!(bytes.finish(), Cow::Borrowed(_)));
}

#[test]
fn varints_are_as_long_as_they_are_written() {
    for value in [0_usize, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, u32::MAX as usize] {
        let mut out = Vec::new();
        put_varint(&mut out, value as u64);
        assert_eq!(varint_bytes(value), out.len(), "{value}");
    }
}
