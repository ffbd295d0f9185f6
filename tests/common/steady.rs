//! What a person sees, without what differs from run to run.

/// The text with `[…]` for times, durations, ids and ports, and without the spaces that stand at the end of a line.
pub fn steady(text: &str) -> String {
    let patterns = [
        (r"invoke-[0-9a-f]{32}", "[execution]"),
        // On one line or, where the line ends, on two.
        (
            r"([0-9a-f]↩?(\n *)?){8}-↩?(\n *)?(([0-9a-f]↩?(\n *)?){4}-↩?(\n *)?){3}([0-9a-f]↩?(\n *)?){11}[0-9a-f]",
            "[execution]",
        ),
        (
            r"[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}(⟨⟩)?  (⟨[a-z]+⟩)?[0-9a-f]{8}-[0-9a-f]{4}\b",
            "[moment]$1  $2[execution]",
        ),
        (
            r"[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}",
            "[moment]",
        ),
        (
            r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
            "[date and time]",
        ),
        (r"[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", "[day and time]"),
        (r"\b[0-9]{2}:[0-9]{2}:[0-9]{2}\b", "[time of day]"),
        // The beginning of a name, as the list shows it.
        (r"([✓✗](⟨[a-z ]*⟩)*) [0-9a-f]{8}(-[0-9a-f]+)? ", "$1 [execution] "),
        // Where in the execution, and for how long.
        (r" *(⟨[a-z]+⟩)?[━─]+", " $1[bar]"),
        (r"[0-9]+ of 1769 MB", "[memory] of 1769 MB"),
        (
            r#""(decode|download|encode|resize|upload)":[0-9]+"#,
            "\"$1\":[millis]",
        ),
        // The run may have been at the turn of an hour.
        (r"[·▁▂▃▄▅▆▇█]{24}", "[24 bars]"),
        (r"at most [0-9]+ an hour", "at most [number] an hour"),
        (r" [0-9]{2}:[0-9]{2} +now", " [time of day] now"),
        // However wide they are, and whatever room is left before them.
        (r" *(⟨dim⟩)?\+[0-9.]+ (ms|s)\b", " $1+[time]"),
        (r" *(⟨dim⟩)?[0-9.]+ (ms|s)\b", " $1[time]"),
        (
            r"127\.0\.0\.1:[0-9]+/restapis/[0-9a-z]+/",
            "127.0.0.1:[port]/restapis/[id]/",
        ),
        (r"127\.0\.0\.1:[0-9]+", "127.0.0.1:[port]"),
        (r" +\n", "\n"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, steady)| {
        regex_lite::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *steady)
            .into_owned()
    })
}
