//! Numbers and texts as people read them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::wrap::columns_of;

/// `41 ms`, `1.9 s`, `2 min 05 s`.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..59_950 => format!("{:.1} s", duration.as_secs_f64()),
        _ => {
            let seconds = (millis + 500) / 1000;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}

/// `512 B`, `176 kB`, `1.4 MB`: as S3's console, in steps of 1,000.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..999_500 => format!("{:.0} kB", bytes as f64 / 1e3),
        999_500..999_950_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// `value` as one word of a shell's command line.
pub fn shell_word(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        shell_quoted(value)
    }
}

/// `value` in a shell's quotes, whatever is in it.
pub fn shell_quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// `2026-11-23 03:11:02`, where this machine is.
pub fn date_and_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%F %T").to_string()
}

/// `11-23 03:11:02`, where this machine is.
pub fn day_and_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%m-%d %T").to_string()
}

/// `03:11:02`, where this machine is.
pub fn time_with_seconds(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%T").to_string()
}

/// `11-23 03:11:02.041`, where this machine is.
pub fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%m-%d %T%.3f")
        .to_string()
}

/// `03:11`, where this machine is.
pub fn time_of_day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%H:%M").to_string()
}

/// `text` with what would act on a terminal, or forge a line of ours, replaced: control characters, and those that
/// turn the direction of writing.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if acts(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

fn acts(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// An object's address, fit to print whatever its key.
pub fn s3_uri(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{}", printable(key))
}

/// `text` as [`printable`], on one line, in no more than `max` columns.
pub fn clipped(text: &str, max: usize) -> String {
    let line = printable(text);
    if columns_of(&line) <= max {
        return line;
    }
    format!("{}…", beginning(&line, max.saturating_sub(1)))
}

/// As much of `text` as stands in `max` columns: what people take for one character is there whole, or not.
pub fn beginning(text: &str, max: usize) -> &str {
    let mut columns = 0;
    let end = text.grapheme_indices(true).find(|(_, cluster)| {
        columns += cluster.width();
        columns > max
    });
    &text[..end.map_or(text.len(), |(end, _)| end)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_fits() {
        let shown = [0, 41, 1_941, 59_940, 59_960, 119_600, 125_000];
        let shown = shown.map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(
            shown,
            [
                "0 ms",
                "41 ms",
                "1.9 s",
                "59.9 s",
                "1 min 00 s",
                "2 min 00 s",
                "2 min 05 s"
            ]
        );
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let shown = [0, 999, 176_000, 999_600, 1_400_000, 999_960_000, 5_000_000_000].map(bytes);
        assert_eq!(
            shown,
            ["0 B", "999 B", "176 kB", "1.0 MB", "1.4 MB", "1.0 GB", "5.0 GB"]
        );
    }

    #[test]
    fn a_key_cannot_act_on_the_terminal() {
        assert_eq!(s3_uri("b", "a\u{1b}[31m\n✓ x"), "s3://b/a\u{fffd}[31m\u{fffd}✓ x");
        assert_eq!(s3_uri("b", "日本 é.jpg"), "s3://b/日本 é.jpg");
    }

    #[test]
    fn a_long_text_is_clipped_to_one_line() {
        assert_eq!(clipped("two\nlines", 20), "two\u{fffd}lines");
        assert_eq!(clipped("abcdef", 4), "abc…");
        assert_eq!(clipped("日本語", 6), "日本語");
        assert_eq!(clipped("日本語", 4), "日…");
        assert_eq!(clipped("👩‍👩‍👧‍👦 family", 4), "👩‍👩‍👧‍👦 …");
    }
}
