//! Time zones: where a time is shown, and what its abbreviations mean.
//!
//! The zones are those that the program brings with it, so that a condition means the same on every machine. For the same
//! reason the local zone is UTC.

use crate::value::{Time, days_of_date};
use jiff::{Timestamp, tz::TimeZone, tz::TimeZoneDatabase};
use std::sync::Arc;

/// Where a clock hangs.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Utc,
    /// An offset that a text gave, with the name it gave, if any.
    Fixed {
        name: Vec<u8>,
        offset_s: i32,
    },
    Zone(Zone),
}

/// A zone of the IANA database.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    zone: TimeZone,
    /// The abbreviations it has used, each with its offset, in the order of their first use.
    names: Arc<[(String, i32)]>,
}

/// A date and a clock; the month and the day may be out of range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    /// Of the day.
    pub(super) second: i64,
    pub(super) nanos: u32,
}

/// Loads zones by their names.
#[derive(Clone, Debug)]
pub(super) struct Zones(TimeZoneDatabase);

impl Zones {
    pub(super) fn new() -> Self {
        Self(TimeZoneDatabase::bundled())
    }

    /// The zone of that name. Case matters, as it does for Go on most machines.
    pub(super) fn load(&self, name: &str) -> Option<Place> {
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Place::Utc);
        }
        let zone = self.0.get(name).ok().filter(|zone| zone.iana_name() == Some(name))?;
        let names = names(&zone).into();
        Some(Place::Zone(Zone { zone, names }))
    }
}

/// All abbreviations up to now, more or less: rules for the future use no others.
fn names(zone: &TimeZone) -> Vec<(String, i32)> {
    const TRANSITIONS_MAX: usize = 400;
    let first = zone.to_offset_info(Timestamp::MIN);
    let mut names = vec![(first.abbreviation().to_string(), first.offset().seconds())];
    for transition in zone.following(Timestamp::MIN).take(TRANSITIONS_MAX) {
        let name = (transition.abbreviation().to_string(), transition.offset().seconds());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl Place {
    /// The offset at an instant.
    pub(super) fn offset_s(&self, unix_s: i64) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Fixed { offset_s, .. } => *offset_s,
            Self::Zone(zone) => zone.zone.to_offset(instant(unix_s)).seconds(),
        }
    }

    /// The abbreviation at an instant.
    pub(super) fn name(&self, unix_s: i64) -> Vec<u8> {
        match self {
            Self::Utc => b"UTC".to_vec(),
            Self::Fixed { name, .. } => name.clone(),
            Self::Zone(zone) => zone.zone.to_offset_info(instant(unix_s)).abbreviation().as_bytes().to_vec(),
        }
    }

    /// What an abbreviation means here: the offset of a clock that shows `clock_s`.
    pub(super) fn offset_named(&self, name: &[u8], clock_s: i64) -> Option<i32> {
        let Self::Zone(zone) = self else { return None };
        let mut same = zone.names.iter().filter(|(other, _)| other.as_bytes() == name).map(|(_, offset_s)| *offset_s);
        let first = same.clone().next();
        let used = same.find(|offset_s| self.name(clock_s - i64::from(*offset_s)) == name);
        used.map(|offset_s| self.offset_s(clock_s - i64::from(offset_s))).or(first)
    }

    /// The instant at which the clock shows this. Where it does so twice or never, Go's choice.
    pub(super) fn time(&self, civil: Civil) -> Time {
        let clock_s = civil.clock_s();
        let guess = self.offset_s(clock_s);
        let offset_s = if guess == 0 { 0 } else { self.offset_s(clock_s - i64::from(guess)) };
        self.show(clock_s - i64::from(offset_s), civil.nanos)
    }

    /// An instant as the clock shows it.
    pub(super) fn show(&self, seconds: i64, nanos: u32) -> Time {
        let mut time = Time { offset_s: self.offset_s(seconds), ..Time::from_unix(seconds, nanos.into()) };
        if !matches!(self, Self::Utc) {
            let name = self.name(seconds);
            if let Some(zone) = time.zone.get_mut(..name.len()) {
                zone.copy_from_slice(&name);
            }
        }
        time
    }
}

impl Civil {
    /// Seconds since the clock showed the epoch.
    pub(super) fn clock_s(self) -> i64 {
        days_of_date(self.year, self.month, self.day) * 86_400 + self.second
    }
}

fn instant(unix_s: i64) -> Timestamp {
    let nearest = unix_s.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(nearest).unwrap_or(Timestamp::UNIX_EPOCH)
}
