//! Values that the file writes as text and the program reads as types.

mod access;
mod expression;
mod filter;
mod log_filter;
mod moment;
mod placed;
mod rate;
mod ratio;
mod secret;
mod size;
mod span;
mod tenant;
mod watermark;

pub use access::{NetworkText, TopicPattern, TopicPatternError};
pub use expression::{ExpressionText, ExpressionTextError};
pub use filter::{RuleFilter, RuleFilterError};
pub use log_filter::{LogFilter, LogFilterError};
pub use moment::{Moment, MomentError};
pub use placed::{Placed, PlacedError};
pub use rate::{RateError, RateText};
pub use ratio::{RatioError, RatioText};
pub use secret::{Secret, SecretError};
pub use size::{ByteSize, SizeError};
pub use span::{Span, SpanError, SpanOrNever};
pub use tenant::{TenantText, TenantTextError};
pub use watermark::{Watermark, WatermarkError};

/// Serde for a type that is text in the file (`FromStr`, `Display`), with what a plain integer
/// means in its place. The error names the text that was found.
macro_rules! text_value {
    ($type:ty, $expecting:literal, $integer:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(|error| E::custom(format_args!("`{text}` {error}")))
                    }
                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$type, E> {
                        let made: Result<$type, <$type as std::str::FromStr>::Err> =
                            ($integer)(number);
                        made.map_err(|error| E::custom(format_args!("`{number}` {error}")))
                    }
                    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<$type, E> {
                        match u64::try_from(number) {
                            Ok(number) => self.visit_u64(number),
                            Err(_) => {
                                Err(E::custom(format_args!("`{number}` must not be negative")))
                            }
                        }
                    }
                }
                source.deserialize_any(Visitor)
            }
        }
    };
}
pub(crate) use text_value;

#[cfg(test)]
mod tests;
