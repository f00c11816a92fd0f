//! The walk of a match.

use super::{
    SubscriptionIndex,
    node::{Body, Inner, Node, hash_child},
};
use crate::{
    buckets::NONE,
    lists::Subscribers,
    matches::Matches,
    walk::{Branch, Level},
};

/// One match under way.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) index: &'a SubscriptionIndex,
    pub(super) topic: &'a [u8],
    pub(super) out: &'a mut Matches,
}

impl Search<'_> {
    pub(super) fn run(mut self, hidden: bool) {
        let root = self.index.root;
        self.branch(Branch { node: root, depth: 0 }, hidden);
        while let Some(branch) = self.out.walk.branches.pop() {
            self.branch(branch, false);
        }
    }

    /// Looks at the children of a node; not at those behind a wildcard if the topic is `hidden`
    /// from them.
    fn branch(&mut self, branch: Branch, hidden: bool) {
        let index = self.index;
        let Body::Inner(inner) = index.nodes.get(branch.node).body else { return };
        let inner: &Inner = index.inners.get(inner);
        if let Some(subscribers) = &inner.multi
            && !hidden
        {
            self.collect(subscribers);
        }
        let depth = branch.depth as usize;
        let Some(level) = self.out.walk.level(&index.state, self.topic, depth) else {
            if let Some(subscribers) = &inner.exact {
                self.collect(subscribers);
            }
            return;
        };
        let hash = hash_child(branch.node, level.hash);
        if inner.may_have(hash) {
            let child = match inner.children {
                // The only one is known; whether it is the right one, its label tells.
                1 => Some(inner.children_xor),
                _ => self.look_up(branch.node, level, hash),
            };
            if let Some(child) = child {
                self.enter(child, depth);
            }
        }
        if inner.plus != NONE && !hidden {
            self.enter(inner.plus, depth);
        }
    }

    /// The child whose first level is that of the topic.
    #[inline]
    fn look_up(&self, parent: u32, level: Level, hash: u32) -> Option<u32> {
        let text = level.text(self.topic);
        let mut name = self.index.buckets.first(hash);
        while name != NONE {
            let node = self.index.nodes.get(name);
            if node.hash == hash && node.parent == parent && self.index.begins(node, text) {
                return Some(name);
            }
            name = node.next;
        }
        None
    }

    /// Goes through the levels of a node; its first stands at `depth`.
    fn enter(&mut self, name: u32, depth: usize) {
        self.out.walk.visited += 1;
        let index = self.index;
        let node: &Node = index.nodes.get(name);
        let Some(depth) = self.pass(index.labels.get(&node.label), depth) else { return };
        match &node.body {
            Body::Leaf(subscribers) => {
                let mut ended = || self.out.walk.level(&index.state, self.topic, depth).is_none();
                if node.multi || ended() {
                    self.collect(subscribers);
                }
            }
            Body::Inner(_) => {
                self.out.walk.branches.push(Branch { node: name, depth: depth as u32 });
            }
        }
    }

    /// The depth below a label if all its levels fit the topic.
    fn pass(&mut self, label: &[u8], mut depth: usize) -> Option<usize> {
        for part in label.split(|byte| *byte == b'/') {
            let level = self.out.walk.level(&self.index.state, self.topic, depth)?;
            if part != b"+" && part != level.text(self.topic) {
                return None;
            }
            depth += 1;
        }
        Some(depth)
    }

    fn collect(&mut self, subscribers: &Subscribers) {
        self.index.lists.collect(subscribers, &mut self.out.found);
        self.out.filters += 1;
    }
}
