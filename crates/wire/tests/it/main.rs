//! The tests of the codec from outside: the packet table, properties over drawn packets, hostile
//! input, limits, and that nothing is copied.

mod hostile;
mod limits;
mod publish_head;
mod stream;
mod table;
mod versions;
mod zero_copy;
