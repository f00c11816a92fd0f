//! What is shown and how: changed by keys and by what is seen, and by nothing else.

use std::{cmp::Reverse, collections::VecDeque};

use plexus_api_model::Client;

use super::{keys::Key, watch::Snapshot};

/// In which order clients stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    /// Those first for whom most waits.
    #[default]
    Queued,
    /// Those first to whom most is on its way.
    Inflight,
    /// Those first with most subscriptions.
    Subscriptions,
    /// By name.
    Name,
}

impl Order {
    const fn next(self) -> Self {
        match self {
            Self::Queued => Self::Inflight,
            Self::Inflight => Self::Subscriptions,
            Self::Subscriptions => Self::Name,
            Self::Name => Self::Queued,
        }
    }

    /// Its word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Inflight => "inflight",
            Self::Subscriptions => "subscriptions",
            Self::Name => "name",
        }
    }

    fn sort(self, clients: &mut [Client]) {
        let amount = |client: &Client| match self {
            Self::Queued => client.mqueue_len,
            Self::Inflight => client.inflight_cnt,
            Self::Subscriptions => client.subscriptions_cnt,
            Self::Name => 0,
        };
        // Those that are alike stand by name, so that no line jumps about.
        clients.sort_by(|a, b| {
            let (first, second) = (Reverse(amount(a)), Reverse(amount(b)));
            first.cmp(&second).then_with(|| a.clientid.cmp(&b.clientid))
        });
    }
}

/// What comes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on.
    Stay,
    /// Only clients with that in them are wanted.
    Search(String),
    /// Somebody has seen enough.
    End,
}

/// Looks whose rates are shown.
const TREND: usize = 60;

/// Bytes of the text that clients are searched for.
const SEARCH_MAX: usize = 256;

/// So far does a page go.
const PAGE: usize = 10;

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct Board {
    pub(super) address: String,
    pub(super) snapshot: Snapshot,
    pub(super) error: Option<String>,
    pub(super) order: Order,
    pub(super) search: String,
    pub(super) is_typing: bool,
    pub(super) selected: usize,
    /// Messages received and sent a second, new ones last.
    pub(super) received: VecDeque<u64>,
    pub(super) sent: VecDeque<u64>,
}

impl Board {
    /// Of the node there.
    pub(super) fn new(address: String, search: String) -> Self {
        Self { address, search, ..Self::default() }
    }

    /// Takes what a look has seen, or why it has seen nothing.
    pub(super) fn handle_snapshot(&mut self, snapshot: Result<Snapshot, String>) {
        match snapshot {
            Ok(snapshot) => {
                self.error = None;
                self.snapshot = snapshot;
                self.order.sort(&mut self.snapshot.clients);
                let rates = &self.snapshot.rates;
                for (trend, rate) in [
                    (&mut self.received, rates.received_msg_rate),
                    (&mut self.sent, rates.sent_msg_rate),
                ] {
                    trend.push_back(rate);
                    trend.drain(..trend.len().saturating_sub(TREND));
                }
            }
            Err(error) => self.error = Some(error),
        }
        self.select(self.selected);
    }

    /// Takes a key.
    pub(super) fn handle_key(&mut self, key: Key) -> Next {
        if key == Key::Interrupt {
            return Next::End;
        }
        if self.is_typing {
            return self.handle_typing(key);
        }
        match key {
            Key::Sign('q') | Key::Escape => return Next::End,
            Key::Sign('s') => {
                self.order = self.order.next();
                self.order.sort(&mut self.snapshot.clients);
            }
            Key::Sign('/') => self.is_typing = true,
            Key::Up | Key::Sign('k') => self.select(self.selected.saturating_sub(1)),
            Key::Down | Key::Sign('j') => self.select(self.selected.saturating_add(1)),
            Key::PageUp => self.select(self.selected.saturating_sub(PAGE)),
            Key::PageDown => self.select(self.selected.saturating_add(PAGE)),
            Key::Home => self.select(0),
            Key::End => self.select(usize::MAX),
            Key::Sign(_) | Key::Enter | Key::Backspace | Key::Interrupt => {}
        }
        Next::Stay
    }

    fn handle_typing(&mut self, key: Key) -> Next {
        match key {
            Key::Sign(sign) if self.search.len() + sign.len_utf8() <= SEARCH_MAX => {
                self.search.push(sign);
            }
            Key::Backspace => drop(self.search.pop()),
            Key::Escape => {
                self.search.clear();
                self.is_typing = false;
            }
            Key::Enter => {
                self.is_typing = false;
                return Next::Stay;
            }
            _ => return Next::Stay,
        }
        Next::Search(self.search.clone())
    }

    fn select(&mut self, place: usize) {
        self.selected = place.min(self.snapshot.clients.len().saturating_sub(1));
    }
}
