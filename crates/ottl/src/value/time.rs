//! An instant as Go has it: seconds and nanoseconds since the Unix epoch, and the offset of the clock that shows it.

use super::civil::date_of_days;

/// An instant. Equality and order are of the instant alone.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Whole seconds since the Unix epoch, rounded down.
    pub seconds: i64,
    /// Nanoseconds of the second, below a thousand million.
    pub nanos: u32,
    /// Seconds east of UTC, for the parts of date and clock.
    pub offset_s: i32,
    /// The abbreviation of the clock's zone, filled up with zeros; all zeros where there is none.
    pub zone: [u8; ZONE_LEN],
}

/// No zone has had a longer abbreviation.
pub(super) const ZONE_LEN: usize = 6;

/// Date and clock of a [`Time`] at its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 is Sunday.
    pub weekday: u32,
}

const SECOND_NS: i64 = 1_000_000_000;

impl Time {
    /// Go's `time.Unix(seconds, nanos)` in UTC: `nanos` may be anything.
    #[must_use]
    pub fn from_unix(seconds: i64, nanos: i64) -> Self {
        Self {
            seconds: seconds.wrapping_add(nanos.div_euclid(SECOND_NS)),
            nanos: nanos.rem_euclid(SECOND_NS) as u32,
            offset_s: 0,
            zone: [0; ZONE_LEN],
        }
    }

    /// OTLP's unsigned nanoseconds; those past 2⁶³ are before the epoch, as in otelcol.
    #[must_use]
    pub fn from_wire(unix_ns: u64) -> Self {
        Self::from_unix(0, unix_ns as i64)
    }

    /// Go's `UnixNano()`: wraps outside the years 1678 to 2262.
    #[must_use]
    pub fn unix_ns(self) -> i64 {
        self.seconds.wrapping_mul(SECOND_NS).wrapping_add(i64::from(self.nanos))
    }

    /// Go's `Sub`: the nanoseconds from `earlier` to this instant, as near as an `i64` can say.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        let exact = i128::from(self.seconds) - i128::from(earlier.seconds);
        let exact = exact * i128::from(SECOND_NS) + i128::from(self.nanos) - i128::from(earlier.nanos);
        exact.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// Go's `Add`; the clock's offset stays.
    #[must_use]
    pub fn plus(self, duration_ns: i64) -> Self {
        let nanos = i64::from(self.nanos) + duration_ns.rem_euclid(SECOND_NS);
        let seconds = self.seconds.wrapping_add(duration_ns.div_euclid(SECOND_NS));
        Self { offset_s: self.offset_s, zone: self.zone, ..Self::from_unix(seconds, nanos) }
    }

    /// Date and clock at the offset.
    #[must_use]
    pub fn parts(self) -> Parts {
        let local = self.seconds.wrapping_add(self.offset_s.into());
        // Go counts from a year so long ago that only the very first seconds lie before it; those come out as the last.
        let absolute = local.wrapping_add(UNIX_TO_ABSOLUTE_S) as u64;
        let days = (absolute / 86_400) as i64 - UNIX_TO_ABSOLUTE_S / 86_400;
        let second = (absolute % 86_400) as u32;
        let (year, month, day) = date_of_days(days);
        Parts {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            weekday: (days + 4).rem_euclid(7) as u32,
        }
    }

    fn instant(self) -> (i64, u32) {
        (self.seconds, self.nanos)
    }
}

/// From Go's absolute beginning, 1 March -292277022400, to the Unix epoch.
const UNIX_TO_ABSOLUTE_S: i64 = 9_223_372_028_741_760_000;

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.instant() == other.instant()
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.instant().cmp(&other.instant())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_arithmetic() {
        let time = Time::from_wire(1_767_225_600_302_333_727);
        let parts = time.parts();
        assert_eq!((parts.year, parts.month, parts.day, parts.weekday), (2026, 1, 1, 4));
        assert_eq!((parts.hour, parts.minute, parts.second, time.nanos), (0, 0, 0, 302_333_727));
        let before = time.plus(-SECOND_NS);
        assert_eq!(time.since(before), SECOND_NS);
        assert_eq!(before.parts().year, 2025);
        assert_eq!(Time { offset_s: -3600, ..time }.parts().hour, 23);
        assert_eq!(Time::from_unix(0, -1).unix_ns(), -1);
        assert_eq!(Time::from_unix(i64::MIN, 0).parts().year, 292_277_026_596);
        assert_eq!(Time::from_unix(i64::MAX, 0).parts().year, 292_277_026_596);
        assert_eq!(Time::from_unix(i64::MAX, 0).since(Time::from_unix(i64::MIN, 0)), i64::MAX);
    }
}
