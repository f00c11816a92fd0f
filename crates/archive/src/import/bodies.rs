use crate::error::Fault;

/// The messages of a file: twelve bytes and a bit of each, whatever their bodies take.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    ids: Vec<u64>,
    sizes: Vec<u32>,
    used: Vec<u64>,
    uses: u64,
}

impl Bodies {
    pub(super) fn add(&mut self, id: u64, size: u32) -> Result<(), Fault> {
        if let Some(last) = self.ids.last().copied().filter(|last| *last >= id) {
            return Err(Fault::Ascending { id, last });
        }
        if self.ids.len().is_multiple_of(64) {
            self.used.push(0);
        }
        self.ids.push(id);
        self.sizes.push(size);
        Ok(())
    }

    /// Something refers to the message; its size, if it is there.
    pub(super) fn refer(&mut self, id: u64) -> Option<u32> {
        let at = self.ids.binary_search(&id).ok()?;
        let word = self.used.get_mut(at / 64)?;
        let bit = 1 << (at % 64);
        self.uses += u64::from(*word & bit == 0);
        *word |= bit;
        self.sizes.get(at).copied()
    }

    /// Messages that nothing refers to.
    pub(super) fn unused(&self) -> u64 {
        self.ids.len() as u64 - self.uses
    }
}
