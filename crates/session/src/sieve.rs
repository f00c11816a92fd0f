use std::fmt;

use plexus_types::{Qos, TopicName};

/// Says of each message on its way to the client whether the client may have it. Asked when a message comes and
/// again when one that has waited is to leave, so that nobody gets what he has lost the right to.
pub trait Sieve: fmt::Debug + Send {
    /// Whether a message of that topic, with that quality of service, may go to the client.
    fn passes(&mut self, topic: &TopicName, qos: Qos) -> bool;
}
