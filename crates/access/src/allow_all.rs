use plexus_types::{Qos, ReasonCode, TopicFilter, TopicName};

use crate::{
    Credentials, Outcome, Policy, Principal, Reply, Verdict, policy::publish_to_system_topics,
};

/// Lets everybody do everything but publish to `$SYS`.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl Policy for AllowAll {
    fn authenticate(&self, _: &Credentials) -> Verdict {
        Verdict::Allow
    }

    fn verify(&self, _: Credentials, reply: Reply) {
        reply.send(Outcome::allow());
    }

    fn publish(&self, _: &Principal, topic: &TopicName, _: Qos, _: bool) -> Result<(), ReasonCode> {
        publish_to_system_topics(topic)
    }

    fn subscribe(&self, _: &Principal, _: &TopicFilter, _: Qos) -> Result<(), ReasonCode> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plexus_types::{ClientId, Qos, ReasonCode, TopicFilter, TopicName};

    use super::AllowAll;
    use crate::{Policy, Principal};

    fn anybody() -> Principal {
        let client_id = ClientId::try_from("c").unwrap();
        Principal {
            client_id,
            user_name: None,
            peer: None,
            listener: Arc::from("tcp"),
            tenant: None,
            is_unplaced: false,
            rights: None,
        }
    }

    #[test]
    fn nobody_publishes_to_the_topics_of_the_node() {
        let publish = |topic: &str| {
            let topic = TopicName::try_from(topic).unwrap();
            AllowAll.publish(&anybody(), &topic, Qos::AtMostOnce, false)
        };
        assert_eq!(publish("$SYS/broker/version"), Err(ReasonCode::NotAuthorized));
        assert_eq!(publish("$SYS"), Err(ReasonCode::NotAuthorized));
        assert_eq!(publish("$SYSTEM/x"), Ok(()));
        assert_eq!(publish("$other"), Ok(()));
        assert_eq!(publish("a/$SYS"), Ok(()));
    }

    #[test]
    fn everybody_may_read_the_topics_of_the_node() {
        let filter = TopicFilter::try_from("$SYS/#").unwrap();
        assert_eq!(AllowAll.subscribe(&anybody(), &filter, Qos::AtMostOnce), Ok(()));
    }
}
