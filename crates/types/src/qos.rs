/// Quality of Service of a message or of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Qos {
    /// Delivered once or not at all.
    #[default]
    AtMostOnce = 0,
    /// Delivered until acknowledged; may arrive twice.
    AtLeastOnce = 1,
    /// Delivered exactly once.
    ExactlyOnce = 2,
}

impl Qos {
    /// The level of that number; 3 and above do not exist ([MQTT-3.3.1-4]).
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The number of the level.
    pub const fn get(self) -> u8 {
        self as u8
    }
}
