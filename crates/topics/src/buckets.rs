//! Linear hashing (Litwin 1980): a hash table that grows and shrinks by one bucket at a time, so
//! that no insertion ever pays for moving the whole table.
//!
//! Buckets are heads of chains; the chained values live in an [`Arena`] and carry their link.

use plexus_stdx::Arena;

/// The end of a chain, and no value.
pub(crate) const NONE: u32 = u32::MAX;

const PAGE_BITS: u32 = 10;
const PAGE_HEADS: usize = 1 << PAGE_BITS;

/// A value that stands in a chain.
pub(crate) trait Link {
    fn hash(&self) -> u32;
    fn next(&self) -> u32;
    fn set_next(&mut self, next: u32);
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    pages: Vec<Vec<u32>>,
    count: usize,
    linked: usize,
    /// Buckets that stay although they are too many.
    reserved: usize,
}

impl Buckets {
    /// Puts a value of the arena into the chain of its hash.
    pub(crate) fn link<T: Link>(&mut self, arena: &mut Arena<T>, name: u32) {
        self.linked += 1;
        // Half as many values as buckets, so that most chains have one link at most; never more
        // than two new buckets at a time.
        while self.linked * 2 > self.count {
            self.grow(arena);
        }
        self.push(arena, name);
    }

    /// Makes the buckets beforehand that so many more values will need: whoever adds a million in a
    /// row does not move each of them once.
    pub(crate) fn reserve<T: Link>(&mut self, arena: &mut Arena<T>, more: usize) {
        self.reserved = (self.linked + more) * 2;
        while self.reserved > self.count {
            self.grow(arena);
        }
    }

    /// Takes back what was reserved and not used.
    pub(crate) fn fit<T: Link>(&mut self, arena: &mut Arena<T>) {
        self.reserved = 0;
        self.tidy(arena);
    }

    /// Some slack keeps a change back and forth from moving buckets.
    fn tidy<T: Link>(&mut self, arena: &mut Arena<T>) {
        while self.count > self.reserved.max(self.linked * 3) {
            self.shrink(arena);
        }
    }

    /// Takes a value out of the chain of its hash.
    pub(crate) fn unlink<T: Link>(&mut self, arena: &mut Arena<T>, name: u32) {
        let (hash, next) = (arena.get(name).hash(), arena.get(name).next());
        let bucket = self.bucket(hash);
        let mut before = NONE;
        let mut at = self.head(bucket);
        while at != name {
            assert!(at != NONE, "invariant: a linked value is in its chain");
            before = at;
            at = arena.get(at).next();
        }
        if before == NONE {
            self.set_head(bucket, next);
        } else {
            arena.get_mut(before).set_next(next);
        }
        self.linked -= 1;
        self.tidy(arena);
    }

    /// The first value of the chain in which values of that hash stand, or [`NONE`].
    #[inline]
    pub(crate) fn first(&self, hash: u32) -> u32 {
        if self.count == 0 { NONE } else { self.head(self.bucket(hash)) }
    }

    /// The bytes reserved.
    pub(crate) fn memory(&self) -> usize {
        let heads: usize = self.pages.iter().map(Vec::capacity).sum();
        heads * 4 + self.pages.capacity() * size_of::<Vec<u32>>()
    }

    fn push<T: Link>(&mut self, arena: &mut Arena<T>, name: u32) {
        let value = arena.get_mut(name);
        let bucket = self.bucket(value.hash());
        value.set_next(self.head(bucket));
        self.set_head(bucket, name);
    }

    /// Adds one bucket and divides the chain of its elder twin.
    fn grow<T: Link>(&mut self, arena: &mut Arena<T>) {
        let added = self.count;
        if added.is_multiple_of(PAGE_HEADS) {
            let room = if added == 0 { 0 } else { PAGE_HEADS };
            self.pages.push(Vec::with_capacity(room));
        }
        self.pages.last_mut().expect("invariant: a page was added").push(NONE);
        self.count += 1;
        if added == 0 {
            return;
        }
        let twin = added ^ (1 << added.ilog2());
        let mut at = self.head(twin);
        self.set_head(twin, NONE);
        while at != NONE {
            let next = arena.get(at).next();
            self.push(arena, at);
            at = next;
        }
    }

    /// Takes the last bucket away and gives its chain back to its elder twin.
    fn shrink<T: Link>(&mut self, arena: &mut Arena<T>) {
        let last = self.count - 1;
        let mut at = self.head(last);
        self.count = last;
        let page = self.pages.last_mut().expect("invariant: a bucket has a page");
        page.pop();
        if page.is_empty() {
            self.pages.pop();
        }
        while at != NONE {
            let next = arena.get(at).next();
            self.push(arena, at);
            at = next;
        }
    }

    #[inline]
    fn bucket(&self, hash: u32) -> usize {
        let mask = self.count.next_power_of_two() - 1;
        let bucket = hash as usize & mask;
        if bucket < self.count { bucket } else { bucket & (mask >> 1) }
    }

    #[inline]
    fn head(&self, bucket: usize) -> u32 {
        let page = self.pages.get(bucket >> PAGE_BITS);
        *page.and_then(|page| page.get(bucket & (PAGE_HEADS - 1))).expect("invariant: a bucket")
    }

    fn set_head(&mut self, bucket: usize, name: u32) {
        let page = self.pages.get_mut(bucket >> PAGE_BITS).expect("invariant: a bucket");
        *page.get_mut(bucket & (PAGE_HEADS - 1)).expect("invariant: a bucket") = name;
    }
}
