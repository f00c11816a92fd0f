//! A tree of topic levels: nodes in chunks that never move, found by (parent, level) in flat tables.
//!
//! Nothing here grows by copying everything: nodes live in chunks of fixed size, and the table is cut
//! into parts that grow one at a time. So one more subscription never makes a publish wait for the
//! rehash of a million others.

use hashbrown::HashTable;
use plexus_stdx::Seed;

use crate::level::Level;

/// The number of a node.
pub(crate) type NodeId = u32;

/// No node.
pub(crate) const NONE: NodeId = u32::MAX;
/// The node above the first levels; always there.
pub(crate) const ROOT: NodeId = 0;

const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;
const PARTS: usize = 64;

#[derive(Debug)]
struct Node<T> {
    parent: NodeId,
    /// Children, of whatever kind the owner keeps: a node without any and without data may go.
    children: u32,
    level: Level,
    data: T,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    chunks: Vec<Vec<Node<T>>>,
    free: Vec<NodeId>,
    parts: Vec<HashTable<NodeId>>,
    seed: Seed,
    level_heap: usize,
}

impl std::fmt::Debug for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        String::from_utf8_lossy(self.bytes()).fmt(f)
    }
}

impl<T: Default> Tree<T> {
    pub(crate) fn new(seed: Seed) -> Self {
        let mut tree = Self {
            chunks: Vec::new(),
            free: Vec::new(),
            parts: (0..PARTS).map(|_| HashTable::new()).collect(),
            seed,
            level_heap: 0,
        };
        let root = tree.add(NONE, &[]);
        debug_assert_eq!(root, ROOT);
        tree
    }

    /// The hash of a level, to be computed once for all nodes that are asked for it.
    pub(crate) fn hash(&self, level: &[u8]) -> u64 {
        self.seed.hash(level)
    }

    /// The child of that level, whose hash is given.
    pub(crate) fn child(&self, parent: NodeId, level: &[u8], hash: u64) -> Option<NodeId> {
        let hash = mix(parent, hash);
        self.part(hash).find(hash, |&id| self.is(id, parent, level)).copied()
    }

    /// The child of that level, made if it is not there; says whether it was made.
    pub(crate) fn child_or_new(&mut self, parent: NodeId, level: &[u8]) -> (NodeId, bool) {
        let hash = self.hash(level);
        if let Some(id) = self.child(parent, level, hash) {
            return (id, false);
        }
        let id = self.add(parent, level);
        let mixed = mix(parent, hash);
        let mut part = std::mem::take(self.part_mut(mixed));
        part.insert_unique(mixed, id, |&id| self.hash_of(id));
        *self.part_mut(mixed) = part;
        (id, true)
    }

    /// Takes out a node that has neither data nor children; the parent stays for the caller to
    /// look at.
    pub(crate) fn remove(&mut self, id: NodeId) -> NodeId {
        let hash = self.hash_of(id);
        let parent = self.parent(id);
        if let Ok(entry) = self.part_mut(hash).find_entry(hash, |&other| other == id) {
            entry.remove();
        }
        let part = self.part_mut(hash);
        if part.is_empty() {
            *part = HashTable::new();
        } else if part.capacity() > 64 && part.len() * 8 < part.capacity() {
            let mut part = std::mem::take(part);
            part.shrink_to(0, |&id| self.hash_of(id));
            *self.part_mut(hash) = part;
        }
        let node = self.node_mut(id);
        debug_assert_eq!(node.children, 0, "a node with children stays");
        node.data = T::default();
        let heap = node.level.heap();
        node.level = Level::new(&[]);
        node.parent = NONE;
        self.level_heap -= heap;
        self.free.push(id);
        self.node_mut(parent).children -= 1;
        self.forget_all_if_empty();
        parent
    }

    pub(crate) fn data(&self, id: NodeId) -> &T {
        &self.node(id).data
    }

    pub(crate) fn data_mut(&mut self, id: NodeId) -> &mut T {
        &mut self.node_mut(id).data
    }

    pub(crate) fn parent(&self, id: NodeId) -> NodeId {
        self.node(id).parent
    }

    pub(crate) fn level(&self, id: NodeId) -> &[u8] {
        self.node(id).level.bytes()
    }

    pub(crate) fn has_children(&self, id: NodeId) -> bool {
        self.node(id).children > 0
    }

    /// Bytes that the tree holds, whether in use or spare.
    pub(crate) fn memory(&self) -> usize {
        let nodes: usize = self.chunks.iter().map(Vec::capacity).sum();
        let tables: usize = self.parts.iter().map(HashTable::allocation_size).sum();
        nodes * size_of::<Node<T>>()
            + self.free.capacity() * size_of::<NodeId>()
            + tables
            + self.level_heap
    }

    fn add(&mut self, parent: NodeId, level: &[u8]) -> NodeId {
        let level = Level::new(level);
        self.level_heap += level.heap();
        if parent != NONE {
            self.node_mut(parent).children += 1;
        }
        let node = Node { parent, children: 0, level, data: T::default() };
        if let Some(id) = self.free.pop() {
            *self.node_mut(id) = node;
            return id;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            // The first chunk grows as it is needed: a small index stays small.
            let first = self.chunks.is_empty();
            self.chunks.push(Vec::with_capacity(if first { 16 } else { CHUNK }));
        }
        let chunk = self.chunks.len() - 1;
        let nodes = self.chunks.last_mut().expect("invariant: pushed above");
        nodes.push(node);
        ((chunk << CHUNK_BITS) + nodes.len() - 1) as NodeId
    }

    /// When only the root is left, its memory goes back.
    fn forget_all_if_empty(&mut self) {
        if self.chunks.len() > 1 && !self.has_children(ROOT) {
            self.chunks.truncate(1);
            if let Some(first) = self.chunks.first_mut() {
                first.truncate(1);
                first.shrink_to(16);
            }
            self.free = Vec::new();
        }
    }

    fn is(&self, id: NodeId, parent: NodeId, level: &[u8]) -> bool {
        let node = self.node(id);
        node.parent == parent && node.level.bytes() == level
    }

    fn hash_of(&self, id: NodeId) -> u64 {
        let node = self.node(id);
        mix(node.parent, self.hash(node.level.bytes()))
    }

    fn node(&self, id: NodeId) -> &Node<T> {
        let chunk = self.chunks.get((id >> CHUNK_BITS) as usize);
        chunk.and_then(|chunk| chunk.get(id as usize % CHUNK)).expect("invariant: a live node")
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node<T> {
        let chunk = self.chunks.get_mut((id >> CHUNK_BITS) as usize);
        chunk.and_then(|chunk| chunk.get_mut(id as usize % CHUNK)).expect("invariant: a live node")
    }

    fn part(&self, hash: u64) -> &HashTable<NodeId> {
        self.parts.get(part_of(hash)).expect("invariant: below PARTS")
    }

    fn part_mut(&mut self, hash: u64) -> &mut HashTable<NodeId> {
        self.parts.get_mut(part_of(hash)).expect("invariant: below PARTS")
    }
}

/// Which part a hash belongs to: bits that the table itself looks at last.
fn part_of(hash: u64) -> usize {
    (hash >> 40) as usize % PARTS
}

/// Joins the number of the parent to the hash of a level (a round of folded multiplication).
fn mix(parent: NodeId, hash: u64) -> u64 {
    let product = u128::from(hash ^ 0x9E37_79B9_7F4A_7C15)
        * u128::from((u64::from(parent) + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93));
    (product >> 64) as u64 ^ product as u64
}
