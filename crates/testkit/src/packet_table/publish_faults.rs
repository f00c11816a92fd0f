//! PUBLISH as it must not be.

use plexus_wire::ProtocolError;

use super::{ALL, Row, Rows, Sender, V3, V5, V311_AND_V5};

pub(super) fn rows() -> Vec<Row> {
    [all(), old(), properties()].concat()
}

fn all() -> Vec<Row> {
    let wildcard = "[MQTT-3.3.2-2] [MQTT3-3.3.2-2] [MQTT-4.7.0-1] [MQTT3-4.7.1-1]";
    let utf8 = "[MQTT-1.5.4-1] [MQTT3-1.5.3-1] [MQTT-3.3.2-1] [MQTT3-3.3.2-1]";
    let id = "[MQTT-2.2.1-3] [MQTT3-2.3.1-1]";
    let any = Rows::new(Sender::Client, ALL)
        .refused("[MQTT-3.3.1-4] [MQTT3-3.3.1-4]", "36", ProtocolError::PublishQos)
        .refused("[MQTT-3.3.1-4] [MQTT3-3.3.1-4]", "3F", ProtocolError::PublishQos)
        .refused(wildcard, "30 04 0001'#' 00", ProtocolError::TopicWildcard)
        .refused(wildcard, "30 06 0003'a/+' 00", ProtocolError::TopicWildcard)
        .refused(utf8, "30 05 0002 C080 00", ProtocolError::NotUtf8)
        .refused(utf8, "30 06 0003 EDBFBF 00", ProtocolError::NotUtf8)
        .refused(
            "[MQTT-1.5.4-2] [MQTT3-1.5.3-2]",
            "30 05 0002'a' 00 00",
            ProtocolError::NullCharacter,
        )
        .refused(id, "32 06 0001'a' 0000 00", ProtocolError::PacketIdZero)
        .refused(id, "34 06 0001'a' 0000 00", ProtocolError::PacketIdZero)
        .refused("section 4.13.1", "30 00", ProtocolError::Truncated)
        .refused("section 4.13.1", "30 01 00", ProtocolError::Truncated)
        .refused("section 4.13.1", "30 03 0002'a'", ProtocolError::Truncated)
        .refused("section 4.13.1", "32 04 0001'a' 00", ProtocolError::Truncated)
        .refused("[MQTT-4.7.3-1] [MQTT3-4.7.3-1]", "30 03 0000 00", ProtocolError::TopicEmpty);
    let strict = Rows::new(Sender::Client, V311_AND_V5)
        .refused("[MQTT-3.3.1-2] [MQTT3-3.3.1-2]", "38", ProtocolError::PublishDup)
        .refused("[MQTT-3.3.1-2] [MQTT3-3.3.1-2]", "39", ProtocolError::PublishDup);
    let server = Rows::new(Sender::Server, ALL)
        .refused("[MQTT-3.3.1-4] [MQTT3-3.3.1-4]", "36", ProtocolError::PublishQos)
        .refused(wildcard, "30 04 0001'+' 00", ProtocolError::TopicWildcard);
    [any.table, strict.table, server.table].concat()
}

fn old() -> Vec<Row> {
    Rows::new(Sender::Client, V3)
        .refused("[MQTT3-4.7.3-1] [MQTT-4.7.3-1]", "30 02 0000", ProtocolError::TopicEmpty)
        .table
}

fn properties() -> Vec<Row> {
    let kind = "section 2.2.2.2: the properties of PUBLISH";
    let twice = "section 2.2.2.2: a property that stands twice";
    let response = "[MQTT-3.3.2-14]";
    let client = Rows::new(Sender::Client, V5)
        .refused("[MQTT-2.2.2-1]", "30 03 0001'a'", ProtocolError::Truncated)
        .refused("[MQTT-3.3.2-8]", "30 07 0001'a' 03 23 0000", ProtocolError::TopicAliasZero)
        .refused(
            "[MQTT-3.3.4-6]",
            "30 06 0001'a' 02 0B 01",
            ProtocolError::SubscriptionIdFromClient,
        )
        .refused(response, "30 08 0001'a' 04 08 0001'#'", ProtocolError::ResponseTopic)
        .refused(response, "30 0A 0001'a' 06 08 0003'b/+'", ProtocolError::ResponseTopic)
        .refused(response, "30 07 0001'a' 03 08 0000", ProtocolError::ResponseTopic)
        .refused(
            "[MQTT-3.3.2-13] [MQTT-1.5.4-1]",
            "30 08 0001'a' 04 08 0001 80",
            ProtocolError::NotUtf8,
        )
        .refused("section 3.3.2.3.2", "30 06 0001'a' 02 01 02", ProtocolError::PayloadFormat)
        .refused(kind, "30 06 0001'a' 02 24 01", ProtocolError::PropertyNotAllowed)
        .refused(kind, "30 05 0001'a' 01 00", ProtocolError::PropertyUnknown)
        .refused(kind, "30 06 0001'a' 02 FF 7F", ProtocolError::PropertyUnknown)
        .refused(twice, "30 0A 0001'a' 06 23 0001 23 0002", ProtocolError::PropertyTwice)
        .refused(twice, "30 08 0001'a' 04 01 00 01 00", ProtocolError::PropertyTwice)
        .refused(twice, "30 0A 0001'a' 06 09 0000 09 0000", ProtocolError::PropertyTwice)
        .refused("section 4.13.1", "30 04 0001'a' 05", ProtocolError::Truncated)
        .refused("section 4.13.1", "30 06 0001'a' 02 02 00", ProtocolError::Truncated)
        .refused("section 4.13.1", "30 08 0001'a' 04 09 0005 00", ProtocolError::Truncated)
        .refused("section 1.5.5", "30 07 0001'a' 80808080", ProtocolError::VariableByteInteger)
        .refused("[MQTT-1.5.5-1]", "30 05 0001'a' 8000", ProtocolError::NotMinimal)
        .refused("[MQTT-4.7.3-1]", "30 08 0000 05 02 0000003C", ProtocolError::TopicEmpty);
    let server = Rows::new(Sender::Server, V5)
        .refused("section 3.8.2.1.2", "30 06 0001'a' 02 0B 00", ProtocolError::SubscriptionIdZero)
        .refused("[MQTT-1.5.5-1]", "30 07 0001'a' 03 0B 8100", ProtocolError::NotMinimal);
    [client.table, server.table].concat()
}
