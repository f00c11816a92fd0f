//! Values named by small integers, kept in pages.
//!
//! Growing adds one page and moves nothing, so that no insertion costs more than another; a page
//! whose last value is taken out goes back to the allocator.

const PAGE_BITS: u32 = 9;
const PAGE_CELLS: usize = 1 << PAGE_BITS;

/// More values than this are an invariant broken elsewhere: two bits of a name stay free for tags.
const PAGES_MAX: usize = 1 << (30 - PAGE_BITS);

/// The page is not among those with room.
const CLOSED: u32 = u32::MAX;

#[derive(Debug)]
struct Page<T> {
    cells: Vec<T>,
    free: Vec<u16>,
    /// Where this page stands in [`Arena::open`].
    open_at: u32,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Arena<T> {
    pages: Vec<Page<T>>,
    /// Pages with room for at least one value.
    open: Vec<u32>,
    /// Page numbers that hold no memory.
    vacant: Vec<u32>,
    len: usize,
}

impl<T> Arena<T> {
    /// No values; no memory.
    pub const fn new() -> Self {
        Self { pages: Vec::new(), open: Vec::new(), vacant: Vec::new(), len: 0 }
    }

    /// Keeps `value` and names it.
    #[inline]
    pub fn insert(&mut self, value: T) -> u32 {
        let number = match self.open.last() {
            Some(number) => *number,
            None => self.open_page(),
        };
        let page = self.page_mut(number);
        let cell = if let Some(cell) = page.free.pop() {
            *page.cells.get_mut(usize::from(cell)).expect("invariant: a free cell") = value;
            u32::from(cell)
        } else {
            page.cells.push(value);
            page.cells.len() as u32 - 1
        };
        if page.cells.len() == PAGE_CELLS && page.free.is_empty() {
            page.open_at = CLOSED;
            self.open.pop();
        }
        self.len += 1;
        number << PAGE_BITS | cell
    }

    /// Takes the value of that name out; `blank` fills its cell until the next one comes.
    #[inline]
    pub fn remove(&mut self, name: u32, blank: T) -> T {
        let number = name >> PAGE_BITS;
        let value = std::mem::replace(self.get_mut(name), blank);
        self.len -= 1;
        let is_only = self.pages.len() == 1;
        let page = self.page_mut(number);
        page.free.push((name & (PAGE_CELLS as u32 - 1)) as u16);
        if page.free.len() == page.cells.len() && !is_only {
            // The only page of a small arena stays for those who come next.
            self.close_page(number);
        } else if page.open_at == CLOSED {
            self.mark_open(number);
        }
        value
    }

    /// The value of a name in use, to change it; panics for another.
    pub fn get_mut(&mut self, name: u32) -> &mut T {
        let cell = (name & (PAGE_CELLS as u32 - 1)) as usize;
        self.page_mut(name >> PAGE_BITS).cells.get_mut(cell).expect("invariant: a name in use")
    }

    /// The value of a name in use; panics for another.
    #[inline]
    pub fn get(&self, name: u32) -> &T {
        let page = self.pages.get((name >> PAGE_BITS) as usize);
        let cell = (name & (PAGE_CELLS as u32 - 1)) as usize;
        page.and_then(|page| page.cells.get(cell)).expect("invariant: a name in use")
    }

    /// The value of that name, which may be a blank; none if there never was such a cell or its page
    /// is gone.
    pub fn find(&self, name: u32) -> Option<&T> {
        let page = self.pages.get((name >> PAGE_BITS) as usize)?;
        page.cells.get((name & (PAGE_CELLS as u32 - 1)) as usize)
    }

    /// The same to change it.
    pub fn find_mut(&mut self, name: u32) -> Option<&mut T> {
        let page = self.pages.get_mut((name >> PAGE_BITS) as usize)?;
        page.cells.get_mut((name & (PAGE_CELLS as u32 - 1)) as usize)
    }

    /// The name that the next [`Arena::insert`] gives.
    pub fn next_name(&self) -> u32 {
        let Some(number) = self.open.last() else {
            let number = self.vacant.last().copied().unwrap_or(self.pages.len() as u32);
            return number << PAGE_BITS;
        };
        let page = self.pages.get(*number as usize).expect("invariant: an open page");
        let cell = page.free.last().map_or(page.cells.len() as u32, |cell| u32::from(*cell));
        number << PAGE_BITS | cell
    }

    /// All names are below this.
    pub const fn bound(&self) -> u32 {
        (self.pages.len() as u32) << PAGE_BITS
    }

    /// All cells, the blank ones of removed values among them.
    pub fn cells(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| &page.cells)
    }

    /// The number of values.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes reserved, without what the values themselves own.
    pub fn memory(&self) -> usize {
        let pages: usize = self
            .pages
            .iter()
            .map(|page| page.cells.capacity() * size_of::<T>() + page.free.capacity() * 2)
            .sum();
        let lists = self.open.capacity() + self.vacant.capacity();
        pages + self.pages.capacity() * size_of::<Page<T>>() + lists * 4
    }

    fn open_page(&mut self) -> u32 {
        let number = self.vacant.pop().unwrap_or_else(|| {
            assert!(self.pages.len() < PAGES_MAX, "invariant: fewer than 2^30 values in a shard");
            self.pages.push(Page { cells: Vec::new(), free: Vec::new(), open_at: CLOSED });
            self.pages.len() as u32 - 1
        });
        if self.pages.len() > 1 {
            // The only page of a small arena grows with its content instead.
            self.page_mut(number).cells.reserve_exact(PAGE_CELLS);
        }
        self.mark_open(number);
        number
    }

    fn close_page(&mut self, number: u32) {
        let page = self.page_mut(number);
        let at = std::mem::replace(&mut page.open_at, CLOSED);
        page.cells = Vec::new();
        page.free = Vec::new();
        if at != CLOSED {
            self.open.swap_remove(at as usize);
            if let Some(moved) = self.open.get(at as usize).copied() {
                self.page_mut(moved).open_at = at;
            }
        }
        self.vacant.push(number);
    }

    fn mark_open(&mut self, number: u32) {
        let at = self.open.len() as u32;
        self.open.push(number);
        self.page_mut(number).open_at = at;
    }

    fn page_mut(&mut self, number: u32) -> &mut Page<T> {
        self.pages.get_mut(number as usize).expect("invariant: a page of a name in use")
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, PAGE_CELLS};

    #[test]
    fn names_stay_and_are_used_again() {
        let mut arena = Arena::new();
        let names: Vec<u32> = (0..3 * PAGE_CELLS).map(|value| arena.insert(value)).collect();
        for (value, name) in names.iter().enumerate() {
            assert_eq!(*arena.get(*name), value);
        }
        let full = arena.memory();
        for name in names.iter().skip(1).step_by(2) {
            arena.remove(*name, 0);
        }
        for value in 0..3 * PAGE_CELLS / 2 {
            let name = arena.insert(value);
            assert_eq!(*arena.get(name), value);
            assert!(names.contains(&name), "freed names come first");
        }
        assert_eq!(arena.len(), 3 * PAGE_CELLS);
        assert!(arena.memory() < full + 3 * PAGE_CELLS * 4);
    }

    #[test]
    fn an_emptied_page_gives_its_memory_back() {
        let mut arena = Arena::new();
        let names: Vec<u32> = (0..4 * PAGE_CELLS).map(|_| arena.insert([0_u64; 8])).collect();
        let full = arena.memory();
        for name in names {
            arena.remove(name, [0; 8]);
        }
        assert_eq!(arena.len(), 0);
        assert!(arena.memory() * 100 < full, "{} of {full}", arena.memory());
        assert_eq!(arena.insert([1; 8]) >> 9, 3, "the page number closed last");
    }
}
