//! A decoder's shape is what it asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::decode::{Fields, one_of};
use crate::secret::Secret;

#[derive(crate::Documented)]
#[expect(dead_code, reason = "only its keys are asked for")]
struct Outer {
    /// How long,
    /// at most.
    #[key = "time"]
    wait: Duration,
    /// Names.
    names: Vec<String>,
}

fn inner(fields: &mut Fields<'_>, p: &mut Problems) {
    let Some(node) = fields.node("inner").filter(|node| !node.is_absent()) else { return };
    let Some(mut fields) = node.map("inner", p) else { return };
    let _size: Option<u16> = fields.required("size", p);
    let _headers = fields.take("headers", BTreeMap::<String, Secret>::new(), p);
    fields.finish(p);
}

fn outer(node: &Node, p: &mut Problems) {
    let Some(mut fields) = node.map("outer", p) else { return };
    fields.describe::<Outer>();
    fields.take("time", Duration::from_secs(3), p);
    fields.take("names", vec!["a".to_string()], p);
    fields.optional::<Option<f64>>("share", p);
    if let Some(mode) = fields.node("mode") {
        one_of(mode, "mode", &[("fast", 1), ("slow", 2)], p);
    }
    inner(&mut fields, p);
    fields.old_spelling("wait", "time");
    fields.unsupported("plugins");
    fields.ignore(&["hint"]);
    fields.finish(p);
}

fn key<'s>(shape: &'s Shape, name: &str) -> &'s Key {
    let map = shape.map.as_ref().unwrap();
    map.keys.iter().find(|key| key.name == name).unwrap()
}

fn scalars(shape: &Shape) -> Vec<Scalar> {
    shape.scalars.iter().copied().collect()
}

#[test]
fn keys_kinds_and_defaults_are_those_of_the_decoder() {
    let shape = shape_of(&outer);
    let map = shape.map.as_ref().unwrap();
    assert_eq!((map.name.as_str(), map.is_open), ("outer", false));
    let names: Vec<&str> = map.keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["time", "names", "share", "mode", "inner", "wait", "plugins", "hint"]);
    let time = key(&shape, "time");
    assert_eq!((scalars(&time.shape), time.default.clone()), (vec![Scalar::Duration], Some("3s".into())));
    let listed = &key(&shape, "names").shape;
    assert_eq!(scalars(listed), [Scalar::Text], "one text with commas");
    assert_eq!(scalars(listed.items.as_ref().unwrap()), [Scalar::Text]);
    assert_eq!(scalars(&key(&shape, "share").shape), [Scalar::Number]);
    assert_eq!(key(&shape, "mode").shape.words, ["fast", "slow"]);
    let inner = &key(&shape, "inner").shape;
    assert_eq!(scalars(&key(inner, "size").shape), [Scalar::Integer(0, 65_535)]);
    assert!(key(inner, "size").is_required);
    let header = key(inner, "headers").shape.values.as_ref().unwrap();
    assert_eq!(scalars(header), [Scalar::Text, Scalar::Secret]);
}

#[test]
fn keys_mean_what_the_doc_comments_say() {
    let shape = shape_of(&outer);
    assert_eq!(key(&shape, "time").about, "How long, at most.");
    assert_eq!(key(&shape, "names").about, "Names.");
    assert_eq!(key(&shape, "wait").instead.as_deref(), Some("time"));
    assert!(key(&shape, "plugins").is_unsupported && key(&shape, "hint").is_ignored);
}

/// What nobody asks about is noticed, so that a decoder that looks into nodes by itself is made to say what it takes.
#[test]
fn what_is_not_asked_about_is_unknown() {
    let shape = shape_of(&|node, p| {
        if let Some(mut fields) = node.map("it", p) {
            let _looked_into = fields.node("key").map(|node| matches!(node.value, Value::Bool(_)));
        }
    });
    assert!(key(&shape, "key").shape.is_unknown());
}

/// Reading a file notes nothing, whatever it holds.
#[test]
fn only_the_target_is_noted() {
    let notes = Notes::default();
    let tree = Node::map_of([("time", Node::from("4s")), ("inner", Node::map_of([("size", Node::from(1_u8))]))]);
    outer(&tree, &mut Problems::noting(notes.clone()));
    assert!(notes.borrow().shape.is_unknown());
}
