//! What has happened to clients, as far as it is remembered: of all that is reported to the audit log the last, whether
//! there is an audit log or not.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use plexus_api_model::{ClientEvent, Moment};
use plexus_audit::{Event, Kind};
use plexus_runtime::unix_now;
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::lists::locked;

/// Events that are remembered, of some 200 bytes each.
const EVENTS_MAX: usize = 16_384;
/// Events that wait for whoever watches.
const WAITING_MAX: usize = 1_024;
/// Bytes of a text of an event: a topic, or what a client calls itself, may have 64 KiB.
const TEXT_MAX: usize = 256;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Chronicle {
    events: Mutex<VecDeque<Arc<ClientEvent>>>,
    news: Sender<Arc<ClientEvent>>,
}

impl Default for Chronicle {
    fn default() -> Self {
        Self { events: Mutex::default(), news: broadcast::channel(WAITING_MAX).0 }
    }
}

impl Chronicle {
    /// Takes it down, on the thread that reports it.
    pub(crate) fn note(&self, event: &Event) {
        // Of the audit log itself nobody wants to know here.
        if event.kind == Kind::Audit {
            return;
        }
        let event = Arc::new(told(event));
        let mut events = locked(&self.events);
        if events.len() >= EVENTS_MAX {
            events.pop_front();
        }
        events.push_back(Arc::clone(&event));
        // In their order; nobody may be watching.
        drop(self.news.send(event));
    }

    /// The last of them that are wanted, so many at most, the newest first.
    pub(crate) fn last(
        &self,
        most: usize,
        wanted: impl Fn(&ClientEvent) -> bool,
    ) -> Vec<ClientEvent> {
        let events = locked(&self.events);
        let last = events.iter().rev().filter(|event| wanted(event)).take(most);
        last.map(|event| ClientEvent::clone(event)).collect()
    }

    /// What comes from now on.
    pub(crate) fn watch(&self) -> Receiver<Arc<ClientEvent>> {
        self.news.subscribe()
    }
}

fn told(event: &Event) -> ClientEvent {
    let cut = |text: &Option<String>| text.as_deref().map(cut);
    let who = &event.who;
    ClientEvent {
        at: Moment::from_millis(unix_now().as_millis()),
        kind: event.kind.word().to_owned(),
        event: event.act.to_owned(),
        outcome: event.outcome.word().to_owned(),
        because: cut(&event.because),
        target: cut(&event.target),
        clientid: who.client.clone().filter(|client| client.len() <= TEXT_MAX),
        username: cut(&who.user),
        ip_address: who.peer.map(|peer| peer.to_string()),
        listener: cut(&who.listener),
        tenant: cut(&who.tenant),
    }
}

fn cut(text: &str) -> String {
    if text.len() <= TEXT_MAX {
        return text.to_owned();
    }
    let end = (0..=TEXT_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use plexus_audit::{Event, Who};

    use super::{Chronicle, EVENTS_MAX};

    fn of(client: &str) -> Who {
        Who { client: Some(client.to_owned()), ..Who::default() }
    }

    #[test]
    fn the_last_are_remembered_the_newest_first() {
        let chronicle = Chronicle::default();
        chronicle.note(&Event::logged_in(of("first")));
        for _ in 0..EVENTS_MAX - 2 {
            chronicle.note(&Event::logged_in(of("crowd")));
        }
        chronicle.note(&Event::disconnected(of("first"), "x".repeat(1_000)));
        let mine =
            |event: &plexus_api_model::ClientEvent| event.clientid.as_deref() == Some("first");
        let events = chronicle.last(10, mine);
        let told = |at: usize| events.get(at).map(|event| event.event.as_str());
        assert_eq!((told(0), told(1), told(2)), (Some("disconnect"), Some("connect"), None));
        let because = events.first().and_then(|event| event.because.clone()).unwrap_or_default();
        assert!(because.len() < 300 && because.ends_with('…'), "{because}");
        chronicle.note(&Event::logged_in(of("crowd")));
        assert_eq!(chronicle.last(10, mine).len(), 1, "the oldest has gone");
    }
}
