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

/// The moment that a text names, in seconds since 1970: `2026-12-31T18:00:00Z`, or the beginning of a day,
/// `2026-12-31`. None if there is no such text or day.
pub fn parse(text: &str) -> Option<u64> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, of_month] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 || year < 1970 || !(1..=12).contains(&month) {
        return None;
    }
    let days = days_to(year, month).checked_add(of_month.checked_sub(1)?)?;
    let moment = days * DAY + hour * 3_600 + minute * 60 + second;
    // A day that the month does not have would be one of the next.
    (day(moment) == date).then_some(moment)
}

/// The days from 1970-01-01 to the first of a month.
fn days_to(year: u64, month: u64) -> u64 {
    // Counted from March, as in `date`.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_years = year * 365 + year / 4 - year / 100 + year / 400;
    of_years + (153 * month + 2) / 5 - 719_468
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
    use super::{day, parse, time};

    #[test]
    fn what_is_written_is_read() {
        for moment in [0, 951_782_400, 951_868_800, 1_709_251_199, 4_107_542_400, 253_402_300_799] {
            assert_eq!(parse(&format!("{}T{}Z", day(moment), time(moment))), Some(moment));
        }
        for number in 0..150_000 {
            assert_eq!(parse(&day(number * super::DAY)), Some(number * super::DAY));
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
}
