//! A subscription for which SUBACK was said, and no UNSUBSCRIBE heard since, is in the session that
//! comes back with the node ([MQTT-3.1.2-5], RFD 3).

use super::Invariant;
use crate::{
    history::{History, Standing},
    seen::Seen,
};

#[derive(Debug)]
pub(super) struct SubscriptionsKept;

impl Invariant for SubscriptionsKept {
    fn name(&self) -> &'static str {
        "subscriptions_kept"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        let Seen::Survived { actor, filters } = seen else { return Ok(()) };
        let client = history.client(*actor);
        if client.doubtful {
            return Ok(());
        }
        let stands = client.held.iter().filter(|held| held.standing == Standing::Active);
        for held in stands {
            let kept = filters.iter().find(|(filter, _)| *filter == held.filter);
            match kept {
                None => return Err(format!("client {actor} lost {}", held.filter)),
                Some((_, qos)) if *qos != held.qos => {
                    return Err(format!("client {actor} has {} at {qos:?}", held.filter));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}
