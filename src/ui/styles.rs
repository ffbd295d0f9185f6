//! What colours mean, wherever something is told.

use anstyle::{AnsiColor, Style};

/// As it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// On the way, or not quite as it should be.
pub const UNSETTLED: Style = AnsiColor::Yellow.on_default();
/// What tells of a failure.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What is of little interest.
pub const FAINT: Style = Style::new().dimmed();
