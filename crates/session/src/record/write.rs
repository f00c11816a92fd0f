use plexus_stdx::varint;
use plexus_types::{Instant, ProtocolVersion};

use super::{IDS, RETAIN, SHARED};
use crate::{Change, Entry, Held, Image, WillImage};

pub(super) fn change(change: &Change, into: &mut Vec<u8>) {
    match change {
        Change::Image(value) => {
            into.push(0x01);
            image(value, into);
        }
        Change::Attached(expiry, protocol) => {
            into.push(0x02);
            number(u64::from(*expiry), into);
            version(*protocol, into);
        }
        Change::Away => into.push(0x03),
        Change::Expiry(expiry) => tagged(0x04, *expiry, into),
        Change::Subscribed(value) => {
            into.push(0x05);
            held(value, into);
        }
        Change::Unsubscribed(filter) => {
            into.push(0x06);
            text(filter.as_bytes(), into);
        }
        Change::Queued(value, _) => {
            into.push(0x07);
            entry(value, into);
        }
        Change::Dropped(sequence, _) => tagged(0x08, sequence.get(), into),
        Change::Received(sequence, _) => tagged(0x09, sequence.get(), into),
        Change::Completed(sequence, _) => tagged(0x0a, sequence.get(), into),
        Change::Accepted(id) => tagged(0x0b, u32::from(id.get()), into),
        Change::Released(id) => tagged(0x0c, u32::from(id.get()), into),
        Change::Will(value) => {
            into.push(0x0d);
            will(value.as_deref(), into);
        }
        Change::Ended(_) => into.push(0x0e),
    }
}

fn image(image: &Image, into: &mut Vec<u8>) {
    text(image.client_id.as_bytes(), into);
    optional(image.user_name.as_deref(), into, |name, into| text(name.as_bytes(), into));
    version(image.version, into);
    number(u64::from(image.expiry), into);
    optional(image.away_since, into, instant);
    optional(image.unsent, into, |place, into| number(u64::from(place.get()), into));
    number(u64::from(image.next.get()), into);
    will(image.will.as_deref(), into);
    number(image.subscriptions.len() as u64, into);
    for subscription in &image.subscriptions {
        held(subscription, into);
    }
    number(image.accepted.len() as u64, into);
    for id in &image.accepted {
        number(u64::from(id.get()), into);
    }
    number(image.entries.len() as u64, into);
    let mut since = 0_u32;
    for value in &image.entries {
        // They stand in the order in which they came, so the steps are small.
        number(u64::from(value.since.wrapping_sub(since)), into);
        since = value.since;
        entry(value, into);
    }
}

fn held(held: &Held, into: &mut Vec<u8>) {
    text(held.filter.as_bytes(), into);
    let options = held.options;
    // The bits of section 3.8.3.1.
    into.push(
        options.qos.get()
            | u8::from(options.no_local) << 2
            | u8::from(options.retain_as_published) << 3
            | (options.retain_handling as u8) << 4,
    );
    number(u64::from(held.id.unwrap_or(0)), into);
}

fn entry(entry: &Entry, into: &mut Vec<u8>) {
    number(u64::from(entry.sequence.get()), into);
    number(entry.message.get(), into);
    number(u64::from(entry.size), into);
    let ids = entry.extras.subscription_ids();
    into.push(
        entry.qos.get()
            | if entry.retain { RETAIN } else { 0 }
            | u8::from(entry.released) << 3
            | if ids.is_empty() { 0 } else { IDS }
            | if entry.extras.shared().is_some() { SHARED } else { 0 },
    );
    if !ids.is_empty() {
        number(ids.len() as u64, into);
        for id in ids {
            number(u64::from(*id), into);
        }
    }
    if let Some(filter) = entry.extras.shared() {
        text(filter.as_bytes(), into);
    }
}

fn will(will: Option<&WillImage>, into: &mut Vec<u8>) {
    optional(will, into, |will, into| {
        let message = &will.message;
        text(message.topic.as_bytes(), into);
        text(&message.payload, into);
        into.push(message.qos.get() | u8::from(message.retain) << 2);
        text(message.properties.bytes(), into);
        number(u64::from(will.delay), into);
        optional(will.lifetime, into, |seconds, into| number(u64::from(seconds), into));
        text(message.publisher.as_bytes(), into);
    });
}

/// Milliseconds since 1970.
fn instant(at: Instant, into: &mut Vec<u8>) {
    number(at.as_millis(), into);
}

fn version(version: ProtocolVersion, into: &mut Vec<u8>) {
    into.push(version.level());
}

fn tagged(kind: u8, value: u32, into: &mut Vec<u8>) {
    into.push(kind);
    number(u64::from(value), into);
}

fn optional<T>(value: Option<T>, into: &mut Vec<u8>, write: impl FnOnce(T, &mut Vec<u8>)) {
    into.push(u8::from(value.is_some()));
    if let Some(value) = value {
        write(value, into);
    }
}

/// LEB128.
fn number(value: u64, into: &mut Vec<u8>) {
    varint::put(into, value);
}

fn text(bytes: &[u8], into: &mut Vec<u8>) {
    number(bytes.len() as u64, into);
    into.extend_from_slice(bytes);
}
