//! Days since the Unix epoch and dates of the Gregorian calendar, for every day that an `i64` of seconds reaches.

/// Year, month (1 to 12) and day (1 to 31) of a day.
#[must_use]
pub(crate) fn date_of_days(days: i64) -> (i64, u32, u32) {
    // Eras of 400 years that begin on 1 March, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// The day of a date; month and day may be out of range, as in Go's `time.Date`.
#[must_use]
pub(crate) fn days_of_date(year: i64, month: i64, day: i64) -> i64 {
    let months = month - 1;
    let year = year + months.div_euclid(12);
    let month = months.rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_and_back() {
        for (date, days) in [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2026, 1, 1), 20_454), ((1, 1, 1), -719_162)]
        {
            assert_eq!(date_of_days(days), date);
            assert_eq!(days_of_date(date.0, date.1.into(), date.2.into()), days);
        }
        for days in (-1_000_000..1_000_000).step_by(37) {
            let (year, month, day) = date_of_days(days);
            assert_eq!(days_of_date(year, month.into(), day.into()), days);
        }
        assert_eq!(days_of_date(2025, 14, 1), days_of_date(2026, 2, 1));
        assert_eq!(days_of_date(2026, 3, 0), days_of_date(2026, 2, 28));
    }
}
