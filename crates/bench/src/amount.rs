//! Numbers as a person writes them: `250`, `10k`, `2.5M`.

/// The largest amount that is taken: more than any run counts.
const AMOUNT_MAX: f64 = 1e15;

/// Why a text is no amount, with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a number with at most one of the letters.
    #[error("expected a whole number such as 250, 10k or 2.5M")]
    Shape,
    /// Outside of what makes sense there.
    #[error("use a number from {least} to {most}")]
    Range {
        /// The smallest that is taken.
        least: u64,
        /// The largest that is taken.
        most: u64,
    },
}

/// Reads an amount: a number, with `k` for thousands, `M` for millions, `G` for thousands of those.
pub fn amount(text: &str) -> Result<u64, AmountError> {
    let (digits, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1e3),
        Some((at, 'm' | 'M')) => (text.get(..at), 1e6),
        Some((at, 'g' | 'G')) => (text.get(..at), 1e9),
        _ => (Some(text), 1.0),
    };
    let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let number: f64 = digits.and_then(|digits| digits.parse().ok()).ok_or(AmountError::Shape)?;
    let whole = number * factor;
    if whole.fract() != 0.0 || whole > AMOUNT_MAX {
        return Err(AmountError::Shape);
    }
    #[expect(clippy::cast_sign_loss, reason = "digits and a point have no sign")]
    Ok(whole as u64)
}

/// An amount within bounds.
pub fn amount_within(text: &str, least: u64, most: u64) -> Result<u64, AmountError> {
    let found = amount(text)?;
    if (least..=most).contains(&found) {
        Ok(found)
    } else {
        Err(AmountError::Range { least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_for_thousands_and_millions() {
        for (text, expected) in
            [("250", 250), ("10k", 10_000), ("2.5M", 2_500_000), ("1G", 1_000_000_000), ("0", 0)]
        {
            assert_eq!(amount(text), Ok(expected), "{text}");
        }
        for text in ["", "k", "-1", "1e3", "0.5", "10kk", "ten", "1.2.3", "9999999G", "½k"] {
            assert_eq!(amount(text), Err(AmountError::Shape), "{text}");
        }
        let range = AmountError::Range { least: 1, most: 9 };
        assert_eq!(amount_within("10", 1, 9), Err(range.clone()));
        assert_eq!(amount_within("0", 1, 9), Err(range));
    }
}
