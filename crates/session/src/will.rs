//! The message that a client leaves behind.

use std::{sync::Arc, time::Duration};

use plexus_types::{ClientId, Durability, Instant, Message, MessageId};
use plexus_wire::Will;

use crate::Publication;

/// The Will of a session ([MQTT-3.1.2-7]), held until the client says good-bye or it is published.
#[derive(Debug)]
pub(crate) struct StoredWill {
    /// The message; its expiry is set when it is published.
    pub(crate) message: Arc<Message>,
    /// Will Delay Interval in seconds.
    pub(crate) delay: u32,
    /// Message Expiry Interval in seconds, counted from its publication.
    lifetime: Option<u32>,
}

impl StoredWill {
    /// The Will of a CONNECT, in bytes of its own.
    pub(crate) fn new(will: Will, publisher: ClientId) -> Self {
        let message = Message {
            id: MessageId::NONE,
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            // [MQTT-3.1.2-14], [MQTT-3.1.2-15], [MQTT3-3.1.2-16], [MQTT3-3.1.2-17]
            retain: will.retain,
            properties: will.properties,
            expires: None,
            durability: Durability::default(),
            publisher,
        };
        Self {
            message: Arc::new(message.detached()),
            delay: will.delay_interval,
            lifetime: will.message_expiry_interval,
        }
    }

    /// As the log keeps it.
    pub(crate) fn image(&self) -> crate::WillImage {
        let message = Message::clone(&self.message);
        crate::WillImage { message, delay: self.delay, lifetime: self.lifetime }
    }

    /// From the log.
    pub(crate) fn restore(will: crate::WillImage) -> Self {
        Self { message: Arc::new(will.message), delay: will.delay, lifetime: will.lifetime }
    }

    /// The Will as it enters the node now.
    pub(crate) fn into_publication(self, now: Instant) -> Publication {
        let mut message = Arc::unwrap_or_clone(self.message);
        message.expires = self.lifetime.map(|secs| now + Duration::from_secs(u64::from(secs)));
        Publication { message, packet_id: None, will: true }
    }
}
