//! Moments as people write them. Times of day and dates are those of UTC.

/// Seconds of a day.
pub const DAY: u64 = 24 * 60 * 60;

/// Year, month and day of the day that is so many days after 1970-01-01. Years are counted from
/// March, so that the day that leap years add is the last; 400 of them have 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    // 719,468 days lie between the first of March of the year 0 and 1970.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The day of a moment, in seconds since 1970.
pub fn day(moment: u64) -> String {
    let (year, month, day) = date(moment / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The time of day of a moment, in seconds since 1970.
pub fn time(moment: u64) -> String {
    let second = moment % DAY;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::{day, time};

    #[test]
    fn days_are_counted_through_leap_years() {
        for (moment, date, of_day) in [
            (0, "1970-01-01", "00:00:00"),
            (951_782_400, "2000-02-29", "00:00:00"),
            (951_868_799, "2000-02-29", "23:59:59"),
            (951_868_800, "2000-03-01", "00:00:00"),
            (1_709_251_199, "2024-02-29", "23:59:59"),
            (1_735_689_599, "2024-12-31", "23:59:59"),
            (4_107_542_400, "2100-03-01", "00:00:00"),
            (253_402_300_799, "9999-12-31", "23:59:59"),
        ] {
            assert_eq!((day(moment).as_str(), time(moment).as_str()), (date, of_day));
        }
    }
}
