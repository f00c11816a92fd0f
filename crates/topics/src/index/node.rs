//! The parts of the tree, and what is computed from their texts alone.

use crate::{
    buckets::{Link, NONE},
    lists::ListRef,
};

/// A run of levels. Its first level distinguishes it from its siblings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) parent: u32,
    /// The next node of the hash chain; unused when the first level is `+`.
    pub(super) next: u32,
    /// Of the parent and the first level.
    pub(super) hash: u32,
    /// Its levels, joined by `/`.
    pub(super) label: u32,
    pub(super) body: u32,
}

impl Node {
    pub(super) const BLANK: Self = Self { parent: NONE, next: NONE, hash: 0, label: 0, body: 0 };
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

/// What hangs on a node. Leaves, the great majority, need no [`Inner`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing below; somebody wants exactly this.
    Exact(ListRef),
    /// Nothing below; somebody wants this and all below: the filter goes on with `/#`.
    Multi(ListRef),
    /// Nodes below, or both kinds of subscribers.
    Inner(u32),
}

const TAG_SHIFT: u32 = 30;
const BODY_MASK: u32 = (1 << TAG_SHIFT) - 1;

impl Body {
    pub(super) const fn pack(self) -> u32 {
        match self {
            Self::Exact(ListRef(list)) => list,
            Self::Multi(ListRef(list)) => 1 << TAG_SHIFT | list,
            Self::Inner(inner) => 2 << TAG_SHIFT | inner,
        }
    }

    #[inline]
    pub(super) const fn unpack(packed: u32) -> Self {
        let body = packed & BODY_MASK;
        match packed >> TAG_SHIFT {
            0 => Self::Exact(ListRef(body)),
            1 => Self::Multi(ListRef(body)),
            _ => Self::Inner(body),
        }
    }
}

/// The body of a node that has nodes below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inner {
    pub(super) exact: Option<ListRef>,
    pub(super) multi: Option<ListRef>,
    /// The child whose first level is `+`, or [`NONE`].
    pub(super) plus: u32,
    /// The number of the other children.
    pub(super) children: u32,
    /// The exclusive or of their names: the name itself when there is only one.
    pub(super) children_xor: u32,
}

impl Inner {
    pub(super) const EMPTY: Self =
        Self { exact: None, multi: None, plus: NONE, children: 0, children_xor: 0 };

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
