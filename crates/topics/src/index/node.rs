//! The parts of the tree, and what is computed from their texts alone.

use crate::{
    buckets::{Link, NONE},
    labels::Label,
    lists::Subscribers,
};

/// A run of levels. Its first level distinguishes it from its siblings.
///
/// A leaf with one subscriber and a short text, which most are, is complete in itself: one look
/// into memory decides whether it matches and who wants it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) parent: u32,
    /// The next node of the hash chain; unused when the first level is `+`.
    pub(super) next: u32,
    /// Of the parent and the first level.
    pub(super) hash: u32,
    pub(super) body: Body,
    /// Whether the subscribers of a leaf want all below it too: the filter goes on with `/#`.
    pub(super) multi: bool,
    /// Its levels, joined by `/`.
    pub(super) label: Label,
}

impl Node {
    pub(super) const BLANK: Self = Self {
        parent: NONE,
        next: NONE,
        hash: 0,
        body: Body::Inner(NONE),
        multi: false,
        label: Label::EMPTY,
    };
}

impl Link for Node {
    fn hash(&self) -> u32 {
        self.hash
    }

    fn next(&self) -> u32 {
        self.next
    }

    fn set_next(&mut self, next: u32) {
        self.next = next;
    }
}

/// What hangs on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing below.
    Leaf(Subscribers),
    /// Nodes below, or both kinds of subscribers.
    Inner(u32),
}

/// The body of a node that has nodes below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inner {
    pub(super) exact: Option<Subscribers>,
    pub(super) multi: Option<Subscribers>,
    /// The child whose first level is `+`, or [`NONE`].
    pub(super) plus: u32,
    /// The number of the other children.
    pub(super) children: u32,
    /// The exclusive or of their names: the name itself when there is only one.
    pub(super) children_xor: u32,
    /// A bit for each hash of their first levels, modulo 32: what is not there need not be looked
    /// up. They go when the last child goes.
    children_bits: u32,
}

impl Inner {
    pub(super) const EMPTY: Self = Self {
        exact: None,
        multi: None,
        plus: NONE,
        children: 0,
        children_xor: 0,
        children_bits: 0,
    };

    /// One more child, whose first level is not `+`.
    pub(super) const fn add_child(&mut self, name: u32, hash: u32) {
        self.children += 1;
        self.children_xor ^= name;
        self.children_bits |= bit(hash);
    }

    /// One child less.
    pub(super) const fn remove_child(&mut self, name: u32) {
        self.children -= 1;
        self.children_xor ^= name;
        if self.children == 0 {
            self.children_bits = 0;
        }
    }

    /// Whether a child of that hash may be there.
    #[inline]
    pub(super) const fn may_have(&self, hash: u32) -> bool {
        self.children_bits & bit(hash) != 0
    }

    /// Where those stand who want exactly this, or all below too.
    pub(super) const fn place(&mut self, multi: bool) -> &mut Option<Subscribers> {
        if multi { &mut self.multi } else { &mut self.exact }
    }

    /// The child, if there is exactly one.
    pub(super) const fn only_child(&self) -> Option<u32> {
        match (self.children, self.plus) {
            (1, NONE) => Some(self.children_xor),
            (0, NONE) => None,
            (0, plus) => Some(plus),
            _ => None,
        }
    }
}

/// Of the bits that the hash table looks at last.
#[inline]
const fn bit(hash: u32) -> u32 {
    1 << (hash >> 27)
}

/// The text up to the first `/`.
#[inline]
pub(super) fn first_level(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The bytes of the levels that both texts begin with; they have at least the first in common.
pub(super) fn common_levels(one: &[u8], other: &[u8]) -> usize {
    let equal = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let ends = |text: &[u8]| text.get(equal).is_none_or(|byte| *byte == b'/');
    if ends(one) && ends(other) {
        return equal;
    }
    let shared = one.get(..equal).unwrap_or_default();
    shared.iter().rposition(|byte| *byte == b'/').unwrap_or(0)
}

/// The hash of a child: of its parent and the hash of its first level.
#[inline]
pub(super) fn hash_child(parent: u32, level: u64) -> u32 {
    // A folded multiplication mixes the parent into a hash that is already keyed by the seed.
    let mixed = level ^ u64::from(parent).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let product = u128::from(mixed) * 0xBF58_476D_1CE4_E5B9;
    ((product >> 64) ^ product) as u32
}
