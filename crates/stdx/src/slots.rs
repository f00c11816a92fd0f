use crate::Arena;

/// Values that come and go, each named by a small number while it is there: an [`Arena`] in which a name
/// may be asked for that nobody has any more.
#[derive(Debug)]
pub struct Slots<T>(Arena<Option<T>>);

impl<T> Slots<T> {
    /// No values; no memory.
    pub const fn new() -> Self {
        Self(Arena::new())
    }

    /// Keeps `value` and names it, with a name of one that is gone if there is any.
    #[inline]
    pub fn insert(&mut self, value: T) -> u32 {
        self.0.insert(Some(value))
    }

    /// The name that the next value gets.
    pub fn next_name(&self) -> u32 {
        self.0.next_name()
    }

    /// Takes the value of that name out, if there is one.
    #[inline]
    pub fn remove(&mut self, name: u32) -> Option<T> {
        self.get(name)?;
        self.0.remove(name, None)
    }

    /// The value of that name, if there is one.
    #[inline]
    pub fn get(&self, name: u32) -> Option<&T> {
        self.0.find(name)?.as_ref()
    }

    /// The same to change it.
    #[inline]
    pub fn get_mut(&mut self, name: u32) -> Option<&mut T> {
        self.0.find_mut(name)?.as_mut()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All names are below this.
    pub const fn bound(&self) -> u32 {
        self.0.bound()
    }

    /// The names in use, ascending.
    pub fn names(&self) -> impl Iterator<Item = u32> {
        (0..self.bound()).filter(|name| self.get(*name).is_some())
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Slots;

    proptest! {
        #[test]
        fn a_name_stands_for_its_value_as_long_as_it_is_there(
            steps in prop::collection::vec((0_u32..3, any::<prop::sample::Index>()), 1..3_000),
        ) {
            let (mut slots, mut model) = (Slots::new(), BTreeMap::new());
            for (number, (kind, which)) in steps.into_iter().enumerate() {
                if kind > 0 || model.is_empty() {
                    let next = slots.next_name();
                    prop_assert_eq!(slots.insert(number), next);
                    prop_assert!(model.insert(next, number).is_none(), "a name is nobody else's");
                } else {
                    let name = *model.keys().nth(which.index(model.len())).unwrap();
                    prop_assert_eq!(slots.remove(name), model.remove(&name));
                    prop_assert_eq!(slots.remove(name), None);
                    prop_assert!(slots.get(name).is_none() && slots.get_mut(name).is_none());
                }
                prop_assert_eq!(slots.len(), model.len());
            }
            prop_assert!(slots.names().eq(model.keys().copied()));
            prop_assert!(model.iter().all(|(name, value)| slots.get(*name) == Some(value)));
            prop_assert_eq!(slots.get(slots.bound()), None);
        }
    }
}
