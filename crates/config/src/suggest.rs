//! The nearest word: what somebody who made a typing mistake meant.

/// The candidate with the fewest changed, missing, added or swapped letters, if it is near enough
/// that a person would see the likeness.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = (word.chars().count() / 4).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Words longer than this are no typing mistake; it also bounds the work.
const LENGTH_MAX: usize = 64;

/// Optimal string alignment: edits and swaps of neighbours, each counted one.
fn distance(one: &str, other: &str) -> usize {
    let one = one.chars().take(LENGTH_MAX).collect::<Vec<_>>();
    let other = other.chars().take(LENGTH_MAX).collect::<Vec<_>>();
    let mut older: Vec<usize> = Vec::new();
    let mut above = (0..=other.len()).collect::<Vec<_>>();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX);
            let changed = at(&above, column) + usize::from(letter != wanted);
            let mut best = changed.min(at(&above, column + 1) + 1).min(at(&current, column) + 1);
            let swapped = row > 0
                && column > 0
                && one.get(row - 1) == Some(wanted)
                && other.get(column - 1) == Some(letter);
            if swapped {
                best = best.min(at(&older, column - 1).saturating_add(1));
            }
            current.push(best);
        }
        older = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_nearest_word_is_the_one_a_person_meant() {
        let keys = ["max_packet_size", "max_inflight", "maximum_qos", "url"];
        assert_eq!(nearest("max_packetsize", keys), Some("max_packet_size"));
        assert_eq!(nearest("max_inlfight", keys), Some("max_inflight"));
        assert_eq!(nearest("ur", keys), Some("url"));
        assert_eq!(nearest("port", keys), None);
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn a_swap_of_neighbours_is_one_step() {
        assert_eq!(distance("abcd", "abdc"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
