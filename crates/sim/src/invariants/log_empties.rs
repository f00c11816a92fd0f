//! When all sessions have ended, nothing is retained and cleaning has come to rest, the log holds no
//! body and no living state; nobody ever gave back what it did not hold.

use super::Invariant;
use crate::{history::History, seen::Seen};

#[derive(Debug)]
pub(super) struct LogEmpties;

impl Invariant for LogEmpties {
    fn name(&self) -> &'static str {
        "log_empties"
    }

    fn check(&mut self, _: &History, seen: &Seen<'_>) -> Result<(), String> {
        let stat = match seen {
            Seen::Rested(rest) => rest.stat,
            Seen::Emptied(stat) if stat.bodies > 0 || stat.state_bytes > 0 => {
                let (bodies, state) = (stat.bodies, stat.state_bytes);
                return Err(format!("the log keeps {bodies} bodies and {state} bytes of state"));
            }
            Seen::Emptied(stat) => *stat,
            _ => return Ok(()),
        };
        match stat.strange_releases {
            0 => Ok(()),
            count => Err(format!("{count} bodies were given back that the log did not hold")),
        }
    }
}
