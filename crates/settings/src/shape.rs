//! What a decoder takes, found out by running it, so that a schema cannot say anything else.
//!
//! A decoder is given a tree in which one value, the *target*, bears a place that no file has. Whatever is asked of it, as a
//! text, a number, a map with these keys and defaults, is noted; then each key becomes the target in turn. The same code
//! that reads a user's file thus tells its own shape, and nothing has to be kept in step by hand.
//!
//! ```text
//!  target            asked for             next targets
//!  {}            →   map: timeout, tls  →  {timeout: ·}  {tls: ·}
//!  {tls: ·}      →   map: insecure      →  {tls: {insecure: ·}}
//! ```
//!
//! Each target is tried as an empty text, list and map, because what a value is may decide what is asked of it. What the
//! keys mean comes from doc comments, through [`Documented`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::location::Location;
use crate::node::{Node, Value};
use crate::problems::Problems;

/// Settings whose keys have texts; derived.
pub trait Documented {
    /// What all of them are.
    const ABOUT: &'static str;
    /// Each key with what it means.
    const KEYS: &'static [(&'static str, &'static str)];
}

/// What a value may be: any of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Single values.
    pub scalars: BTreeSet<Scalar>,
    /// The words that a text must be one of; none is any text.
    pub words: Vec<String>,
    /// Whether capital letters don't matter in these words.
    pub any_case: bool,
    /// A map with known keys.
    pub map: Option<Keys>,
    /// A list of such values.
    pub items: Option<Box<Shape>>,
    /// A map with free keys and such values.
    pub values: Option<Box<Shape>>,
    /// The pattern of those keys, where not every text will do.
    pub key_pattern: Option<&'static str>,
}

/// A single value that a decoder may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// Text.
    Text,
    /// A text that is not shown.
    Secret,
    /// `true` or `false`.
    Bool,
    /// A whole number in these bounds.
    Integer(i128, i128),
    /// A number.
    Number,
    /// A duration, such as `10s`.
    Duration,
    /// Whatever YAML can say.
    Anything,
}

/// A map with known keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// What the decoder calls it.
    pub name: String,
    /// The keys, in the order in which they are asked for.
    pub keys: Vec<Key>,
    /// Whether other keys are left to somebody else.
    pub is_open: bool,
}

/// A key of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// What it means, from the doc comment; empty if nobody says it.
    pub about: String,
    /// Whether it must be there.
    pub is_required: bool,
    /// What holds without it.
    pub default: Option<Node>,
    /// What to write instead of it.
    pub instead: Option<String>,
    /// Whether it has no effect.
    pub is_ignored: bool,
    /// Whether it is otelcol's and only an empty value is taken.
    pub is_unsupported: bool,
    /// The words that its text must be one of, where the decoder of the map judges it.
    pub words: Vec<String>,
    /// Whether capital letters don't matter in them.
    pub any_case: bool,
    /// What its value may be.
    pub shape: Shape,
}

impl Shape {
    /// Whether a decoder asked nothing at all of the value.
    pub fn is_unknown(&self) -> bool {
        *self == Shape::default()
    }
}

/// The shape of what `decode` reads.
pub fn shape_of(decode: &dyn Fn(&Node, &mut Problems)) -> Shape {
    explore(&mut Vec::new(), decode)
}

/// What was asked of the target.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) shape: Shape,
    /// The texts of [`Documented`] that hold for the target's keys.
    about: Vec<(&'static str, &'static str)>,
}

/// What was asked, in the hands of those that are asked.
pub(crate) type Notes = Rc<RefCell<Asked>>;

/// The place of the target.
pub(crate) const TARGET: Location = Location { source: u16::MAX, line: u32::MAX, column: 1, width: 1 };

impl Asked {
    pub(crate) fn key(&mut self, name: &str) -> &mut Key {
        let keys = &mut self.shape.map.get_or_insert_default().keys;
        let index = keys.iter().position(|key| key.name == name).unwrap_or(keys.len());
        if index == keys.len() {
            keys.push(Key { name: name.to_string(), ..Key::default() });
        }
        &mut keys[index]
    }

    pub(crate) fn describe(&mut self, keys: &[(&'static str, &'static str)]) {
        self.about.extend(keys);
    }
}

/// A step from a value to one inside it.
enum Step {
    Key(String),
    Item,
}

fn explore(path: &mut Vec<Step>, decode: &dyn Fn(&Node, &mut Problems)) -> Shape {
    let notes = Notes::default();
    for value in [Value::Text(String::new()), Value::List(Vec::new()), Value::Map(Vec::new())] {
        let target = Node::new(value, TARGET);
        let tree = path.iter().rev().fold(target, |inner, step| match step {
            Step::Key(key) => Node::map_of([(key.as_str(), inner)]),
            Step::Item => Node::list_of([inner]),
        });
        decode(&tree, &mut Problems::noting(notes.clone()));
    }
    let Asked { mut shape, about } = std::mem::take(&mut *notes.borrow_mut());
    if path.len() >= DEPTH_MAX {
        return shape;
    }
    let mut inside = |step| {
        path.push(step);
        let shape = explore(path, decode);
        path.pop();
        shape
    };
    shape.items = shape.items.map(|_| Box::new(inside(Step::Item)));
    shape.values = shape.values.map(|_| Box::new(inside(Step::Key(FREE_KEY.to_string()))));
    for key in shape.map.iter_mut().flat_map(|map| &mut map.keys) {
        let text = about.iter().find(|(name, _)| *name == key.name).map(|(_, text)| (*text).to_string());
        key.about = text.unwrap_or_default();
        if !key.is_ignored && !key.is_unsupported {
            key.shape = inside(Step::Key(key.name.clone()));
            key.shape.words.append(&mut key.words);
            key.shape.any_case |= key.any_case;
        }
    }
    shape
}

/// A key that may stand wherever keys are free, also where they are the IDs of pipelines.
const FREE_KEY: &str = "traces";

/// Settings are nested less deeply; a decoder without end would be cut here.
const DEPTH_MAX: usize = 24;

#[cfg(test)]
mod tests;
