//! Shared subscriptions: their members together are one receiver.

use plexus_types::Qos;

use super::{Group, Role, Workload};
use crate::pattern::Place;

/// One shared subscription, whichever groups its members are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Share {
    name: String,
    /// The group that it was found with first.
    pub(super) group: usize,
    /// A member stays.
    stays: bool,
    /// A member comes and goes, and its session keeps what comes meanwhile.
    returns: bool,
    /// A member comes and goes.
    pub(super) passes: bool,
    /// The lowest and the highest quality of service of a member.
    least: Qos,
    most: Qos,
}

/// All of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shares {
    pub(super) all: Vec<Share>,
    by_group: Vec<Option<usize>>,
}

impl Share {
    /// Whether each message that is published so is owed to it, whoever of its members is there.
    pub(crate) fn is_owed(&self, published: Qos) -> bool {
        self.stays || (self.returns && published > Qos::AtMostOnce)
    }

    /// Whether such a message may not be lost, whoever gets it.
    pub(crate) fn is_assured(&self, published: Qos) -> bool {
        self.least.min(published) > Qos::AtMostOnce
    }

    /// Whether a member may get such a message with QoS 1, and so again.
    pub(crate) fn may_repeat(&self, published: Qos) -> bool {
        published == Qos::AtLeastOnce
            || (published == Qos::ExactlyOnce
                && self.least <= Qos::AtLeastOnce
                && self.most >= Qos::AtLeastOnce)
    }
}

impl Shares {
    pub(super) fn of(workload: &Workload) -> Self {
        let mut shares = Self::default();
        for (index, group) in workload.groups.iter().enumerate() {
            let share = shares.join(index, group);
            shares.by_group.push(share);
        }
        shares
    }

    fn join(&mut self, index: usize, group: &Group) -> Option<usize> {
        let Role::Subscribe(subscribing) = &group.role else { return None };
        let (name, qos) = (subscribing.shared.as_ref()?, subscribing.qos);
        let known = self.all.iter().position(|share| share.name == *name);
        let place = known.unwrap_or(self.all.len());
        if known.is_none() {
            let (name, group) = (name.clone(), index);
            let (stays, returns, passes) = (false, false, false);
            self.all.push(Share { name, group, stays, returns, passes, least: qos, most: qos });
        }
        let share = self.all.get_mut(place)?;
        share.stays |= group.churn.is_none();
        share.passes |= group.churn.is_some();
        share.returns |= group.sessions.are_kept() && qos > Qos::AtMostOnce;
        (share.least, share.most) = (share.least.min(qos), share.most.max(qos));
        Some(place)
    }

    /// The number of the share that the clients of a group are members of.
    pub(crate) fn of_group(&self, group: usize) -> Option<usize> {
        self.by_group.get(group).copied().flatten()
    }

    pub(crate) fn get(&self, share: usize) -> Option<&Share> {
        self.all.get(share)
    }
}

impl Workload {
    /// The name of a shared subscription whose members have different filters, so that they would not
    /// be one receiver.
    pub(super) fn divided_share(&self) -> Option<String> {
        let shares = Shares::of(self);
        let groups = self.groups.iter().enumerate();
        let divided = groups.filter_map(|(index, group)| {
            let share = shares.all.get(shares.of_group(index)?)?;
            let first = self.groups.get(share.group)?;
            let (Role::Subscribe(mine), Role::Subscribe(theirs)) = (&group.role, &first.role)
            else {
                return None;
            };
            let own = [Place::Client, Place::Id, Place::Random];
            let same = mine.filter == theirs.filter && mine.each == theirs.each;
            let divided = !same || own.iter().any(|place| mine.filter.has(*place));
            divided.then(|| share.name.clone())
        });
        divided.into_iter().next()
    }
}
