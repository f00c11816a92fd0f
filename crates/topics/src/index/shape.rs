//! How the tree changes its shape.

use super::{
    Path, SubscriptionIndex,
    node::{Body, Inner, Node, first_level, hash_child},
};
use crate::{buckets::NONE, lists::Subscribers, subscription::Entry, walk::hash_level};

impl SubscriptionIndex {
    /// The node whose filter has exactly these levels.
    pub(super) fn find(&self, path: Path<'_>) -> Option<u32> {
        let mut at = self.root;
        let mut rest = path.levels;
        while let Some(text) = rest {
            at = self.child(at, first_level(text))?;
            let below = text.strip_prefix(self.labels.get(&self.nodes.get(at).label))?;
            rest = match below {
                [] => None,
                [b'/', below @ ..] => Some(below),
                _ => return None,
            };
        }
        Some(at)
    }

    /// The child of a node that begins with this level.
    pub(super) fn child(&self, parent: u32, first: &[u8]) -> Option<u32> {
        let inner = self.inner(parent)?;
        if first == b"+" {
            return Some(inner.plus).filter(|plus| *plus != NONE);
        }
        let hash = hash_child(parent, hash_level(&self.state, first));
        let mut name = self.buckets.first(hash);
        while name != NONE {
            let node = self.nodes.get(name);
            if node.hash == hash && node.parent == parent && self.begins(node, first) {
                return Some(name);
            }
            name = node.next;
        }
        None
    }

    /// Whether the first level of a node is `first`.
    #[inline]
    pub(super) fn begins(&self, node: &Node, first: &[u8]) -> bool {
        match self.labels.get(&node.label).split_at_checked(first.len()) {
            Some((begin, rest)) => begin == first && matches!(rest, [] | [b'/', ..]),
            None => false,
        }
    }

    /// Those who subscribed to exactly a node, or to all below it.
    pub(super) fn subscribers(&mut self, node: u32, multi: bool) -> Option<&mut Subscribers> {
        let node = self.nodes.get_mut(node);
        match &mut node.body {
            Body::Leaf(subscribers) => (node.multi == multi).then_some(subscribers),
            Body::Inner(inner) => self.inners.get_mut(*inner).place(multi).as_mut(),
        }
    }

    /// Adds an entry to a node that stands already.
    pub(super) fn enlist(&mut self, node: u32, multi: bool, entry: Entry) -> Option<Entry> {
        if let Some(mut subscribers) = self.subscribers(node, multi).copied() {
            let replaced = self.lists.insert(&mut subscribers, entry);
            *self.subscribers(node, multi).expect("invariant: seen above") = subscribers;
            return replaced;
        }
        self.make_inner(node);
        *self.inner_mut(node).place(multi) = Some(Subscribers::One(entry));
        self.filters += 1;
        None
    }

    /// Takes the last subscriber off a node, which may leave it useless until `tidy`.
    pub(super) fn clear(&mut self, node: u32, multi: bool) {
        self.make_inner(node);
        *self.inner_mut(node).place(multi) = None;
    }

    /// Adds a child with levels that no child begins with.
    pub(super) fn add_leaf(&mut self, parent: u32, text: &[u8], multi: bool, entry: Entry) {
        self.make_inner(parent);
        let label = self.labels.insert(text);
        let body = Body::Leaf(Subscribers::One(entry));
        let node = self.nodes.insert(Node { parent, body, multi, label, ..Node::BLANK });
        self.attach(node);
    }

    /// Divides a node after the first `common` bytes of its label; returns the new upper part.
    pub(super) fn divide(&mut self, node: u32, common: usize) -> u32 {
        self.detach(node);
        let Node { parent, label, .. } = *self.nodes.get(node);
        let text = self.labels.get(&label).to_vec();
        self.labels.remove(&label);
        let (above, below) = text.split_at(common);
        let below = below.get(1..).expect("invariant: a label is divided at a slash");
        let above = self.labels.insert(above);
        let below = self.labels.insert(below);
        let body = Body::Inner(self.inners.insert(Inner::EMPTY));
        let upper = self.nodes.insert(Node { parent, label: above, body, ..Node::BLANK });
        self.attach(upper);
        let lower = self.nodes.get_mut(node);
        lower.parent = upper;
        lower.label = below;
        self.attach(node);
        upper
    }

    /// Removes what a removed list has made useless: a node without lists and children, a branch
    /// with one way to go, an `Inner` that a leaf does not need.
    pub(super) fn tidy(&mut self, mut node: u32) {
        while node != self.root {
            let Some(inner) = self.inner(node).copied() else { return };
            match (inner.exact, inner.multi, inner.only_child()) {
                (None, None, Some(only)) => return self.unite(node, only),
                (None, None, None) if inner.children == 0 => {
                    let parent = self.nodes.get(node).parent;
                    self.detach(node);
                    self.release(node);
                    node = parent;
                }
                (Some(exact), None, None) if inner.children == 0 => {
                    return self.make_leaf(node, exact, false);
                }
                (None, Some(multi), None) if inner.children == 0 => {
                    return self.make_leaf(node, multi, true);
                }
                _ => return,
            }
        }
    }

    pub(super) fn inner(&self, node: u32) -> Option<&Inner> {
        match self.nodes.get(node).body {
            Body::Inner(inner) => Some(self.inners.get(inner)),
            Body::Leaf(_) => None,
        }
    }

    fn inner_mut(&mut self, node: u32) -> &mut Inner {
        match self.nodes.get(node).body {
            Body::Inner(inner) => self.inners.get_mut(inner),
            Body::Leaf(_) => unreachable!("the callers have made it an inner node"),
        }
    }

    fn make_inner(&mut self, node: u32) {
        let node = self.nodes.get_mut(node);
        let Body::Leaf(subscribers) = node.body else { return };
        let mut inner = Inner::EMPTY;
        *inner.place(node.multi) = Some(subscribers);
        node.body = Body::Inner(self.inners.insert(inner));
    }

    fn make_leaf(&mut self, node: u32, subscribers: Subscribers, multi: bool) {
        self.drop_inner(node);
        let node = self.nodes.get_mut(node);
        node.body = Body::Leaf(subscribers);
        node.multi = multi;
    }

    /// Joins a node that only leads to one child with that child.
    fn unite(&mut self, upper: u32, lower: u32) {
        self.detach(lower);
        self.detach(upper);
        let Node { parent, label: above, .. } = *self.nodes.get(upper);
        let below = self.nodes.get(lower).label;
        let text = [self.labels.get(&above), self.labels.get(&below)].join(&b'/');
        self.labels.remove(&below);
        let label = self.labels.insert(&text);
        let node = self.nodes.get_mut(lower);
        node.parent = parent;
        node.label = label;
        self.attach(lower);
        self.release(upper);
    }

    /// Makes a node with parent and label known to its parent.
    fn attach(&mut self, node: u32) {
        let Node { parent, label, .. } = *self.nodes.get(node);
        let first = first_level(self.labels.get(&label));
        if first == b"+" {
            self.inner_mut(parent).plus = node;
            return;
        }
        let hash = hash_child(parent, hash_level(&self.state, first));
        self.nodes.get_mut(node).hash = hash;
        self.buckets.link(&mut self.nodes, node);
        self.inner_mut(parent).add_child(node, hash);
    }

    fn detach(&mut self, node: u32) {
        let parent = self.nodes.get(node).parent;
        let inner = self.inner_mut(parent);
        if inner.plus == node {
            inner.plus = NONE;
            return;
        }
        inner.remove_child(node);
        self.buckets.unlink(&mut self.nodes, node);
    }

    /// Gives a detached node without lists back.
    fn release(&mut self, node: u32) {
        self.drop_inner(node);
        let node = self.nodes.remove(node, Node::BLANK);
        self.labels.remove(&node.label);
    }

    fn drop_inner(&mut self, node: u32) {
        if let Body::Inner(inner) = self.nodes.get(node).body {
            self.inners.remove(inner, Inner::EMPTY);
        }
    }
}
