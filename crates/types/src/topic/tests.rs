use super::{TopicError, TopicFilter, TopicName, filter_matches};

#[test]
fn topic_names_have_a_character_and_no_wildcard() {
    for good in ["a", "/", "a//b", "$SYS/x", " ", "a b/c"] {
        assert!(TopicName::try_from(good).is_ok(), "{good}");
    }
    assert_eq!(TopicName::try_from(""), Err(TopicError::Empty));
    for bad in ["+", "#", "a/+", "a#"] {
        assert_eq!(TopicName::try_from(bad), Err(TopicError::Wildcard), "{bad}");
    }
}

#[test]
fn wildcards_stand_alone_in_their_level() {
    for good in ["#", "+", "+/+", "/#", "a/+/b/#", "//", "$share", "$share/g/a/#", "$share/g//"] {
        assert!(TopicFilter::try_from(good).is_ok(), "{good}");
    }
    for (bad, error) in [
        ("", TopicError::Empty),
        ("a#", TopicError::MultiLevel),
        ("#/a", TopicError::MultiLevel),
        ("a/#b", TopicError::MultiLevel),
        ("a+", TopicError::SingleLevel),
        ("+a/b", TopicError::SingleLevel),
        ("$share/", TopicError::Shared),
        ("$share/g", TopicError::Shared),
        ("$share/g/", TopicError::Shared),
        ("$share//a", TopicError::Shared),
        ("$share/+/a", TopicError::Shared),
        ("$share/g#/a", TopicError::Shared),
        ("$share/g/a#", TopicError::MultiLevel),
    ] {
        assert_eq!(TopicFilter::try_from(bad), Err(error), "{bad}");
    }
}

#[test]
fn filters_match_as_the_specification_says() {
    for (filter, topic, expected) in [
        ("a/#", "a", true), // [MQTT-4.7.1-1] the parent too
        ("a/#", "a/b/c", true),
        ("#", "a/b", true),
        ("#", "$SYS/a", false), // [MQTT-4.7.2-1]
        ("+/a", "$SYS/a", false),
        ("$SYS/#", "$SYS/a", true),
        ("+", "/a", false),
        ("/+", "/a", true),
        ("+/+", "/a", true),
        ("a/+", "a/", true),
        ("a/+", "a", false),
        ("a/b", "a/B", false),
        ("a/b", "a/b/", false),
        ("a/+/c", "a/b/c", true),
    ] {
        assert_eq!(filter_matches(filter, topic), expected, "{filter} {topic}");
    }
}

#[test]
fn shared_filters_are_taken_apart() {
    let filter = TopicFilter::try_from("$share/group/a/+/#").expect("valid");
    let shared = filter.shared().expect("shared");
    assert_eq!((shared.name, shared.filter), ("group", "a/+/#"));
    assert_eq!((filter.matched(), filter.levels(), filter.has_wildcard()), ("a/+/#", 3, true));
    assert_eq!(TopicFilter::try_from("a/b").expect("valid").shared(), None);
}
