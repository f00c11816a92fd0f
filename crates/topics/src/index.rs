use plexus_stdx::{Arena, Seed, SeededState};

use crate::{
    buckets::Buckets,
    labels::Labels,
    lists::Lists,
    matches::Matches,
    subscription::{Entry, SubscriberId, Subscription},
};

mod node;
mod search;
mod shape;

use node::{Body, Inner, Node, common_levels, first_level};
use search::Search;

/// Which filters has a topic? A tree of levels in which a run of levels without a branch is one
/// node, all nodes in one hash table under (parent, first level).
///
/// ```text
/// a/+/b/1, a/+/b/2, a/#, dev/7/+/state       root
///                                            ├─ a  (and below: a/#)
///                                            │  └─ +/b
///                                            │     ├─ 1
///                                            │     └─ 2
///                                            └─ dev/7/+/state
/// ```
///
/// `#` is no node: a node has a list of those who want exactly it, and one of those who want it and
/// everything below. So there are fewer than twice as many nodes as filters, however many levels
/// the filters have, and nothing recurses.
///
/// **Cost of a match.** It looks at a node at most once, and only at nodes whose levels fit the
/// topic so far: the worst case, filters that mix `+` and literals in every combination, is
/// min(2^levels, nodes) look-ups, each of which somebody pays for with a filter in memory. Levels
/// of the topic are found and hashed once.
///
/// **Cost of a change.** One walk along the filter and at most one node divided or joined; no table
/// is ever moved as a whole, and pages go back to the allocator when they are empty.
#[derive(Debug)]
pub struct SubscriptionIndex {
    state: SeededState,
    nodes: Arena<Node>,
    inners: Arena<Inner>,
    buckets: Buckets,
    labels: Labels,
    lists: Lists,
    root: u32,
    filters: usize,
    subscriptions: usize,
}

/// A filter as the tree sees it: the levels up to `#`, and whether there is a `#`. The filter `#`
/// itself has no levels.
#[derive(Debug, Clone, Copy)]
struct Path<'a> {
    levels: Option<&'a [u8]>,
    multi: bool,
}

impl<'a> Path<'a> {
    fn of(filter: &'a str) -> Self {
        match filter.as_bytes() {
            b"#" => Self { levels: None, multi: true },
            [levels @ .., b'/', b'#'] => Self { levels: Some(levels), multi: true },
            levels => Self { levels: Some(levels), multi: false },
        }
    }
}

impl SubscriptionIndex {
    /// An empty index.
    pub fn new(seed: Seed) -> Self {
        let mut nodes = Arena::new();
        let mut inners = Arena::new();
        let body = Body::Inner(inners.insert(Inner::EMPTY));
        let root = nodes.insert(Node { body, ..Node::BLANK });
        Self {
            state: seed.hasher(),
            nodes,
            inners,
            buckets: Buckets::default(),
            labels: Labels::new(),
            lists: Lists::new(),
            root,
            filters: 0,
            subscriptions: 0,
        }
    }

    /// Adds a subscription to a filter without its `$share/…/`, or replaces that of the same
    /// subscriber, which is returned ([MQTT-3.8.4-3] [MQTT3-3.8.4-3]).
    pub fn insert(&mut self, filter: &str, subscription: Subscription) -> Option<Subscription> {
        let path = Path::of(filter);
        let entry = Entry::from(subscription);
        let mut at = self.root;
        let mut rest = path.levels;
        while let Some(text) = rest {
            let Some(child) = self.child(at, first_level(text)) else {
                self.add_leaf(at, text, path.multi, entry);
                self.filters += 1;
                self.subscriptions += 1;
                return None;
            };
            let label = self.labels.get(&self.nodes.get(child).label);
            let common = common_levels(label, text);
            at = if common < label.len() { self.divide(child, common) } else { child };
            rest = text.get(common + 1..);
        }
        let replaced = self.enlist(at, path.multi, entry);
        self.subscriptions += usize::from(replaced.is_none());
        replaced.map(Subscription::from)
    }

    /// Prepares for so many more filters that are added in a row; [`SubscriptionIndex::fit`] follows.
    pub fn reserve(&mut self, filters: usize) {
        self.buckets.reserve(&mut self.nodes, filters);
    }

    /// Gives back what was reserved and not used.
    pub fn fit(&mut self) {
        self.buckets.fit(&mut self.nodes);
    }

    /// Takes a subscriber's subscription to a filter out.
    pub fn remove(&mut self, filter: &str, subscriber: SubscriberId) -> Option<Subscription> {
        let path = Path::of(filter);
        let node = self.find(path)?;
        let mut subscribers = *self.subscribers(node, path.multi)?;
        let SubscriberId(subscriber) = subscriber;
        let removed = self.lists.remove(&mut subscribers, subscriber)?;
        self.subscriptions -= 1;
        if removed.emptied {
            self.filters -= 1;
            self.clear(node, path.multi);
            self.tidy(node);
        } else {
            *self.subscribers(node, path.multi).expect("invariant: seen above") = subscribers;
        }
        Some(removed.entry.into())
    }

    /// Adds every subscription whose filter matches `topic` to `out` ([MQTT-4.7.1-1] to
    /// [MQTT-4.7.3-4]).
    pub fn matches(&self, topic: impl AsRef<[u8]>, out: &mut Matches) {
        let topic = topic.as_ref();
        out.walk.start();
        if self.filters == 0 {
            return;
        }
        // A leading wildcard does not match a topic that begins with `$` ([MQTT-4.7.2-1]
        // [MQTT3-4.7.2-1]).
        let hidden = topic.first() == Some(&b'$');
        Search { index: self, topic, out }.run(hidden);
    }

    /// Whether there is no subscription.
    pub const fn is_empty(&self) -> bool {
        self.subscriptions == 0
    }

    /// The number of subscriptions.
    pub const fn subscriptions(&self) -> usize {
        self.subscriptions
    }

    /// The number of different filters.
    pub const fn filters(&self) -> usize {
        self.filters
    }

    /// The bytes reserved.
    pub fn memory(&self) -> usize {
        let tree = self.nodes.memory() + self.inners.memory() + self.buckets.memory();
        tree + self.labels.memory() + self.lists.memory() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests;
