//! `Time`: a text as an instant.

use super::{
    Arguments, Call, Run,
    locale::Locale,
    parse::{self, Mismatch},
    run,
    strptime::{Format, Misfit},
    zone::{Civil, Place, Zones},
};
use crate::{
    error::Error,
    value::{Time, Value, excerpt},
};

/// What a call of `Time` was written with.
struct Reader {
    format: Format,
    /// Where the clock hangs that the text does not name.
    place: Place,
    locale: Option<Locale>,
    zones: Zones,
}

/// The format of `Time` and of `FormatTime`.
pub(super) fn format(arguments: &Arguments) -> Result<Format, String> {
    Format::new(arguments.constant_text(1).ok_or("the format of a time is no UTF-8")?)
}

pub(super) fn prepare(arguments: &Arguments) -> Result<Run, String> {
    let zones = Zones::new();
    let text = |index| arguments.constant_str(index).map(String::from_utf8_lossy);
    let place = text(2).map_or(Ok(Place::Utc), |name| {
        let place = zones.load(&name);
        place
            .ok_or_else(|| format!("unknown location `{name}`, use a name of the IANA database such as `Europe/Paris`"))
    })?;
    let locale = text(3).map(|name| Locale::new(&name)).transpose()?;
    let reader = Reader { format: format(arguments)?, place, locale, zones };
    Ok(run(move |call: Call<'_>| {
        let text = call.str(0)?;
        if text.is_empty() {
            return Err(Error::failed("`Time` needs a text that is not empty"));
        }
        reader.read(call, &text).map(Value::Time)
    }))
}

impl Reader {
    fn read(&self, call: Call<'_>, text: &[u8]) -> Result<Time, Error> {
        let mut attempt = |layout: &str| self.attempt(call, layout.as_bytes(), text);
        self.format.read(&mut attempt).map_err(|misfit| match misfit {
            Misfit::Piece(_) => Error::failed(format!("`{}` does not fit the format of the time", excerpt(text))),
            Misfit::Other(error) => error,
        })
    }

    fn attempt(&self, call: Call<'_>, layout: &[u8], text: &[u8]) -> Result<Time, Misfit> {
        call.spend(layout.len() + 2 * text.len()).map_err(Misfit::Other)?;
        let translated;
        let text = if let Some(locale) = &self.locale {
            translated = locale.translate(layout, text)?;
            &translated
        } else {
            text
        };
        let (time, place) = self.corrected(call, layout, text)?;
        Ok(with_year(time, &place, call))
    }

    /// An abbreviation that means nothing at the place, such as `EST`, may be the name of a zone.
    fn corrected(&self, call: Call<'_>, layout: &[u8], text: &[u8]) -> Result<(Time, Place), Misfit> {
        // Go looks a zone up on disk.
        const LOAD_COST: usize = 10_000;
        let (time, place) = parse::parse(layout, text, &self.place).map_err(Misfit::Piece)?;
        let name = place.name(time.seconds);
        if time.offset_s != 0 || name == b"UTC" || name == self.place.name(time.seconds) {
            return Ok((time, place));
        }
        call.spend(LOAD_COST).map_err(Misfit::Other)?;
        let zone = std::str::from_utf8(&name).ok().and_then(|name| self.zones.load(name));
        let unknown = || Misfit::Other(Error::failed(format!("unknown time zone `{}`", excerpt(&name))));
        let again = parse::parse(layout, text, &zone.ok_or_else(unknown)?);
        Ok(again.unwrap_or((time, place)))
    }
}

/// A time without a year is the one nearest to now, at most a week ahead.
fn with_year(time: Time, place: &Place, call: Call<'_>) -> Time {
    let parts = time.parts();
    if parts.year > 0 {
        return time;
    }
    let now = Time::from_wire(call.moment().wall_ns);
    let civil = Civil {
        year: now.parts().year,
        month: parts.month.into(),
        day: parts.day.into(),
        second: ((parts.hour * 60 + parts.minute) * 60 + parts.second).into(),
        nanos: time.nanos,
    };
    let near = place.time(civil);
    if near <= now.plus(7 * 86_400 * super::SECOND_NS) {
        return near;
    }
    let near = near.parts();
    place.time(Civil { year: near.year - 1, month: near.month.into(), day: near.day.into(), ..civil })
}

impl From<Mismatch> for Misfit {
    fn from(mismatch: Mismatch) -> Self {
        Self::Piece(mismatch)
    }
}
