use plexus_types::{Qos, TopicFilter, TopicName};

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

    fn publish(&self, _: &Principal, topic: &TopicName, _: Qos, _: bool) -> Verdict {
        publish_to_system_topics(topic).into()
    }

    fn subscribe(&self, _: &Principal, _: &TopicFilter, _: Qos) -> Verdict {
        Verdict::Allow
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plexus_types::{ClientId, Qos, ReasonCode, TopicFilter, TopicName};

    use super::AllowAll;
    use crate::{Policy, Principal, Verdict};

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
        let refused = Verdict::Deny(ReasonCode::NotAuthorized);
        assert_eq!(publish("$SYS/broker/version"), refused);
        assert_eq!(publish("$SYS"), refused);
        assert_eq!(publish("$events/client/connected"), refused);
        assert_eq!(publish("$events"), refused);
        assert_eq!(publish("$eventsx"), Verdict::Allow);
        assert_eq!(publish("$SYSTEM/x"), Verdict::Allow);
        assert_eq!(publish("$other"), Verdict::Allow);
        assert_eq!(publish("a/$SYS"), Verdict::Allow);
    }

    #[test]
    fn everybody_may_read_the_topics_of_the_node() {
        let filter = TopicFilter::try_from("$SYS/#").unwrap();
        assert_eq!(AllowAll.subscribe(&anybody(), &filter, Qos::AtMostOnce), Verdict::Allow);
    }
}
