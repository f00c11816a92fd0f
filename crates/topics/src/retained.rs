//! Values by topic, found by topic or walked by filter.

use plexus_stdx::Seed;

use crate::{
    level::levels,
    tree::{NONE, NodeId, ROOT, Tree},
};

/// Nodes without a value that may stay for the sake of open walks; beyond it the walks end.
const LIMBO_MAX: usize = 100_000;

/// One value a topic: the retained messages of a shard.
///
/// A walk by filter goes in bounded steps, and values may come and go between them: a topic that is
/// there during the whole walk is yielded exactly once, with its newest value. While walks are open,
/// nodes are only emptied; the last walk that closes takes them out.
#[derive(Debug)]
pub struct Retained<T> {
    tree: Tree<Leaf<T>>,
    len: usize,
    open: usize,
    /// Walks of an earlier epoch have ended.
    epoch: u32,
    limbo: Vec<NodeId>,
}

#[derive(Debug)]
struct Leaf<T> {
    value: Option<T>,
    first: NodeId,
    next: NodeId,
    before: NodeId,
}

impl<T> Default for Leaf<T> {
    fn default() -> Self {
        Self { value: None, first: NONE, next: NONE, before: NONE }
    }
}

/// A walk that is under way. Give it back by [`Retained::close`].
#[derive(Debug)]
pub struct RetainedCursor {
    filter: Box<[Segment]>,
    stack: Vec<Step>,
    epoch: u32,
}

#[derive(Debug)]
enum Segment {
    Literal(Box<[u8]>),
    Plus,
    Multi,
}

/// A node to look at, with the depth of the filter that its children are to match; or a chain of
/// siblings of which each is such a node.
#[derive(Debug, Clone, Copy)]
enum Step {
    Node(NodeId, usize),
    Chain(NodeId, usize),
}

impl<T: Clone> Retained<T> {
    /// Nothing is kept.
    pub fn new(seed: Seed) -> Self {
        Self { tree: Tree::new(seed), len: 0, open: 0, epoch: 0, limbo: Vec::new() }
    }

    /// Keeps a value; gives back the one that it replaces.
    pub fn insert(&mut self, topic: &str, value: T) -> Option<T> {
        let mut node = ROOT;
        for level in levels(topic) {
            let (child, new) = self.tree.child_or_new(node, level);
            if new {
                self.link(node, child);
            }
            node = child;
        }
        let replaced = self.tree.data_mut(node).value.replace(value);
        self.len += usize::from(replaced.is_none());
        replaced
    }

    /// Takes a value out.
    pub fn remove(&mut self, topic: &str) -> Option<T> {
        let node = self.find(topic)?;
        let removed = self.tree.data_mut(node).value.take()?;
        self.len -= 1;
        if self.open == 0 {
            self.prune(node);
        } else {
            self.limbo.push(node);
            if self.limbo.len() > LIMBO_MAX {
                self.end_walks();
            }
        }
        Some(removed)
    }

    /// The value of a topic.
    pub fn get(&self, topic: &str) -> Option<&T> {
        self.tree.data(self.find(topic)?).value.as_ref()
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the structure holds besides the values' own.
    pub fn memory(&self) -> usize {
        self.tree.memory() + self.limbo.capacity() * size_of::<NodeId>()
    }

    /// Begins a walk over the topics that match the filter (without `$share/<name>/`).
    pub fn cursor(&mut self, filter: &str) -> RetainedCursor {
        self.open += 1;
        let segment = |level: &[u8]| match level {
            b"+" => Segment::Plus,
            b"#" => Segment::Multi,
            literal => Segment::Literal(literal.into()),
        };
        let filter = levels(filter).map(segment).collect();
        RetainedCursor { filter, stack: vec![Step::Node(ROOT, 0)], epoch: self.epoch }
    }

    /// Goes on with a walk, at most over `budget` nodes; says whether there may be more.
    pub fn next(&mut self, cursor: &mut RetainedCursor, budget: usize, out: &mut Vec<T>) -> bool {
        if cursor.epoch != self.epoch {
            cursor.stack.clear();
        }
        for _ in 0..budget {
            match cursor.stack.pop() {
                None => return false,
                Some(Step::Chain(node, depth)) => {
                    let next = self.tree.data(node).next;
                    if next != NONE {
                        cursor.stack.push(Step::Chain(next, depth));
                    }
                    // [MQTT-4.7.2-1] A leading wildcard does not match a leading `$`.
                    let first = self.tree.parent(node) == ROOT;
                    if !(first && self.tree.level(node).starts_with(b"$")) {
                        cursor.stack.push(Step::Node(node, depth));
                    }
                }
                Some(Step::Node(node, depth)) => self.visit(cursor, node, depth, out),
            }
        }
        !cursor.stack.is_empty()
    }

    /// Ends a walk.
    #[expect(clippy::needless_pass_by_value, reason = "a walk that is closed cannot go on")]
    pub fn close(&mut self, cursor: RetainedCursor) {
        if cursor.epoch != self.epoch {
            return;
        }
        self.open -= 1;
        if self.open == 0 {
            self.clear_limbo();
        }
    }

    fn visit(&self, cursor: &mut RetainedCursor, node: NodeId, depth: usize, out: &mut Vec<T>) {
        let data = self.tree.data(node);
        match cursor.filter.get(depth) {
            None => out.extend(data.value.clone()),
            Some(Segment::Literal(level)) => {
                let hash = self.tree.hash(level);
                if let Some(child) = self.tree.child(node, level, hash) {
                    cursor.stack.push(Step::Node(child, depth + 1));
                }
            }
            Some(Segment::Plus) if data.first != NONE => {
                cursor.stack.push(Step::Chain(data.first, depth + 1));
            }
            Some(Segment::Plus) => {}
            // `#` matches the node itself ([MQTT-4.7.1-2]) and all below, which stay at its depth.
            Some(Segment::Multi) => {
                out.extend(data.value.clone());
                if data.first != NONE {
                    cursor.stack.push(Step::Chain(data.first, depth));
                }
            }
        }
    }

    fn find(&self, topic: &str) -> Option<NodeId> {
        levels(topic)
            .try_fold(ROOT, |node, level| self.tree.child(node, level, self.tree.hash(level)))
    }

    /// Puts a child in front of its siblings: a walk that has begun is already past that place.
    fn link(&mut self, parent: NodeId, child: NodeId) {
        let first = std::mem::replace(&mut self.tree.data_mut(parent).first, child);
        if first != NONE {
            self.tree.data_mut(first).before = child;
        }
        self.tree.data_mut(child).next = first;
    }

    fn unlink(&mut self, parent: NodeId, child: NodeId) {
        let (before, next) = {
            let data = self.tree.data(child);
            (data.before, data.next)
        };
        match before {
            NONE => self.tree.data_mut(parent).first = next,
            before => self.tree.data_mut(before).next = next,
        }
        if next != NONE {
            self.tree.data_mut(next).before = before;
        }
    }

    fn prune(&mut self, mut node: NodeId) {
        while node != ROOT && self.tree.data(node).value.is_none() && !self.tree.has_children(node)
        {
            let parent = self.tree.parent(node);
            self.unlink(parent, node);
            self.tree.remove(node);
            node = parent;
        }
    }

    /// Too much waits for walks that do not go on: they end, and the next call tells them so.
    fn end_walks(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.open = 0;
        self.clear_limbo();
    }

    fn clear_limbo(&mut self) {
        let mut limbo = std::mem::take(&mut self.limbo);
        // A node may stand there twice, and one may be gone with its child: only those that are
        // still in the tree and empty are looked at.
        limbo.sort_unstable();
        limbo.dedup();
        for node in limbo {
            if !self.tree.has_children(ROOT) {
                // Everything is gone, and its memory with it.
                break;
            }
            if self.is_linked(node) {
                self.prune(node);
            }
        }
    }

    /// Whether the node is still reachable: pruning another may have taken it out.
    fn is_linked(&self, node: NodeId) -> bool {
        let parent = self.tree.parent(node);
        let level = self.tree.level(node);
        parent != NONE && self.tree.child(parent, level, self.tree.hash(level)) == Some(node)
    }
}

#[cfg(test)]
mod tests;
