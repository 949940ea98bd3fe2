//! Log levels by the strings or numbers that mean them: `{"error": [{"equals": ["err"]}, {"range": {"min": 3, "max": 5}}]}`.
//!
//! Strings are looked up in `equals`, ints in `range`, which may also be one of HTTP's classes: `2xx` to `5xx`.

use crate::{
    error::Error,
    value::{List, Map, Value},
};

/// The levels in the order in which they were written; otelcol asks them in any order.
pub(super) struct Severities(Vec<(Vec<u8>, Vec<Criterion>)>);

/// What an element of a level's list says.
struct Criterion {
    equals: Vec<Vec<u8>>,
    range: Option<(i64, i64)>,
}

impl Severities {
    pub(super) fn new(map: &Map<'_>) -> Result<Self, &'static str> {
        let levels = map.iter().map(|(level, criteria)| {
            let Value::List(criteria) = criteria else { return Err("the criteria of a severity must be a list") };
            let criteria: Result<_, _> = criteria.iter().map(|criterion| Criterion::new(&criterion)).collect();
            Ok((level.to_vec(), criteria?))
        });
        levels.collect::<Result<_, _>>().map(Self)
    }

    /// The level that a value means.
    pub(super) fn level(&self, value: &Value<'_>) -> Result<Vec<u8>, Error> {
        for (level, criteria) in &self.0 {
            for criterion in criteria {
                if criterion.matches(value)? {
                    return Ok(level.clone());
                }
            }
        }
        Err(Error::failed("no severity matches"))
    }
}

impl Criterion {
    fn new(criterion: &Value<'_>) -> Result<Self, &'static str> {
        let Value::Map(criterion) = criterion else { return Err("a criterion of a severity must be a map") };
        let equals = match criterion.find(b"equals") {
            None => Vec::new(),
            Some(Value::List(texts)) => strings(&texts)?,
            Some(_) => return Err("`equals` must be a list"),
        };
        let range = match criterion.find(b"range") {
            None => None,
            Some(Value::Map(range)) => Some((bound(&range, b"min")?, bound(&range, b"max")?)),
            Some(Value::Str(class)) => Some(http_class(&class)?),
            Some(_) => return Err("`range` must be a map or one of `2xx`, `3xx`, `4xx` and `5xx`"),
        };
        Ok(Self { equals, range })
    }

    fn matches(&self, value: &Value<'_>) -> Result<bool, Error> {
        match value {
            Value::Str(text) => Ok(self.equals.iter().any(|equal| **equal == **text)),
            Value::Int(int) => Ok(self.range.is_some_and(|(min, max)| (min..=max).contains(int))),
            other => {
                Err(Error::failed(format!("the severity of {} is not known, only of strings and ints", other.kind())))
            }
        }
    }
}

fn strings(list: &List<'_>) -> Result<Vec<Vec<u8>>, &'static str> {
    let texts = list.iter().map(|text| if let Value::Str(text) = text { Some(text.into_owned()) } else { None });
    texts.collect::<Option<_>>().ok_or("the values of `equals` must be strings")
}

fn bound(range: &Map<'_>, key: &[u8]) -> Result<i64, &'static str> {
    if let Some(Value::Int(bound)) = range.find(key) {
        Ok(bound)
    } else {
        Err("`range` must have ints `min` and `max`")
    }
}

fn http_class(class: &[u8]) -> Result<(i64, i64), &'static str> {
    match class {
        b"2xx" => Ok((200, 299)),
        b"3xx" => Ok((300, 399)),
        b"4xx" => Ok((400, 499)),
        b"5xx" => Ok((500, 599)),
        _ => Err("an unknown range, there are `2xx`, `3xx`, `4xx` and `5xx`"),
    }
}
