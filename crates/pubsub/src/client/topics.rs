//! Topics and topic filters as a person writes them, with the place of a mistake and its mend.

use plexus_terminal::Failure;
use plexus_types::{TopicError, TopicFilter, TopicName};

/// Why a message to one of the broker's own topics comes to nothing.
pub(crate) const OF_BROKER: &str = "nobody may publish under $SYS";

/// Whether a topic is one of those where the broker tells about itself.
pub(crate) fn is_of_broker(topic: &TopicName) -> bool {
    topic.as_str().split('/').next() == Some("$SYS")
}

/// A topic to publish to.
pub(crate) fn name(text: &str) -> Result<TopicName, Failure> {
    TopicName::try_from(text).map_err(|error| {
        Failure::Usage(match error {
            TopicError::Empty => "the topic is empty; write for example -t room/light".to_owned(),
            TopicError::Wildcard => {
                let found = text.chars().zip(1..).find(|(letter, _)| matches!(letter, '+' | '#'));
                let (letter, place) = found.unwrap_or(('#', 1));
                format!(
                    "the topic `{text}` cannot be: `{letter}` at character {place} is a wildcard, \
                     for subscriptions only; publish to one topic at a time"
                )
            }
            error => format!("the topic `{text}` cannot be: {error}"),
        })
    })
}

/// A filter to subscribe to.
pub(crate) fn filter(text: &str) -> Result<TopicFilter, Failure> {
    TopicFilter::try_from(text).map_err(|error| {
        Failure::Usage(match error {
            TopicError::Empty => {
                "the topic filter is empty; write for example -t 'room/#', or -t '#' for \
                 everything"
                    .to_owned()
            }
            TopicError::MultiLevel => wrong(text, '#', "must be the whole last level"),
            TopicError::SingleLevel => wrong(text, '+', "must be a whole level"),
            error => format!("the topic filter `{text}` cannot be: {error}"),
        })
    })
}

/// A filter that is allowed and yet hardly what was meant.
pub(crate) fn doubt(filter: &TopicFilter) -> Option<String> {
    let text = filter.as_str();
    if text.contains('*') {
        return Some(format!(
            "the topic filter `{text}`: `*` is an ordinary character here; `+` stands for one \
             level, `#` at the end for all below"
        ));
    }
    if text != "/" && filter.matched().starts_with('/') {
        let short = filter.matched().trim_start_matches('/');
        return Some(format!(
            "the topic filter `{text}`: the `/` at its beginning makes an empty first level; \
             `{short}` is another filter"
        ));
    }
    None
}

/// The wildcard that stands where it may not.
fn wrong(text: &str, wildcard: char, rule: &str) -> String {
    let (place, mend) = misplaced(text, wildcard);
    let mend = mend.map_or(String::new(), |mend| format!("; write `{mend}`"));
    format!("the topic filter `{text}` cannot be: `{wildcard}` at character {place} {rule}{mend}")
}

/// The place of the first misplaced wildcard, and the filter that was probably meant.
fn misplaced(text: &str, wildcard: char) -> (usize, Option<String>) {
    let levels = text.split('/').collect::<Vec<_>>();
    let whole = wildcard.to_string();
    let mut place = 1;
    for (at, level) in levels.iter().enumerate() {
        let last = at + 1 == levels.len();
        if let Some(before) = level.chars().position(|letter| letter == wildcard)
            && (*level != whole || (wildcard == '#' && !last))
        {
            let mend = match wildcard {
                '#' if !last && *level == whole => Some("+".to_owned()),
                '#' if last && level.chars().count() == before + 1 => {
                    Some(format!("{}/#", level.trim_end_matches('#')))
                }
                '#' => None,
                _ => Some("+".to_owned()),
            };
            let with = |mend: String| {
                let mut levels = levels.iter().map(|&level| level.to_owned()).collect::<Vec<_>>();
                if let Some(level) = levels.get_mut(at) {
                    *level = mend;
                }
                levels.join("/")
            };
            let mend = mend.map(with).filter(|mend| TopicFilter::try_from(mend.as_str()).is_ok());
            return (place + before, mend);
        }
        place += level.chars().count() + 1;
    }
    (1, None)
}

#[cfg(test)]
mod tests {
    use super::{doubt, filter, is_of_broker, name};

    fn wrong(text: &str) -> String {
        filter(text).unwrap_err().to_string()
    }

    #[test]
    fn a_wildcard_out_of_place_is_shown_with_its_place_and_its_mend() {
        let multi = "must be the whole last level";
        let single = "must be a whole level";
        for (text, place, rule, mend) in [
            ("sensors#", "`#` at character 8", multi, "; write `sensors/#`"),
            ("a/b#", "`#` at character 4", multi, "; write `a/b/#`"),
            ("a/#/b", "`#` at character 3", multi, "; write `a/+/b`"),
            ("a/#b", "`#` at character 3", multi, ""),
            ("wärme#", "`#` at character 6", multi, "; write `wärme/#`"),
            ("$share/g/a#", "`#` at character 11", multi, "; write `$share/g/a/#`"),
            ("a/b+/c", "`+` at character 4", single, "; write `a/+/c`"),
            ("+/+x", "`+` at character 3", single, "; write `+/+`"),
        ] {
            let expected =
                format!("error: the topic filter `{text}` cannot be: {place} {rule}{mend}");
            assert_eq!(wrong(text), expected);
        }
        assert!(wrong("").starts_with("error: the topic filter is empty; write"), "{}", wrong(""));
    }

    #[test]
    fn a_topic_name_has_no_wildcard_and_is_not_empty() {
        let wrong = |text: &str| name(text).unwrap_err().to_string();
        assert_eq!(wrong(""), "error: the topic is empty; write for example -t room/light");
        assert!(wrong("a/+").contains("`+` at character 3 is a wildcard"), "{}", wrong("a/+"));
        assert_eq!(name("a/b").unwrap().as_str(), "a/b");
        let of_broker = |text: &str| is_of_broker(&name(text).unwrap());
        assert!(of_broker("$SYS") && of_broker("$SYS/a"));
        assert!(!of_broker("$SYSTEM/a") && !of_broker("a/$SYS"));
    }

    #[test]
    fn what_looks_like_a_shell_pattern_or_a_path_is_doubted() {
        let doubted = |text: &str| doubt(&filter(text).unwrap());
        assert!(doubted("sensors/*").unwrap().contains("`*` is an ordinary character"));
        assert!(doubted("/a/#").unwrap().contains("`a/#` is another filter"));
        for fine in ["#", "+/a", "a/b", "/", "$share/g/a/#"] {
            assert_eq!(doubted(fine), None, "{fine}");
        }
    }
}
