//! Filters that are found by the topic, however many there are.

use std::collections::{BTreeMap, BTreeSet};

/// Filters, equal ones together, and how many receivers each has. A topic is not compared with each of
/// them: those with wildcards at the same levels have one shape, and the only one among them that can
/// match is the topic with wildcards at these levels.
#[derive(Debug, Default)]
pub(super) struct Filters {
    receivers: BTreeMap<String, u32>,
    shapes: BTreeSet<Shape>,
}

/// Which levels of a filter are wildcards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    single: Vec<usize>,
    multi: Option<usize>,
}

impl Filters {
    pub(super) fn add(&mut self, filter: String, receivers: u32) {
        self.shapes.insert(Shape::of(&filter));
        *self.receivers.entry(filter).or_default() += receivers;
    }

    /// How many receivers a message to that topic has.
    pub(super) fn of(&self, topic: &str) -> u32 {
        let filters = self.shapes.iter().filter_map(|shape| shape.filter(topic));
        filters.filter_map(|filter| self.receivers.get(&filter)).sum()
    }
}

impl Shape {
    fn of(filter: &str) -> Self {
        let levels = || filter.split('/').enumerate();
        let single = levels().filter(|(_, level)| *level == "+").map(|(place, _)| place);
        let multi = levels().find(|(_, level)| *level == "#").map(|(place, _)| place);
        Self { single: single.collect(), multi }
    }

    /// The filter of this shape that matches a topic.
    fn filter(&self, topic: &str) -> Option<String> {
        // [MQTT-4.7.2-1]
        let is_wild = self.single.first() == Some(&0) || self.multi == Some(0);
        if is_wild && topic.starts_with('$') {
            return None;
        }
        let mut levels = topic.split('/').collect::<Vec<_>>();
        if let Some(multi) = self.multi {
            if levels.len() < multi {
                return None;
            }
            levels.truncate(multi);
            levels.push("#");
        }
        for place in &self.single {
            *levels.get_mut(*place)? = "+";
        }
        Some(levels.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::filter_matches;

    use super::*;

    #[test]
    fn filters_are_found_as_if_each_were_compared() {
        let parts = ["a", "b", "+", "$x", ""];
        let mut all = vec!["#".to_owned()];
        for first in parts {
            all.extend([first.to_owned(), format!("{first}/#")]);
            for second in parts {
                all.extend([format!("{first}/{second}"), format!("{first}/{second}/#")]);
                all.extend(parts.map(|third| format!("{first}/{second}/{third}")));
            }
        }
        let mut filters = Filters::default();
        for filter in &all {
            filters.add(filter.clone(), 1);
        }
        for topic in all.iter().filter(|topic| !topic.contains(['+', '#'])) {
            let compared = all.iter().filter(|filter| filter_matches(filter, topic)).count();
            assert_eq!(filters.of(topic), compared as u32, "{topic}");
        }
    }
}
