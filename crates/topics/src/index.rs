//! The subscription index.

use plexus_stdx::{HashMap, Seed};
use slab::Slab;
use smallvec::SmallVec;

use crate::{
    Matches, SubscriberId, Subscription,
    level::levels,
    tree::{NONE, NodeId, ROOT, Tree},
};

/// Lists from this length on know where each subscriber stands.
const POSITIONS_FROM: usize = 32;

/// Subscriptions by filter: a tree of levels in which `+` and `#` are children of their own kind.
///
/// ```text
/// root ─ a ─┬─ b ─ [a/b]
///           ├─ + ─ c ─ [a/+/c]
///           └─ # ─ [a/#]
/// ```
///
/// A match walks each level of the topic once for every node that is still possible: the literal
/// child, `+` and `#`. At worst that is every node of the tree whose depth is below the topic's,
/// because each node is visited at most once; with the filters that people write it is a handful.
#[derive(Debug)]
pub struct SubscriptionIndex {
    tree: Tree<Entry>,
    lists: Slab<List>,
    seed: Seed,
    filters: usize,
    subscriptions: usize,
}

#[derive(Debug)]
struct Entry {
    plus: NodeId,
    multi: NodeId,
    subscribers: Subscribers,
}

impl Default for Entry {
    fn default() -> Self {
        Self { plus: NONE, multi: NONE, subscribers: Subscribers::None }
    }
}

/// Most filters have one subscriber, which then needs no list.
#[derive(Debug, Clone, Copy, Default)]
enum Subscribers {
    #[default]
    None,
    One(Subscription),
    Many(u32),
}

/// The subscribers of one filter, contiguous for fan-out; long lists find one by a map.
#[derive(Debug)]
struct List {
    entries: Vec<Subscription>,
    positions: Option<HashMap<SubscriberId, u32>>,
}

impl SubscriptionIndex {
    /// An empty index.
    pub fn new(seed: Seed) -> Self {
        Self { tree: Tree::new(seed), lists: Slab::new(), seed, filters: 0, subscriptions: 0 }
    }

    /// Enters a subscription; gives back the one of the same subscriber and filter that it replaces.
    /// `filter` is without `$share/<name>/`.
    pub fn insert(&mut self, filter: &str, subscription: Subscription) -> Option<Subscription> {
        let mut node = ROOT;
        for level in levels(filter) {
            node = self.step(node, level);
        }
        let replaced = self.enter(node, subscription);
        if replaced.is_none() {
            self.subscriptions += 1;
        }
        replaced
    }

    /// Takes a subscription out.
    pub fn remove(&mut self, filter: &str, subscriber: SubscriberId) -> Option<Subscription> {
        let node = self.find(filter)?;
        let removed = self.leave(node, subscriber)?;
        self.subscriptions -= 1;
        self.prune(node);
        Some(removed)
    }

    /// Adds every subscription whose filter matches the topic.
    pub fn matches(&self, topic: &str, out: &mut Matches) {
        let wanted: SmallVec<[(&[u8], u64); 16]> =
            levels(topic).map(|level| (level, self.tree.hash(level))).collect();
        let mut open: SmallVec<[(NodeId, usize); 32]> = SmallVec::new();
        open.push((ROOT, 0));
        // [MQTT-4.7.2-1] A leading wildcard does not match a leading `$`.
        let hidden = topic.starts_with('$');
        while let Some((node, depth)) = open.pop() {
            let entry = self.tree.data(node);
            let wild = depth > 0 || !hidden;
            if wild && entry.multi != NONE {
                self.collect(entry.multi, out);
            }
            let Some((level, hash)) = wanted.get(depth) else {
                self.collect(node, out);
                continue;
            };
            if wild && entry.plus != NONE {
                open.push((entry.plus, depth + 1));
            }
            if let Some(child) = self.tree.child(node, level, *hash) {
                open.push((child, depth + 1));
            }
        }
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.subscriptions == 0
    }

    /// The number of subscriptions.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions
    }

    /// The number of distinct filters.
    pub fn filters(&self) -> usize {
        self.filters
    }

    /// Bytes that the index holds, whether in use or spare.
    pub fn memory(&self) -> usize {
        let lists: usize = self.lists.iter().map(|(_, list)| list.memory()).sum();
        self.tree.memory() + self.lists.capacity() * size_of::<List>() + lists
    }

    fn step(&mut self, node: NodeId, level: &[u8]) -> NodeId {
        let (child, new) = self.tree.child_or_new(node, level);
        if new {
            match level {
                b"+" => self.tree.data_mut(node).plus = child,
                b"#" => self.tree.data_mut(node).multi = child,
                _ => {}
            }
        }
        child
    }

    fn find(&self, filter: &str) -> Option<NodeId> {
        levels(filter)
            .try_fold(ROOT, |node, level| self.tree.child(node, level, self.tree.hash(level)))
    }

    fn collect(&self, node: NodeId, out: &mut Matches) {
        match self.tree.data(node).subscribers {
            Subscribers::None => {}
            Subscribers::One(one) => out.add(&[one]),
            Subscribers::Many(list) => {
                if let Some(list) = self.lists.get(list as usize) {
                    out.add(&list.entries);
                }
            }
        }
    }

    fn enter(&mut self, node: NodeId, subscription: Subscription) -> Option<Subscription> {
        match self.tree.data(node).subscribers {
            Subscribers::None => {
                self.filters += 1;
                self.tree.data_mut(node).subscribers = Subscribers::One(subscription);
                None
            }
            Subscribers::One(one) if one.subscriber == subscription.subscriber => {
                self.tree.data_mut(node).subscribers = Subscribers::One(subscription);
                Some(one)
            }
            Subscribers::One(one) => {
                let entries = vec![one, subscription];
                let list = self.lists.insert(List { entries, positions: None });
                self.tree.data_mut(node).subscribers = Subscribers::Many(list as u32);
                None
            }
            Subscribers::Many(list) => {
                let seed = self.seed;
                self.lists.get_mut(list as usize)?.insert(subscription, seed)
            }
        }
    }

    fn leave(&mut self, node: NodeId, subscriber: SubscriberId) -> Option<Subscription> {
        match self.tree.data(node).subscribers {
            Subscribers::None => None,
            Subscribers::One(one) => {
                if one.subscriber != subscriber {
                    return None;
                }
                self.filters -= 1;
                self.tree.data_mut(node).subscribers = Subscribers::None;
                Some(one)
            }
            Subscribers::Many(key) => {
                let list = self.lists.get_mut(key as usize)?;
                let removed = list.remove(subscriber)?;
                if let [last] = list.entries[..] {
                    self.lists.remove(key as usize);
                    self.tree.data_mut(node).subscribers = Subscribers::One(last);
                }
                Some(removed)
            }
        }
    }

    /// Takes out nodes that lead nowhere any more, from `node` upwards.
    fn prune(&mut self, mut node: NodeId) {
        while node != ROOT {
            let empty = matches!(self.tree.data(node).subscribers, Subscribers::None);
            if !empty || self.tree.has_children(node) {
                return;
            }
            let parent = self.tree.remove(node);
            let entry = self.tree.data_mut(parent);
            if entry.plus == node {
                entry.plus = NONE;
            }
            if entry.multi == node {
                entry.multi = NONE;
            }
            node = parent;
        }
    }
}

impl List {
    fn position(&self, subscriber: SubscriberId) -> Option<usize> {
        match &self.positions {
            Some(positions) => positions.get(&subscriber).map(|at| *at as usize),
            None => self.entries.iter().position(|entry| entry.subscriber == subscriber),
        }
    }

    fn insert(&mut self, subscription: Subscription, seed: Seed) -> Option<Subscription> {
        if let Some(at) = self.position(subscription.subscriber) {
            let entry = self.entries.get_mut(at).expect("invariant: positions are live");
            return Some(std::mem::replace(entry, subscription));
        }
        if let Some(positions) = &mut self.positions {
            positions.insert(subscription.subscriber, self.entries.len() as u32);
        }
        self.entries.push(subscription);
        if self.positions.is_none() && self.entries.len() >= POSITIONS_FROM {
            let mut positions = seed.map();
            for (entry, at) in self.entries.iter().zip(0_u32..) {
                positions.insert(entry.subscriber, at);
            }
            self.positions = Some(positions);
        }
        None
    }

    fn remove(&mut self, subscriber: SubscriberId) -> Option<Subscription> {
        let at = self.position(subscriber)?;
        let removed = self.entries.swap_remove(at);
        if let Some(positions) = &mut self.positions {
            positions.remove(&subscriber);
            if let Some(moved) = self.entries.get(at) {
                positions.insert(moved.subscriber, at as u32);
            }
            if self.entries.len() < POSITIONS_FROM / 2 {
                self.positions = None;
                self.entries.shrink_to_fit();
            }
        }
        Some(removed)
    }

    fn memory(&self) -> usize {
        let positions = self.positions.as_ref().map_or(0, |positions| positions.capacity() * 9);
        self.entries.capacity() * size_of::<Subscription>() + positions
    }
}

#[cfg(test)]
pub(crate) mod tests;
