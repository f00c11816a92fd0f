//! Amounts as people read them.

use plexus_api_model::Moment;

/// So many bytes: `12.3 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut amount, mut unit) = (bytes as f64, "B");
    for larger in UNITS {
        if amount < 1_000.0 {
            break;
        }
        (amount, unit) = (amount / 1_024.0, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") }
}

/// So many milliseconds: `3d 4h`, the two largest parts of it.
pub(crate) fn span(millis: u64) -> String {
    let seconds = millis / 1_000;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(amount, _)| *amount > 0).unwrap_or(parts.len() - 1);
    let told = parts.iter().skip(first).take(2).enumerate();
    let told = told.filter(|(place, (amount, _))| *place == 0 || *amount > 0);
    told.map(|(_, (amount, unit))| format!("{amount}{unit}")).collect::<Vec<_>>().join(" ")
}

/// A number with commas: `1,234,567`.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A moment to the second; nothing for none.
pub(crate) fn moment(moment: Option<Moment>) -> String {
    let Some(moment) = moment else { return String::new() };
    let text = moment.to_string();
    text.get(..19).map_or_else(|| text.clone(), |whole| [whole, "Z"].concat())
}

/// Yes, or nothing: a column of these is read for the few that stand out.
pub(crate) fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "" }.to_owned()
}

/// What there is, or nothing.
pub(crate) fn maybe(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use plexus_api_model::Moment;

    use super::{bytes, moment, number, span};

    #[test]
    fn amounts_are_short() {
        let shown = [0, 999, 1_000, 1_024, 12_900_000, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 B", "999 B", "1.0 KiB", "1.0 KiB", "12.3 MiB", "16384.0 PiB"]);
        let shown = [0, 59_999, 60_000, 3_661_000, 266_400_000, 86_400_000].map(span);
        assert_eq!(shown, ["0s", "59s", "1m", "1h 1m", "3d 2h", "1d"]);
        let shown = [0, 999, 1_000, 1_234_567].map(number);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(moment(Some(Moment::from_millis(951_782_400_005))), "2000-02-29T00:00:00Z");
        assert_eq!(moment(None), "");
    }
}
