//! Filters and topics, one a line: checking never panics, and matching says what the plain words of
//! section 4.7 say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plexus_types::{TopicFilter, TopicName, filter_matches};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (filter, topic) = text.split_once('\n').unwrap_or((text, text));
    let filter = TopicFilter::try_from(filter);
    let topic = TopicName::try_from(topic);
    if let Ok(filter) = &filter {
        check_filter(filter);
    }
    let (Ok(filter), Ok(topic)) = (filter, topic) else { return };
    assert!(topic.levels() == topic.split('/').count());
    assert!(filter_matches("#", &topic) != topic.is_dollar());
    let matched = filter_matches(filter.matched(), &topic);
    let hidden = topic.is_dollar() && filter.matched().starts_with(['+', '#']);
    let filters: Vec<&str> = filter.matched().split('/').collect();
    let topics: Vec<&str> = topic.split('/').collect();
    assert_eq!(matched, !hidden && matches_levels(&filters, &topics));
    if !filter.has_wildcard() {
        assert_eq!(matched, filter.matched() == topic.as_str());
    }
});

fn check_filter(filter: &TopicFilter) {
    assert_eq!(filter.levels(), filter.matched().split('/').count());
    match filter.shared() {
        Some(shared) => {
            assert_eq!(filter.as_str(), format!("$share/{}/{}", shared.name, shared.filter));
            assert!(!shared.name.is_empty() && !shared.filter.is_empty());
            assert!(!shared.name.contains(['/', '+', '#']));
        }
        None => assert_eq!(filter.matched(), filter.as_str()),
    }
}

/// The definition once more, level by level from the front.
fn matches_levels(filters: &[&str], topics: &[&str]) -> bool {
    match (filters, topics) {
        (["#"], _) => true,
        ([], []) => true,
        ([filter, filters @ ..], [topic, topics @ ..]) => {
            (*filter == "+" || filter == topic) && matches_levels(filters, topics)
        }
        _ => false,
    }
}
