//! Instants and lengths of time.

use super::{Call, Function, plain};
use crate::{
    error::Error,
    value::{Time, Value},
};

pub(super) const TABLE: &[Function] = &[plain("Now", &[], now).at_verdict()];

fn now(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(Value::Time(Time::from_wire(call.moment().wall_ns)))
}
