//! Messages.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use plexus_api_model::{Encoding, Publication, PublicationProperties, Published, operations};
use plexus_terminal::Failure;

use crate::{
    caller::Caller,
    files,
    table::{Column, Row, Table, numbers, words},
    units,
};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PublishArgs {
    /// Where to
    #[arg(required_unless_present = "bulk")]
    topic: Option<String>,

    /// What; nothing, where neither this nor --file is given
    #[arg(allow_hyphen_values = true, conflicts_with = "file")]
    payload: Option<String>,

    /// The file that is the payload; - for stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Quality of service
    #[arg(long, short, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,

    /// Keep it for those who subscribe later
    #[arg(long, short)]
    retain: bool,

    /// The tenant in which it is published
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// The client in whose name it is published [default: the user or the key]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Content Type, such as text/plain
    #[arg(long, value_name = "TEXT")]
    content_type: Option<String>,

    /// Response Topic
    #[arg(long, value_name = "TOPIC")]
    response_topic: Option<String>,

    /// Correlation Data
    #[arg(long, value_name = "TEXT")]
    correlation_data: Option<String>,

    /// Message Expiry Interval
    #[arg(long, value_name = "SECONDS")]
    expiry: Option<u32>,

    /// The payload is UTF-8 (Payload Format Indicator)
    #[arg(long)]
    utf8: bool,

    /// User Property; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = property)]
    user_property: Vec<(String, String)>,

    /// A file with an array of messages, as POST /publish/bulk takes them; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_ONE)]
    bulk: Option<PathBuf>,
}

/// What is said of one message.
const OF_ONE: [&str; 13] = [
    "topic",
    "payload",
    "file",
    "qos",
    "retain",
    "tenant",
    "client_id",
    "content_type",
    "response_topic",
    "correlation_data",
    "expiry",
    "utf8",
    "user_property",
];

const EXAMPLES: &str = "\
Examples:
  plexus ctl publish plant/lamp on --qos 1 --retain
  plexus ctl publish plant/picture --file lamp.jpg --content-type image/jpeg
  plexus ctl publish --bulk messages.json      [{\"topic\": \"a\", \"payload\": \"1\", \"qos\": 1}, …]";

/// What the API takes at most, in base64 perhaps.
const PAYLOAD_MAX: u64 = 4 * 1024 * 1024;

impl Row for Published {
    const COLUMNS: &'static [Column<Self>] = &[
        numbers("CODE", |published| published.reason_code.unwrap_or_default().to_string()),
        words("RESULT", |published| {
            let told = units::maybe(published.message.as_ref());
            if told.is_empty() { "taken".to_owned() } else { told }
        }),
    ];
}

/// Published, and nobody wanted it (MQTT 5.0, section 3.4.2.1).
const NO_MATCHING_SUBSCRIBERS: u8 = 0x10;

/// From there on a reason code is a failure.
const FAILURES: u8 = 0x80;

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) fn run(caller: &mut Caller<'_>, args: PublishArgs) -> Result<(), Failure> {
    if let Some(file) = &args.bulk {
        return bulk(caller, file);
    }
    let publication = args.publication()?;
    let topic = publication.topic.clone();
    let answer = caller.client.call(&operations::PUBLISH, &(), &(), &publication)?;
    if caller.out.is_json() {
        return caller.document(&answer.text);
    }
    match answer.value.reason_code {
        None | Some(0) => caller.out.done(format_args!("published to {topic}")),
        Some(NO_MATCHING_SUBSCRIBERS) => {
            caller.out.done(format_args!("published to {topic}; nobody is subscribed to it"))
        }
        Some(code) => {
            let message = units::maybe(answer.value.message.as_ref());
            caller.out.done(format_args!("published to {topic}: {code} {message}"))
        }
    }
}

fn bulk(caller: &mut Caller<'_>, file: &Path) -> Result<(), Failure> {
    let bytes = files::read(file, PAYLOAD_MAX)?;
    let messages: Vec<Publication> = serde_json::from_slice(&bytes).map_err(|error| {
        let file = file.display();
        Failure::Failed(format!(
            "{file}: it is no array of messages as the API takes them: {error}"
        ))
    })?;
    let answer = caller.client.call(&operations::PUBLISH_BULK, &(), &(), &messages)?;
    let codes = answer.value.iter().filter_map(|published| published.reason_code);
    let failed = codes.filter(|code| *code >= FAILURES).count();
    if caller.out.is_json() {
        caller.document(&answer.text)?;
    } else if failed > 0 {
        Table::default().write(&answer.value, &mut caller.out)?;
    } else {
        caller.out.done(format_args!("published {} messages", answer.value.len()))?;
    }
    match failed {
        0 => Ok(()),
        _ => {
            Err(Failure::Failed(format!("{failed} of {} messages were not taken", messages.len())))
        }
    }
}

impl PublishArgs {
    fn publication(self) -> Result<Publication, Failure> {
        let bytes = match (self.payload, &self.file) {
            (Some(payload), _) => payload.into_bytes(),
            (None, Some(file)) => files::read(file, PAYLOAD_MAX)?,
            (None, None) => Vec::new(),
        };
        let (payload, payload_encoding) = match String::from_utf8(bytes) {
            Ok(text) => (text, Encoding::Plain),
            Err(error) => (STANDARD.encode(error.as_bytes()), Encoding::Base64),
        };
        let properties = PublicationProperties {
            payload_format_indicator: self.utf8.then_some(1),
            message_expiry_interval: self.expiry,
            response_topic: self.response_topic,
            correlation_data: self.correlation_data,
            content_type: self.content_type,
            user_properties: unique(self.user_property)?,
        };
        Ok(Publication {
            topic: self.topic.unwrap_or_default(),
            payload,
            payload_encoding,
            qos: self.qos,
            retain: self.retain,
            tenant: self.tenant,
            clientid: self.client_id,
            properties: (properties != PublicationProperties::default()).then_some(properties),
        })
    }
}

/// The API has each name once.
fn unique(pairs: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Failure> {
    let mut properties = BTreeMap::new();
    for (name, value) in pairs {
        if properties.contains_key(&name) {
            let told = format!("--user-property {name}: the API takes each name once");
            return Err(Failure::Usage(told));
        }
        properties.insert(name, value);
    }
    Ok(properties)
}
