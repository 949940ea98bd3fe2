//! Text: joining, cutting, case.

use super::{Call, Function, Kind, arg, opt, plain};
use crate::{error::Error, value::Value};
use std::borrow::Cow;

pub(super) const TABLE: &[Function] = &[
    plain("Concat", &[arg("Vals", Kind::EachStrLike), arg("Delimiter", Kind::Str)], concat),
    plain(
        "Substring",
        &[arg("Target", Kind::Str), arg("Start", Kind::Int), arg("Length", Kind::Int), opt("Utf8Safe", Kind::Flag)],
        substring,
    ),
];

fn concat(call: Call<'_>) -> Result<Value<'_>, Error> {
    let delimiter = call.str(1)?;
    let mut joined = Vec::new();
    for (index, item) in call.items(0)?.enumerate() {
        let item = item?.into_str_like()?;
        let text = item.as_deref().unwrap_or(b"<nil>");
        call.spend(text.len() + delimiter.len())?;
        if index > 0 {
            joined.extend_from_slice(&delimiter);
        }
        joined.extend_from_slice(text);
    }
    Ok(Value::string(joined))
}

fn substring(call: Call<'_>) -> Result<Value<'_>, Error> {
    let start = usize::try_from(call.int(1)?).map_err(|_| Error::failed("`Substring` cannot start before the text"))?;
    let length = usize::try_from(call.int(2)?).ok().filter(|length| *length > 0);
    let length = length.ok_or_else(|| Error::failed("`Substring` needs a length above 0"))?;
    let text = call.str(0)?;
    let mut end = start.checked_add(length).filter(|end| *end <= text.len());
    let mut end = end.take().ok_or_else(|| Error::failed("`Substring` reaches past the end of the text"))?;
    let mut start = start;
    if call.arguments.constant_bool(3) == Some(true) {
        let is_inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        while is_inside(start) {
            start += 1;
        }
        while start < end && is_inside(end) {
            end -= 1;
        }
        end = end.max(start);
    }
    Ok(Value::Str(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
        Cow::Owned(text) => Cow::Owned(text[start..end].to_vec()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::check;

    #[test]
    fn substring_cuts_bytes() {
        let cut = |text, start, length| [Value::str(text), Value::Int(start), Value::Int(length)];
        check(
            "Substring",
            &[
                (&cut("hello", 1, 3), Some(Value::str("ell"))),
                (&cut("hello", 1, 30), None),
                (&cut("hello", -1, 3), None),
                (&cut("hello", 5, 0), None),
                (&cut("aéb", 2, 2), Some(Value::str(b"\xa9b"))),
            ],
        );
        let safe = |start, length| [Value::str("aéb"), Value::Int(start), Value::Int(length), Value::Bool(true)];
        check(
            "Substring",
            &[
                (&safe(2, 2), Some(Value::str("b"))),
                (&safe(0, 2), Some(Value::str("a"))),
                (&safe(2, 1), Some(Value::str(""))),
            ],
        );
    }
}
