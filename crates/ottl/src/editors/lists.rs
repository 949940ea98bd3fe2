//! Lists lose elements.

use super::{Editor, editor};
use crate::{
    edit::{Run, run},
    error::Error,
    functions::{
        Arguments, Call,
        Kind::{Int, Target},
        arg, opt,
    },
    value::{List, Value},
};

pub(super) const TABLE: &[Editor] =
    &[editor("delete_index", &[arg("Target", Target), arg("StartIndex", Int), opt("EndIndex", Int)], delete_index)];

fn delete_index(_: &Arguments) -> Result<Run, String> {
    Ok(run(|call: Call<'_>| {
        let mut items = call.list(0)?.into_items();
        let start = call.int(1)?;
        let end = if call.is_given(2) { call.int(2)? } else { start.wrapping_add(1) };
        let len = items.len() as i64;
        let is_whole = start == 0 && end == len;
        if !is_whole && (start < 0 || start >= len || end < start || end > len) {
            let message = format!("the list has {len} elements, `delete_index` cannot take {start} to {end} away");
            return Err(Error::failed(message).into());
        }
        items.drain(start as usize..end as usize);
        call.target(0)?.set(call.subject, &Value::List(List::data(items)))
    }))
}
