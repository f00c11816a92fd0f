//! States of the node that an operator has to do something about: told in the log when they begin and
//! when they end, and under `$SYS` as long as they last.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use plexus_stdx::calendar;
use plexus_types::Instant;

/// A state that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// When it began.
    pub since: Instant,
    /// What it is and what to do.
    pub text: String,
}

impl Alarm {
    /// As `$SYS` shows it.
    pub fn line(&self) -> String {
        let moment = self.since.as_millis() / 1_000;
        let (day, time) = (calendar::day(moment), calendar::time(moment));
        format!("since {day}T{time}Z: {}", self.text)
    }
}

/// A state that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedAlarm {
    /// Its name.
    pub name: &'static str,
    /// What it was.
    pub alarm: Alarm,
    /// When it ended.
    pub ended: Instant,
}

/// Alarms that are over and remembered.
const ENDED_MAX: usize = 1_000;

/// The alarms that stand, by name. Few threads raise them, seldom, and one looks.
#[derive(Debug, Default)]
pub struct Alarms {
    standing: Mutex<BTreeMap<&'static str, Alarm>>,
    ended: Mutex<VecDeque<EndedAlarm>>,
    version: AtomicU64,
}

impl Alarms {
    /// An alarm begins, unless it stands already.
    pub fn raise(&self, name: &'static str, since: Instant, text: String) {
        let mut standing = self.standing();
        if !standing.contains_key(name) {
            standing.insert(name, Alarm { since, text });
            self.version.fetch_add(1, SeqCst);
        }
    }

    /// The alarm is over; yields it if it stood.
    pub fn clear(&self, name: &'static str, ended: Instant) -> Option<Alarm> {
        let alarm = self.standing().remove(name)?;
        self.version.fetch_add(1, SeqCst);
        let mut before = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if before.len() >= ENDED_MAX {
            before.pop_front();
        }
        before.push_back(EndedAlarm { name, alarm: alarm.clone(), ended });
        Some(alarm)
    }

    /// Those that are over, of the last thousand, the newest first.
    pub fn ended(&self) -> Vec<EndedAlarm> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.iter().rev().cloned().collect()
    }

    /// Another number whenever something has begun or ended.
    pub fn version(&self) -> u64 {
        self.version.load(SeqCst)
    }

    /// What stands now.
    pub fn all(&self) -> BTreeMap<&'static str, Alarm> {
        self.standing().clone()
    }

    fn standing(&self) -> MutexGuard<'_, BTreeMap<&'static str, Alarm>> {
        // Nothing that holds it can leave it half done.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_stands_from_its_beginning_to_its_end() {
        let alarms = Alarms::default();
        assert_eq!(alarms.clear("store/full", Instant::ZERO), None);
        let before = alarms.version();
        alarms.raise("store/full", Instant::from_secs(951_782_400), "no room".into());
        let raised = alarms.version();
        assert_ne!(raised, before);
        alarms.raise("store/full", Instant::from_secs(951_782_500), "still none".into());
        assert_eq!(alarms.version(), raised, "it stood already");
        assert_eq!(alarms.all()["store/full"].line(), "since 2000-02-29T00:00:00Z: no room");
        assert_eq!(
            alarms.clear("store/full", Instant::from_secs(951_782_600)).map(|alarm| alarm.text),
            Some("no room".into())
        );
        assert_ne!(alarms.version(), raised);
        assert!(alarms.all().is_empty());
        let ended = alarms.ended();
        let last = ended.first().map(|it| (it.name, it.ended, it.alarm.since));
        let at = Instant::from_secs;
        assert_eq!(last, Some(("store/full", at(951_782_600), at(951_782_400))));
        assert_eq!(ended.len(), 1, "what did not stand did not end");
    }
}
