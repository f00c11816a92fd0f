//! Lists that are walked shard by shard, a part at a time.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use plexus_api_model::{ApiError, Meta, Page};
use plexus_broker::{ClientView, Question};

use crate::Api;

const LIMIT: u64 = 100;
const LIMIT_MAX: u64 = 10_000;

/// Which page is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    limit: u64,
    from: From,
}

#[derive(Debug, Clone, Copy)]
enum From {
    Page(u64),
    Spot(Spot),
}

/// Where a walk stands: the next thing of the next client of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Spot {
    shard: u16,
    slot: u32,
    index: u32,
}

impl Spot {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let spot = Self {
            shard: parts.next()?.parse().ok()?,
            slot: parts.next()?.parse().ok()?,
            index: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(spot)
    }

    fn text(self) -> String {
        format!("{}-{}-{}", self.shard, self.slot, self.index)
    }
}

impl Wanted {
    /// Everything, for a walk that puts nothing on a page.
    pub(crate) fn whole() -> Self {
        Self { limit: LIMIT_MAX, from: From::Spot(Spot::default()) }
    }

    pub(crate) fn new(
        page: Option<u64>,
        limit: Option<u64>,
        cursor: Option<&str>,
    ) -> Result<Self, ApiError> {
        let limit = self::limit(limit)?;
        let from = match (page, cursor) {
            (Some(_), Some(_)) => return Err(ApiError::bad("page and cursor exclude each other")),
            (Some(0), _) => return Err(ApiError::bad("page: pages are counted from 1")),
            (page, None) => From::Page(page.unwrap_or(1)),
            (None, Some("none")) => From::Spot(Spot::default()),
            (None, Some(text)) => From::Spot(Spot::parse(text).ok_or_else(|| {
                ApiError::bad("cursor: it is not one that a page has given; `none` begins anew")
            })?),
        };
        Ok(Self { limit, from })
    }

    /// The page of a list that is there as a whole.
    pub(crate) fn cut<T>(self, list: Vec<T>) -> Page<T> {
        if let From::Spot(_) = self.from {
            return Page { meta: Meta { limit: self.limit, ..Meta::default() }, data: list };
        }
        let mut page = self.pick();
        for one in list {
            page.see(|| one);
        }
        page.done()
    }

    /// Picks a page out of a list that is shown one by one.
    pub(crate) const fn pick<T>(self) -> Picked<T> {
        let page = match self.from {
            From::Page(page) => page,
            From::Spot(_) => 1,
        };
        Picked { page, limit: self.limit, count: 0, data: Vec::new() }
    }
}

/// A page that is picked out of a list.
#[derive(Debug)]
pub(crate) struct Picked<T> {
    page: u64,
    limit: u64,
    count: u64,
    data: Vec<T>,
}

impl<T> Picked<T> {
    const fn skip(&self) -> u64 {
        (self.page - 1).saturating_mul(self.limit)
    }

    /// The next one of the list; it is made where it is on the page.
    pub(crate) fn see(&mut self, made: impl FnOnce() -> T) {
        let skip = self.skip();
        if (skip..skip.saturating_add(self.limit)).contains(&self.count) {
            self.data.push(made());
        }
        self.count += 1;
    }

    /// The page.
    pub(crate) fn done(self) -> Page<T> {
        let (skip, Self { page, limit, count, data }) = (self.skip(), self);
        let hasnext = skip.saturating_add(limit) < count;
        let meta = Meta { page: Some(page), limit, count: Some(count), hasnext, cursor: None };
        Page { data, meta }
    }
}

/// How much a page is to have.
pub(crate) fn limit(asked: Option<u64>) -> Result<u64, ApiError> {
    let limit = asked.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(ApiError::bad(format!("limit: {limit} is not within 1 and {LIMIT_MAX}")));
    }
    Ok(limit)
}

/// Which page is wanted of a list that goes by names, shard by shard.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) limit: u64,
    pub(crate) skip: u64,
    /// The last name of the page before, and its shard.
    pub(crate) behind: Option<(u16, String)>,
}

impl Listed {
    pub(crate) fn new(
        page: Option<u64>,
        asked: Option<u64>,
        cursor: Option<&str>,
    ) -> Result<Self, ApiError> {
        let limit = limit(asked)?;
        let skip = match (page, cursor) {
            (Some(_), Some(_)) => return Err(ApiError::bad("page and cursor exclude each other")),
            (Some(0), _) => return Err(ApiError::bad("page: pages are counted from 1")),
            (page, _) => (page.unwrap_or(1) - 1).saturating_mul(limit),
        };
        let parse = |text: &str| {
            let (shard, name) = text.split_once('-')?;
            // No topic has NUL.
            let name = Some(name.to_owned()).filter(|name| !name.contains('\0'))?;
            Some((shard.parse().ok()?, name))
        };
        let behind = match cursor {
            None | Some("none") => None,
            Some(text) => Some(parse(text).ok_or_else(|| {
                ApiError::bad("cursor: it is not one that a page has given; `none` begins anew")
            })?),
        };
        Ok(Self { limit, skip, behind })
    }

    /// The cursor of a page that ends with that name.
    pub(crate) fn text(shard: u16, name: &str) -> String {
        format!("{shard}-{name}")
    }
}

/// What a walk has found so far.
pub(crate) struct Found<T> {
    skip: u64,
    limit: usize,
    items: Vec<T>,
    /// Where it goes on, behind what is full.
    next: Option<(u32, u32)>,
    /// What of the first client was on the page before.
    begin: (u32, u32),
    /// What may still be looked at for this question, and where it was enough.
    budget: u32,
    pause: Option<(u32, u32)>,
}

/// Things that are looked at for one question: a client may have very many.
const LOOKED_AT_MAX: u32 = 4_096;

impl<T> Found<T> {
    /// What of that client has been looked at already.
    pub(crate) fn done_of(&self, slot: u32) -> u32 {
        if self.begin.0 == slot { self.begin.1 } else { 0 }
    }

    /// One more thing is looked at; no further one when it has been enough for one question.
    pub(crate) fn look(&mut self, at: (u32, u32)) -> ControlFlow<()> {
        let Some(left) = self.budget.checked_sub(1) else {
            self.pause = Some(at);
            return ControlFlow::Break(());
        };
        self.budget = left;
        ControlFlow::Continue(())
    }

    /// One more thing of that client, the index-th; `make` is called if it is on the page.
    pub(crate) fn offer(
        &mut self,
        (slot, index): (u32, u32),
        make: impl FnOnce() -> T,
    ) -> ControlFlow<()> {
        if (slot, index) < self.begin {
            return ControlFlow::Continue(());
        }
        self.look((slot, index))?;
        if self.skip > 0 {
            self.skip -= 1;
            return ControlFlow::Continue(());
        }
        if self.items.len() >= self.limit {
            self.next = Some((slot, index));
            return ControlFlow::Break(());
        }
        self.items.push(make());
        ControlFlow::Continue(())
    }
}

/// What offers the things of a client.
type Offer<T> = dyn Fn(ClientView<'_>, &mut Found<T>) -> ControlFlow<()> + Send + Sync;

/// The page that is wanted of the things that clients have.
pub(crate) async fn walk<T: Send + 'static>(
    api: &Api,
    wanted: Wanted,
    count: Option<u64>,
    offer: Arc<Offer<T>>,
) -> Result<Page<T>, ApiError> {
    let limit = wanted.limit;
    let (page, skip, mut spot) = match wanted.from {
        From::Page(page) => (Some(page), (page - 1).saturating_mul(limit), Spot::default()),
        From::Spot(spot) => (None, 0, spot),
    };
    let found = Found {
        skip,
        limit: limit as usize,
        items: Vec::new(),
        next: None,
        begin: (spot.slot, spot.index),
        budget: LOOKED_AT_MAX,
        pause: None,
    };
    let found = Arc::new(Mutex::new(found));
    let shards = api.node.shards();
    while spot.shard < shards {
        let (in_shard, offer) = (Arc::clone(&found), Arc::clone(&offer));
        let visit = Box::new(move |client: ClientView<'_>| offer(client, &mut locked(&in_shard)));
        let next = api.ask(spot.shard, |told| Question::Walk(spot.slot, visit, told)).await?;
        let mut so_far = locked(&found);
        if let Some((slot, index)) = so_far.next {
            spot = Spot { slot, index, ..spot };
            break;
        }
        so_far.budget = LOOKED_AT_MAX;
        if let Some((slot, index)) = so_far.pause.take() {
            spot = Spot { slot, index, ..spot };
            so_far.begin = (slot, index);
            continue;
        }
        spot = match next {
            Some(slot) => Spot { slot, ..spot },
            None => Spot { shard: spot.shard + 1, slot: 0, index: 0 },
        };
        so_far.begin = (0, 0);
    }
    let hasnext = locked(&found).next.is_some();
    let data = std::mem::take(&mut locked(&found).items);
    let cursor = hasnext.then(|| spot.text());
    Ok(Page { data, meta: Meta { page, limit, count, hasnext, cursor } })
}

pub(crate) fn read<T>(found: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    found.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn written<T>(found: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    found.write().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn locked<T>(found: &Mutex<T>) -> MutexGuard<'_, T> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Spot, Wanted};

    #[test]
    fn a_cursor_is_what_a_page_has_given() {
        let spot = Spot { shard: 1, slot: 70_000, index: 3 };
        assert_eq!(Spot::parse(&spot.text()), Some(spot));
        for wrong in ["", "1", "1-2", "1-2-3-4", "a-b-c", "-1-2-3", "70000-0-0"] {
            assert_eq!(Spot::parse(wrong), None, "{wrong}");
        }
        assert!(Wanted::new(Some(1), None, Some("none")).is_err());
        assert!(Wanted::new(Some(0), None, None).is_err());
        assert!(Wanted::new(None, Some(10_001), None).is_err());
    }

    #[test]
    fn a_list_is_cut_into_pages() {
        let page = |page, limit| {
            Wanted::new(Some(page), Some(limit), None).unwrap().cut(vec![1, 2, 3, 4, 5])
        };
        assert_eq!((page(1, 2).data, page(3, 2).data), (vec![1, 2], vec![5]));
        assert!(page(2, 2).meta.hasnext && !page(3, 2).meta.hasnext);
        assert!(page(u64::MAX, 10_000).data.is_empty());
    }
}
