//! A random mistake in good settings: a key misspelt, a value of another type, a word that is none, a part left out or
//! put where it cannot stand.

use crate::dice::Dice;
use serde_json::{Value, json};

/// The settings with one mistake, and what it is. Some of them are none: both sides then have to take them.
pub(crate) fn mistake(dice: &mut Dice, settings: &Value) -> (Value, String) {
    let mut wrong = settings.clone();
    let mut places = Vec::new();
    collect(settings, &mut String::new(), &mut places);
    let place = places.swap_remove(dice.below(places.len()));
    let (parent, key) = place.rsplit_once('/').expect("every place begins with a slash");
    let (parent, key) = (parent.to_owned(), key.replace("~1", "/").replace("~0", "~"));
    let value = settings.pointer(&place).cloned().unwrap_or_default();
    let said = match dice.below(3) {
        0 if wrong.pointer(&parent).is_some_and(Value::is_object) => {
            let other = misspelt(dice, &key);
            let fields = wrong.pointer_mut(&parent).and_then(Value::as_object_mut).expect("an object");
            fields.remove(&key);
            fields.insert(other.clone(), value);
            format!("`{place}` is called `{other}`")
        }
        1 if wrong.pointer(&parent).is_some_and(Value::is_object) => {
            wrong.pointer_mut(&parent).and_then(Value::as_object_mut).expect("an object").remove(&key);
            format!("`{place}` is left out")
        }
        _ => {
            let other = other_value(dice, &value);
            let said = format!("`{place}` is `{other}`");
            *wrong.pointer_mut(&place).expect("the place is there") = other;
            said
        }
    };
    (wrong, said)
}

/// Every place in the settings, as a JSON pointer.
fn collect(value: &Value, at: &mut String, into: &mut Vec<String>) {
    let mut visit = |key: String, inner: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        into.push(at.clone());
        collect(inner, at, into);
        at.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, inner)| visit(key.clone(), inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, inner)| visit(index.to_string(), inner)),
        _ => {}
    }
}

fn misspelt(dice: &mut Dice, key: &str) -> String {
    match dice.below(3) {
        0 => format!("{key}s"),
        1 => key.replacen('_', "", 1).to_uppercase(),
        _ => key.chars().skip(1).collect(),
    }
}

fn other_value(dice: &mut Dice, value: &Value) -> Value {
    match (value, dice.below(4)) {
        (Value::Number(_), 0) => json!("7"),
        (Value::Number(_), 1) => json!(-3),
        (Value::Number(_), 2) => json!([1]),
        (Value::Number(_), _) => json!(2.5),
        (Value::Bool(_), 0) => json!("true"),
        (Value::Bool(_), _) => json!(1),
        (Value::String(text), 0) => json!(format!("{text}(")),
        (Value::String(_), 1) => json!(["x"]),
        (Value::String(_), 2) => json!(5),
        (Value::String(text), _) => json!(text.to_uppercase()),
        (Value::Array(items), 0) => items.first().cloned().unwrap_or_default(),
        (Value::Array(_), 1) => json!("a,b"),
        (Value::Array(_), _) => json!({}),
        (_, 0) => json!([]),
        (_, 1) => json!("text"),
        _ => json!(3),
    }
}
