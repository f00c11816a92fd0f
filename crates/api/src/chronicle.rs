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
/// Refused acts that are remembered beside them.
const REFUSALS_MAX: usize = 4_096;
/// Events that wait for whoever watches.
const WAITING_MAX: usize = 1_024;
/// Bytes of a text of an event: a topic, or what a client calls itself, may have 64 KiB.
const TEXT_MAX: usize = 256;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Chronicle {
    events: Mutex<VecDeque<Arc<ClientEvent>>>,
    /// What clients were refused: one of them may make as many as it sends messages, and drive out nothing else.
    refusals: Mutex<VecDeque<Arc<ClientEvent>>>,
    news: Sender<Arc<ClientEvent>>,
}

impl Default for Chronicle {
    fn default() -> Self {
        let (events, refusals) = (Mutex::default(), Mutex::default());
        Self { events, refusals, news: broadcast::channel(WAITING_MAX).0 }
    }
}

impl Chronicle {
    /// Takes it down, on the thread that reports it.
    pub(crate) fn note(&self, event: &Event) {
        // What administrators do, and what becomes of the audit log, is for administrators (`/audit`).
        if matches!(event.kind, Kind::Audit | Kind::Admin) {
            return;
        }
        let (ring, most) = match event.kind {
            Kind::Access => (&self.refusals, REFUSALS_MAX),
            _ => (&self.events, EVENTS_MAX),
        };
        let event = Arc::new(told(event));
        let mut events = locked(ring);
        if events.len() >= most {
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
        // Whoever reports must not wait for whoever looks.
        let mut all: Vec<_> = locked(&self.events).iter().cloned().collect();
        all.extend(locked(&self.refusals).iter().cloned());
        all.retain(|event| wanted(event));
        all.reverse();
        all.sort_by_key(|event| std::cmp::Reverse(event.at));
        all.iter().take(most).map(|event| ClientEvent::clone(event)).collect()
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
    use plexus_audit::{Event, Kind, Who};

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
        assert_eq!(events.len(), 2);
        let ended = events.iter().find(|event| event.event == "disconnect");
        let because = ended.and_then(|event| event.because.clone()).unwrap_or_default();
        assert!(because.len() < 300 && because.ends_with('…'), "{because}");
        chronicle.note(&Event::logged_in(of("crowd")));
        assert_eq!(chronicle.last(10, mine).len(), 1, "the oldest has gone");
    }

    #[test]
    fn refusals_drive_nothing_else_out_and_administrators_are_not_told_of() {
        let chronicle = Chronicle::default();
        chronicle.note(&Event::logged_in(of("robot")));
        for _ in 0..=EVENTS_MAX {
            chronicle.note(&Event::refused(Kind::Access, "publish", of("noisy"), "rule"));
        }
        chronicle.note(&Event::done(Kind::Admin, "create_user"));
        let all = chronicle.last(usize::MAX, |_| true);
        assert_eq!(all.len(), super::REFUSALS_MAX + 1);
        assert!(all.iter().any(|event| event.clientid.as_deref() == Some("robot")));
        assert!(!all.iter().any(|event| event.kind == "admin"));
    }
}
