//! Maps lose, gain and change entries. What is not meant keeps its bytes.

mod flatten;

use super::{Editor, editor};
use crate::{
    edit::{Run, run},
    error::Error,
    functions::{
        Arguments, Call,
        Kind::{EachStr, Flag, Map, Str, Target, Text, Texts, Whole},
        arg, opt,
    },
    pattern::Pattern,
    value::{Value, element_text, excerpt},
};
use std::collections::BTreeSet;

pub(super) const TABLE: &[Editor] = &[
    editor("delete_key", &[arg("Target", Target), arg("Key", Str)], |_| {
        Ok(run(|call: Call<'_>| {
            let key = call.str(1);
            call.target(0)?.edit_entries(call.subject, |entries| {
                entries.remove(&key?);
                Ok(true)
            })
        }))
    }),
    editor("delete_matching_keys", &[arg("Target", Target), arg("Pattern", Str)], |arguments| {
        matching(arguments, false)
    }),
    editor("keep_matching_keys", &[arg("Target", Target), arg("Pattern", Str)], |arguments| matching(arguments, true)),
    editor("keep_keys", &[arg("Target", Target), arg("Keys", EachStr)], |_| {
        Ok(run(|call: Call<'_>| {
            call.target(0)?.edit_entries(call.subject, |entries| {
                let keys = call.items(1)?.map(|item| item?.value.into_str());
                let keys: BTreeSet<_> = keys.collect::<Result<_, _>>()?;
                entries.retain(|slot| keys.contains(slot.key()));
                Ok(true)
            })
        }))
    }),
    editor("limit", &[arg("Target", Target), arg("Limit", Whole), arg("PriorityKeys", Texts)], limit),
    editor("merge_maps", &[arg("Target", Target), arg("Source", Map), arg("Strategy", Text)], merge_maps),
    editor(
        "flatten",
        &[arg("Target", Target), opt("Prefix", Text), opt("Depth", Whole), opt("ResolveConflicts", Flag)],
        flatten::flatten,
    ),
    editor("stringify_all", &[arg("Target", Target)], |_| {
        Ok(run(|call: Call<'_>| {
            call.target(0)?.edit_entries(call.subject, |entries| {
                for slot in entries.iter_mut() {
                    if !matches!(slot.value(), otlp::Value::Str(_)) {
                        let text = element_text(&Value::of_wire(slot.value()));
                        slot.set_str(&text);
                    }
                }
                Ok(true)
            })
        }))
    }),
    editor(
        "truncate_all",
        &[arg("Target", Target), arg("Limit", Whole), opt("Utf8Safe", Flag), opt("TruncationMarker", Text)],
        truncate_all,
    ),
];

fn matching(arguments: &Arguments, is_kept: bool) -> Result<Run, String> {
    let literal = arguments.constant_str(1).map(pattern).transpose()?;
    Ok(run(move |call: Call<'_>| {
        let dynamic = match &literal {
            Some(_) => None,
            None => Some(pattern(&call.str(1)?).map_err(Error::failed)?),
        };
        let Some(pattern) = literal.as_ref().or(dynamic.as_ref()) else { return Ok(None) };
        call.target(0)?.edit_entries(call.subject, |entries| {
            entries.retain(|slot| pattern.is_match(slot.key()) == is_kept);
            Ok(true)
        })
    }))
}

fn pattern(source: &[u8]) -> Result<Pattern, String> {
    let compiled = std::str::from_utf8(source).map_err(|_| "not UTF-8".to_string()).and_then(Pattern::new);
    compiled.map_err(|error| format!("invalid pattern `{}`: {error}", excerpt(source)))
}

fn limit(arguments: &Arguments) -> Result<Run, String> {
    let limit = arguments.constant_int(1).unwrap_or_default();
    let texts = arguments.constant_items(2).filter_map(|key| if let Value::Str(key) = key { Some(key) } else { None });
    let keys: Vec<Vec<u8>> = texts.map(|key| key.to_vec()).collect();
    let limit = usize::try_from(limit).map_err(|_| format!("a limit is at least 0, {limit} is not"))?;
    if limit < keys.len() {
        return Err(format!("the limit {limit} is less than the {} priority keys", keys.len()));
    }
    Ok(run(move |call: Call<'_>| {
        call.target(0)?.edit_entries(call.subject, |entries| {
            if entries.len() <= limit {
                return Ok(false);
            }
            let mut count = keys.iter().filter(|key| entries.has(key)).count();
            entries.retain(|slot| {
                if keys.iter().any(|key| key == slot.key()) {
                    return true;
                }
                let has_room = count < limit;
                count += usize::from(has_room);
                has_room
            });
            Ok(true)
        })
    }))
}

/// What happens to keys that both maps have, and to those that only the source has.
fn merge_maps(arguments: &Arguments) -> Result<Run, String> {
    let (inserts, updates) = match arguments.constant_text(2) {
        Some("insert") => (true, false),
        Some("update") => (false, true),
        Some("upsert") => (true, true),
        other => {
            let other = other.unwrap_or_default();
            return Err(format!("the strategy is `insert`, `update` or `upsert`, not `{other}`"));
        }
    };
    Ok(run(move |call: Call<'_>| {
        call.target(0)?.edit_entries(call.subject, |entries| {
            let source = call.map(1)?;
            for (key, value) in source.iter() {
                let value = if source.is_native { value.into_data()? } else { value };
                let is_update = entries.has(&key);
                if if is_update { updates } else { inserts } {
                    entries.entry(&key).set(&crate::edit::encode::encode(&value)?);
                }
            }
            Ok(true)
        })
    }))
}

fn truncate_all(arguments: &Arguments) -> Result<Run, String> {
    let limit = arguments.constant_int(1).unwrap_or_default();
    let limit = usize::try_from(limit).map_err(|_| format!("a limit is at least 0, {limit} is not"))?;
    let is_whole_chars = arguments.constant_bool(2).unwrap_or(true);
    let marker = arguments.constant_str(3).unwrap_or_default().to_vec();
    if marker.len() > limit {
        return Err(format!("the marker of {} bytes is longer than the limit of {limit}", marker.len()));
    }
    Ok(run(move |call: Call<'_>| {
        call.target(0)?.edit_entries(call.subject, |entries| {
            for slot in entries.iter_mut() {
                let text = slot.value().str_or_empty();
                if text.len() <= limit {
                    continue;
                }
                let mut end = limit - marker.len();
                while is_whole_chars && end > 0 && text[end] & 0xc0 == 0x80 {
                    end -= 1;
                }
                let text = [&text[..end], &marker].concat();
                slot.set_str(&text);
            }
            Ok(true)
        })
    }))
}
