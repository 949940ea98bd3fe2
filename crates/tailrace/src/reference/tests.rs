//! Every key of every decoder has a text and a kind.

use settings::{Key, Shape};

use super::schema::Meaning;

use super::*;

/// Calls `look` with the path of each key that a file may have.
fn each_key(path: &str, shape: &Shape, look: &mut dyn FnMut(&str, &Key)) {
    for key in shape.map.iter().flat_map(|map| &map.keys).filter(|key| !key.is_unsupported) {
        let path = format!("{path}::{}", key.name);
        look(&path, key);
        each_key(&path, &key.shape, look);
    }
    for (name, inner) in [("[]", &shape.items), ("::*", &shape.values)] {
        if let Some(inner) = inner {
            each_key(&format!("{path}{name}"), inner, look);
        }
    }
}

fn all_keys(look: &mut dyn FnMut(&str, &Key)) {
    let reference = Reference::new();
    for section in &reference.sections {
        for component in &section.components {
            each_key(&format!("{}::{}", section.name, component.names[0]), &component.shape, look);
        }
    }
    reference.others.iter().for_each(|(name, _, shape)| each_key(name, shape, look));
}

/// A key without a text is one whose field has another name (`#[key = "…"]`), or none (`describe_keys`).
#[test]
fn every_key_has_a_text() {
    let mut mute = Vec::new();
    all_keys(&mut |path, key| mute.extend(key.meaning().is_empty().then(|| path.to_string())));
    assert!(mute.is_empty(), "no doc comment tells what these mean: {mute:#?}");
}

/// A decoder that looks into a node by itself says what it takes (`Problems::takes`).
#[test]
fn every_key_has_a_kind() {
    let mut unknown = Vec::new();
    all_keys(&mut |path, key| unknown.extend((key.shape.is_unknown() && !key.is_ignored).then(|| path.to_string())));
    assert!(unknown.is_empty(), "nobody asks what these are: {unknown:#?}");
}
