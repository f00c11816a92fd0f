use std::time::Duration;

use super::{
    ByteSize, LogFilter, Secret, SizeError, Span, SpanError, SpanOrNever, Watermark, WatermarkError,
};

#[test]
fn a_size_has_a_unit_or_is_a_number_of_bytes() {
    let bytes = |text: &str| text.parse::<ByteSize>().map(ByteSize::get);
    assert_eq!(bytes("0"), Ok(0));
    assert_eq!(bytes("1234"), Ok(1_234));
    assert_eq!(bytes("64KiB"), Ok(65_536));
    assert_eq!(bytes("1MB"), Ok(1_000_000));
    assert_eq!(bytes(" 2 gib "), Ok(2 << 30));
    assert_eq!(bytes("1kb"), Ok(1_000));
    for text in ["", "KiB", "1.5MB", "-1", "1 KiBs", "1KiB2", "1k"] {
        assert_eq!(bytes(text), Err(SizeError::Shape), "{text}");
    }
    assert_eq!(bytes("18446744073709551616"), Err(SizeError::TooLarge));
    assert_eq!(bytes("99999999TiB"), Err(SizeError::TooLarge));
}

#[test]
fn a_size_is_shown_as_it_would_be_written() {
    for (bytes, text) in [(0, "0B"), (1_500, "1500B"), (65_536, "64KiB"), (1_000_000, "1MB")] {
        assert_eq!(ByteSize::bytes(bytes).to_string(), text);
        assert_eq!(text.parse(), Ok(ByteSize::bytes(bytes)));
    }
}

#[test]
fn a_duration_needs_its_unit() {
    let millis = |text: &str| text.parse::<Span>().map(|span| span.get().as_millis());
    assert_eq!(millis("15s"), Ok(15_000));
    assert_eq!(millis("250ms"), Ok(250));
    assert_eq!(millis("1d12h"), Ok(129_600_000));
    assert_eq!(millis(" 1h 30 m "), Ok(5_400_000));
    assert_eq!(millis("15"), Err(SpanError::NoUnit(15)));
    for text in ["", "s", "1.5s", "-1s", "1w", "1S", "never", "1s,2"] {
        assert_eq!(millis(text), Err(SpanError::Shape), "{text}");
    }
    assert_eq!(millis("99999999999999999999s"), Err(SpanError::TooLong));
    assert_eq!(millis("999999999999999999d"), Err(SpanError::TooLong));
    assert_eq!("never".parse(), Ok(SpanOrNever::Never));
    assert_eq!("2h".parse(), Ok(SpanOrNever::secs(7_200)));
}

#[test]
fn a_duration_is_shown_as_it_would_be_written() {
    for text in ["0s", "250ms", "1s500ms", "1d12h", "2h", "1m30s"] {
        assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
    }
    assert_eq!("1500ms".parse::<Span>().unwrap().whole_secs(), None);
    assert_eq!("2000ms".parse::<Span>().unwrap().whole_secs(), Some(2));
    assert_eq!(Span::secs(3).get(), Duration::from_secs(3));
}

#[test]
fn a_watermark_is_percent_size_or_off() {
    let bytes = |text: &str| text.parse::<Watermark>().map(|mark| mark.bytes_of(1_000));
    assert_eq!(bytes("75%"), Ok(750));
    assert_eq!(bytes("1KiB"), Ok(1_024));
    assert_eq!(bytes("off"), Ok(0));
    assert_eq!(bytes("0%"), Err(WatermarkError::Percent));
    assert_eq!(bytes("101%"), Err(WatermarkError::Percent));
    assert_eq!(bytes("%"), Err(WatermarkError::Shape));
    assert_eq!(bytes("much"), Err(WatermarkError::Shape));
}

#[test]
fn a_log_filter_names_levels() {
    for text in ["info", "off", "info,plexus_net=debug", "warn, plexus_broker::shard=trace"] {
        assert_eq!(text.parse::<LogFilter>().unwrap().as_str(), text);
    }
    let error = |text: &str| text.parse::<LogFilter>().unwrap_err().to_string();
    assert_eq!(
        error("verbose"),
        "is no log filter: `verbose` is no level; the levels are off, error, warn, info, debug and \
         trace"
    );
    assert_eq!(error("=debug"), "is no log filter: `` is no module; a part reads <module>=<level>");
    assert!("".parse::<LogFilter>().is_err());
}

#[test]
fn a_secret_is_never_shown() {
    let inline = "hunter2".parse::<Secret>().unwrap();
    assert_eq!(format!("{inline} {inline:?}"), "*** Secret(***)");
    assert_eq!(serde_json::to_string(&inline).unwrap(), "\"***\"");
    let file = "file:/run/secrets/alice".parse::<Secret>().unwrap();
    assert_eq!(file.to_string(), "file:/run/secrets/alice");
    assert!("file:".parse::<Secret>().is_err());
    assert!("".parse::<Secret>().is_err());
}
