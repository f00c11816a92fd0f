use std::sync::{
    Arc,
    mpsc::{SyncSender, TrySendError},
};

use plexus_links::Bell;
use plexus_porch::{Homes, Incoming};
use plexus_types::ClientId;

use crate::{reactor::Control, shard::Context};

/// The shards of a node, to which the porch hands connections over.
pub(crate) struct Shards {
    ways: Vec<(SyncSender<Control>, Bell)>,
    context: Arc<Context>,
}

impl Shards {
    pub(crate) fn new(ways: Vec<(SyncSender<Control>, Bell)>, context: Arc<Context>) -> Self {
        Self { ways, context }
    }
}

impl Homes for Shards {
    fn home(&self, client: &ClientId) -> u16 {
        self.context.home(client)
    }

    fn hand_over(&self, home: u16, incoming: Box<Incoming>) -> Result<(), Box<Incoming>> {
        let Some((sender, bell)) = self.ways.get(usize::from(home)) else { return Ok(()) };
        match sender.try_send(Control::Arrive(incoming)) {
            Ok(()) => {
                bell.ring();
                Ok(())
            }
            Err(TrySendError::Full(Control::Arrive(incoming))) => {
                bell.ring();
                Err(incoming)
            }
            // The shard has ended: the node goes down.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Ok(()),
        }
    }
}
