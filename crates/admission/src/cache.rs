//! Answers that are remembered for a while.

use std::{collections::VecDeque, time::Duration};

use plexus_access::{Credentials, Rights};
use plexus_stdx::{HashMap, Seed};
use plexus_types::{Instant, ReasonCode, Text};

use crate::Answer;

/// Answers that are remembered at most; the oldest go first.
const ENTRIES_MAX: usize = 100_000;

/// What credentials look like here: nothing of a password can be read from it.
type Print = [u8; 32];

/// An answer that can be given again.
#[derive(Debug, Clone)]
enum Known {
    Allow(Rights),
    Deny(ReasonCode),
    Ignore,
}

/// Remembers answers for a time. An enhanced authentication is never the same twice and is not
/// remembered.
#[derive(Debug)]
pub(crate) struct Cache {
    time: Duration,
    key: aws_lc_rs::hmac::Key,
    answers: HashMap<Print, (Instant, Known)>,
    /// The oldest first: the time is the same for all.
    order: VecDeque<(Instant, Print)>,
}

impl Cache {
    /// A cache that remembers for so long. The secret makes prints worthless elsewhere.
    pub(crate) fn new(time: Duration, secret: &[u8; 32], seed: Seed) -> Self {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        Self { time, key, answers: seed.map(), order: VecDeque::new() }
    }

    /// The print of credentials that may be remembered.
    pub(crate) fn print(&self, credentials: &Credentials) -> Option<Print> {
        if credentials.enhanced.is_some() {
            return None;
        }
        let mut context = aws_lc_rs::hmac::Context::with_key(&self.key);
        // Each part with its length, and whether it is there: no two credentials print alike.
        let mut part = |bytes: Option<&[u8]>| {
            let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
            context.update(&length.to_be_bytes());
            context.update(bytes.unwrap_or_default());
        };
        part(Some(credentials.client_id.as_bytes()));
        part(credentials.user_name.as_ref().map(Text::as_bytes));
        part(credentials.password.as_deref());
        part(credentials.peer.map(|peer| peer.to_string()).as_deref().map(str::as_bytes));
        part(Some(credentials.listener.as_bytes()));
        part(credentials.tenant.as_ref().map(|tenant| tenant.as_str().as_bytes()));
        let certificate = credentials.certificate.as_ref();
        part(certificate.map(|shown| format!("{shown:?}")).as_deref().map(str::as_bytes));
        context.sign().as_ref().try_into().ok()
    }

    pub(crate) fn find(&mut self, print: &Print, now: Instant) -> Option<Answer> {
        while let Some((until, oldest)) = self.order.front()
            && *until <= now
        {
            if self.answers.get(oldest).is_some_and(|(at, _)| at == until) {
                self.answers.remove(oldest);
            }
            self.order.pop_front();
        }
        self.answers.get(print).map(|(_, known)| match known {
            Known::Allow(rights) => Answer::Allow(Box::new(rights.clone()), None),
            Known::Deny(reason) => Answer::Deny(*reason),
            Known::Ignore => Answer::Ignore,
        })
    }

    pub(crate) fn remember(&mut self, print: Print, answer: &Answer, now: Instant) {
        let known = match answer {
            Answer::Allow(rights, None) => Known::Allow(Rights::clone(rights)),
            Answer::Deny(reason) => Known::Deny(*reason),
            Answer::Ignore => Known::Ignore,
            Answer::Allow(_, Some(_)) | Answer::Continue(..) => return,
        };
        while self.order.len() >= ENTRIES_MAX {
            if let Some((until, oldest)) = self.order.pop_front()
                && self.answers.get(&oldest).is_some_and(|(at, _)| *at == until)
            {
                self.answers.remove(&oldest);
            }
        }
        let until = now + self.time;
        self.answers.insert(print, (until, known));
        self.order.push_back((until, print));
    }
}

#[cfg(test)]
mod tests;
