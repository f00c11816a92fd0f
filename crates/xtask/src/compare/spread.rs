//! The few values of a few rounds.

/// Median, smallest and largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// The mean of the two in the middle when there is an even number.
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// Of the values; `None` when there are none.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Self { median: f64::midpoint(lower, upper), min, max })
    }

    /// For a cell of a table.
    pub(super) fn show(&self) -> String {
        let Self { median, min, max } = *self;
        let shown = |value| number(value, if max < 100.0 { 2 } else { 0 });
        format!("{} ({}–{})", shown(median), shown(min), shown(max))
    }
}

/// What the first took of what the second took, in the rounds that both have.
pub(super) fn ratios(ours: &[(u32, f64)], theirs: &[(u32, f64)]) -> Vec<f64> {
    let ratio = |(round, value): &(u32, f64)| {
        let (_, base) = theirs.iter().find(|(other, _)| other == round)?;
        (*base > 0.0).then(|| value / base)
    };
    ours.iter().filter_map(ratio).collect()
}

/// A number that is not negative, with its thousands apart.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_sorts_and_takes_the_middle() {
        assert_eq!(Spread::of([]), None);
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(spread.show(), "2.00 (1.00–3.00)");
        let spread = Spread::of([1_000.0, 2_000_000.0]).unwrap();
        assert_eq!(spread.show(), "1,000,500 (1,000–2,000,000)");
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let ours = [(0, 1.0), (1, 3.0), (2, 5.0)];
        let theirs = [(2, 10.0), (1, 6.0), (3, 1.0)];
        assert_eq!(ratios(&ours, &theirs), [0.5, 0.5]);
        assert_eq!(ratios(&ours, &[(0, 0.0)]), [0.0; 0]);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(1_234.567, 2), "1,234.57");
        assert_eq!(number(999.0, 0), "999");
    }
}
