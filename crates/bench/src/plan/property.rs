//! User properties of MQTT 5.0 that published messages carry.

use plexus_types::{MessageProperties, Text};
use plexus_wire::property::MessagePropertiesBuilder;

use crate::pattern::{Filling, Pattern, PatternError, Place};

/// One user property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProperty {
    name: Text,
    value: Pattern,
}

/// Why a text is no user property, with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// Nothing stands before the value.
    #[error("expected NAME=VALUE, for example unit=celsius")]
    Shape,
    /// A name or a value that is no text of MQTT.
    #[error("`{text}` {why}")]
    Text {
        /// The beginning of it.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A place that stands for nothing there.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl UserProperty {
    /// A property whose value may have places.
    pub fn new(name: &str, value: &str) -> Result<Self, PropertyError> {
        if name.is_empty() {
            return Err(PropertyError::Shape);
        }
        let value = Pattern::parse(value, Place::OF_PROPERTY)?;
        let numbers = Filling { client: u64::MAX, message: u64::MAX, ..Filling::default() };
        text(&value.text(&numbers))?;
        Ok(Self { name: text(name)?, value })
    }

    /// Reads `NAME=VALUE`.
    pub fn parse(written: &str) -> Result<Self, PropertyError> {
        let (name, value) = written.split_once('=').ok_or(PropertyError::Shape)?;
        Self::new(name, value)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value, as it is written.
    pub const fn value(&self) -> &Pattern {
        &self.value
    }
}

/// The properties of one message. A value that has become too long with what fills it is left out.
pub(crate) fn properties(all: &[UserProperty], filling: &Filling<'_>) -> MessageProperties {
    let mut builder = MessagePropertiesBuilder::new();
    for property in all {
        if let Ok(value) = Text::try_from(property.value.text(filling)) {
            builder = builder.user_property(&property.name, &value);
        }
    }
    builder.build()
}

fn text(text: &str) -> Result<Text, PropertyError> {
    const SHOWN: usize = 40;
    Text::try_from(text).map_err(|why| PropertyError::Text {
        text: text.chars().take(SHOWN).collect(),
        why: why.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use plexus_wire::property::{MessageProperty, message_properties};

    use super::*;

    #[test]
    fn places_are_filled_for_each_message() {
        let all = ["unit=celsius", "n=%n of %i/%c=", "empty=", "unit=kelvin"];
        let all = all.map(|text| UserProperty::parse(text).unwrap());
        let filling = Filling { client: 7, id: "me", message: 3, ..Filling::default() };
        let found = message_properties(&properties(&all, &filling)).collect::<Vec<_>>();
        let pair = |name, value| MessageProperty::User(text(name).unwrap(), text(value).unwrap());
        assert_eq!(
            found,
            [
                pair("unit", "celsius"),
                pair("n", "3 of 7/me="),
                pair("empty", ""),
                pair("unit", "kelvin")
            ]
        );
        assert!(properties(&[], &filling).is_empty());
    }

    #[test]
    fn what_is_no_property_is_told() {
        let error = |text: &str| UserProperty::parse(text).unwrap_err().to_string();
        for text in ["", "unit", "=celsius"] {
            assert_eq!(error(text), "expected NAME=VALUE, for example unit=celsius");
        }
        assert!(error("a=%s").starts_with("`%s` at character 1 stands for nothing here"));
        assert!(error("a=x\0").starts_with("`x\0` "), "{}", error("a=x\0"));
        assert!(error("a\0=x").starts_with("`a\0` "));
        assert!(error(&format!("a={}", "x".repeat(65_536))).len() < 200);
    }
}
