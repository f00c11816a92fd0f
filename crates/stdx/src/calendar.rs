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

/// The moment at which a day begins, in seconds since 1970; none if there is no such day, or if it was
/// before.
pub fn moment(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1_970..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // As in `date`, years and months are counted from March.
    let (year_of, month_of) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year_of / 4 - year_of / 100 + year_of / 400;
    let days = 365 * year_of + leap_days + (153 * month_of + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    // The 31st of a shorter month would be a day of the next.
    (date(days) == (year, month, day)).then_some(days * DAY)
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

/// The moment that a text names, in seconds since 1970: `2026-12-31T18:00:00Z`, or the beginning of a day,
/// `2026-12-31`. None if there is no such text or day.
pub fn parse(text: &str) -> Option<u64> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, of_month] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(moment(year, month, of_month)? + hour * 3_600 + minute * 60 + second)
}

/// Three numbers of so many digits each.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut found = [0; 3];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::{DAY, date, day, moment, parse, time};

    #[test]
    fn what_is_written_is_read() {
        for moment in [0, 951_782_400, 951_868_800, 1_709_251_199, 4_107_542_400, 253_402_300_799] {
            assert_eq!(parse(&format!("{}T{}Z", day(moment), time(moment))), Some(moment));
        }
        for number in 0..150_000 {
            assert_eq!(parse(&day(number * DAY)), Some(number * DAY));
        }
        for text in [
            "",
            "2026",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-1-01",
            "1969-12-31",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00Z ",
            "2026-01-01 00:00:00Z",
            "2026-01-0x",
            "2026-01-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

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

    #[test]
    fn a_day_begins_at_its_moment() {
        for days in (0..2_932_897).step_by(97) {
            let (year, month, day) = date(days);
            assert_eq!(moment(year, month, day), Some(days * DAY), "{year}-{month}-{day}");
        }
        for (year, month, day) in
            [(1_969, 12, 31), (2_023, 2, 29), (2_024, 4, 31), (2_024, 13, 1), (2_024, 0, 1)]
        {
            assert_eq!(moment(year, month, day), None, "{year}-{month}-{day}");
        }
        assert_eq!(
            (moment(2_024, 1, 0), moment(0, 0, 0), moment(10_000, 1, 1)),
            (None, None, None)
        );
    }
}
