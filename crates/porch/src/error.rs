use std::io;

use plexus_net::BindError;

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not to be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A listener of that name is open.
    #[error("a listener named {0} is open already")]
    Name(String),
    /// The system does not watch the socket.
    #[error("the system refused to watch the socket")]
    Watch(#[source] io::Error),
    /// The node is shutting down.
    #[error("the node is shutting down")]
    Stopped,
}
