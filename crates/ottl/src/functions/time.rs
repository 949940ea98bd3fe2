//! Instants and lengths of time.

mod duration;
mod layout;
mod locale;
mod parse;
mod read;
mod strptime;
mod zone;

use super::{
    Arguments, Call, Function,
    Kind::{self, Duration, Int, Str, Text},
    Run, arg, opt, plain, prepared, run,
};
use crate::{
    error::Error,
    value::{Time, Value, excerpt},
};

pub(super) const TABLE: &[Function] = &[
    plain("Now", &[], now).at_verdict(),
    // The year of what has none is that of the moment.
    prepared(
        "Time",
        &[arg("Time", Str), arg("Format", Text), opt("Location", Text), opt("Locale", Text)],
        read::prepare,
    )
    .at_verdict()
    .costly(),
    prepared("FormatTime", &[arg("Time", Kind::Time), arg("Format", Text)], format_time),
    plain("TruncateTime", &[arg("Time", Kind::Time), arg("Duration", Duration)], truncate_time),
    plain("Unix", &[arg("Seconds", Int), opt("Nanoseconds", Int)], unix),
    plain("UnixSeconds", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.seconds)),
    plain("UnixMilli", &[arg("Time", Kind::Time)], |call| time_part(call, |time| unix_in(time, 1_000))),
    plain("UnixMicro", &[arg("Time", Kind::Time)], |call| time_part(call, |time| unix_in(time, 1_000_000))),
    plain("UnixNano", &[arg("Time", Kind::Time)], |call| time_part(call, Time::unix_ns)),
    plain("Year", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.parts().year)),
    plain("Month", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.parts().month.into())),
    plain("Day", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.parts().day.into())),
    plain("Hour", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.parts().hour.into())),
    plain("Minute", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.parts().minute.into())),
    plain("Second", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.parts().second.into())),
    plain("Nanosecond", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.nanos.into())),
    plain("Weekday", &[arg("Time", Kind::Time)], |call| time_part(call, |time| time.parts().weekday.into())),
    plain("Duration", &[arg("Duration", Str)], duration),
    plain("Hours", &[arg("Duration", Duration)], |call| length_in(call, 3_600_000_000_000)),
    plain("Minutes", &[arg("Duration", Duration)], |call| length_in(call, 60_000_000_000)),
    plain("Seconds", &[arg("Duration", Duration)], |call| length_in(call, SECOND_NS)),
    plain("Milliseconds", &[arg("Duration", Duration)], |call| whole_length_in(call, 1_000_000)),
    plain("Microseconds", &[arg("Duration", Duration)], |call| whole_length_in(call, 1_000)),
    plain("Nanoseconds", &[arg("Duration", Duration)], |call| whole_length_in(call, 1)),
];

const SECOND_NS: i64 = 1_000_000_000;

fn now(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(Value::Time(Time::from_wire(call.moment().wall_ns)))
}

fn format_time(arguments: &Arguments) -> Result<Run, String> {
    let format = read::format(arguments)?;
    let write = format.writer();
    Ok(run(move |call: Call<'_>| {
        let text = write(call.time(0)?);
        call.spend(2 * text.len())?;
        Ok(Value::string(text))
    }))
}

/// The last multiple of the length since the beginning of the year 1; a length below 1 ns changes nothing.
fn truncate_time(call: Call<'_>) -> Result<Value<'_>, Error> {
    const YEAR_1_S: i64 = -62_135_596_800;
    let time = call.time(0)?;
    let length_ns = call.duration(1)?;
    if length_ns <= 0 {
        return Ok(Value::Time(time));
    }
    let since_ns = i128::from(time.seconds.wrapping_sub(YEAR_1_S)) * i128::from(SECOND_NS) + i128::from(time.nanos);
    let rest_ns = since_ns.rem_euclid(length_ns.into()) as i64;
    Ok(Value::Time(time.plus(-rest_ns)))
}

fn unix(call: Call<'_>) -> Result<Value<'_>, Error> {
    let seconds = call.int(0)?;
    let nanos = if call.is_given(1) { call.int(1)? } else { 0 };
    Ok(Value::Time(Time::from_unix(seconds, nanos)))
}

fn time_part(call: Call<'_>, part: fn(Time) -> i64) -> Result<Value<'_>, Error> {
    call.time(0).map(|time| Value::Int(part(time)))
}

/// The time since the epoch in units of which a second has so many.
fn unix_in(time: Time, per_second: i64) -> i64 {
    time.seconds.wrapping_mul(per_second).wrapping_add(i64::from(time.nanos) / (SECOND_NS / per_second))
}

fn duration(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    call.spend(text.len())?;
    let parsed = duration::parse(&text).map(Value::Duration);
    parsed
        .ok_or_else(|| Error::failed(format!("`{}` is not a duration, write it as `1h30m` or `1.5s`", excerpt(&text))))
}

/// Go adds the fraction to the whole units, which rounds otherwise than a division would.
fn length_in(call: Call<'_>, unit_ns: i64) -> Result<Value<'_>, Error> {
    let ns = call.duration(0)?;
    Ok(Value::Float((ns / unit_ns) as f64 + (ns % unit_ns) as f64 / unit_ns as f64))
}

fn whole_length_in(call: Call<'_>, unit_ns: i64) -> Result<Value<'_>, Error> {
    call.duration(0).map(|ns| Value::Int(ns / unit_ns))
}

#[cfg(test)]
mod tests;
