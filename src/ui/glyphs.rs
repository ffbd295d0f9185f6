//! The characters that marks, bars and lines are drawn with, and what stands in for them where the locale takes no Unicode.

use std::borrow::Cow;
use std::env;
use std::sync::OnceLock;

/// `text` as the locale of this process takes it. Keys and messages of others keep their letters, but a character that we
/// draw with is replaced in them as well.
pub fn fitting(text: &str) -> Cow<'_, str> {
    if is_unicode() || text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| stand_in(c).unwrap_or(c)).collect())
}

/// Whether the locale takes Unicode.
pub fn is_unicode() -> bool {
    static IS_UNICODE: OnceLock<bool> = OnceLock::new();
    *IS_UNICODE.get_or_init(|| takes_unicode(|name| env::var(name).ok()))
}

/// Whether a locale takes Unicode; where no variable names one, it does. The first that is set counts, as in POSIX.
fn takes_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| variable(name).filter(|locale| !locale.is_empty()));
    named.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// What is as wide, so that columns stay aligned and lines as long as they are.
fn stand_in(c: char) -> Option<char> {
    Some(match c {
        '✓' => '+',
        '✗' | '×' => 'x',
        '…' => '~',
        '·' | '─' | '–' => '-',
        '━' => '=',
        '→' => '>',
        '←' => '<',
        '↑' => '^',
        '↓' => 'v',
        '↻' => '*',
        char::REPLACEMENT_CHARACTER => '?',
        '▁' | '▂' => '_',
        '▃' | '▄' => 'o',
        '▅' | '▆' => 'O',
        '▇' | '█' => '#',
        '▏' => '|',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_locale_that_says_otherwise_takes_no_unicode() {
        let takes = |all: &str, ctype: &str, lang: &str| {
            let variables = [("LC_ALL", all), ("LC_CTYPE", ctype), ("LANG", lang)];
            takes_unicode(|asked| {
                let mut variables = variables.iter();
                variables.find_map(|(name, value)| (*name == asked).then(|| (*value).to_owned()))
            })
        };
        assert!(takes("", "", ""));
        assert!(takes("", "", "de_DE.UTF-8"));
        assert!(takes("C.utf8", "POSIX", "C"));
        assert!(!takes("C", "", "en_GB.UTF-8"));
        assert!(!takes("", "POSIX", "en_GB.UTF-8"));
        assert!(!takes("", "", "de_DE.ISO-8859-1"));
    }
}
