//! A `bootstrap` that stores the object unchanged where the resized picture would go: what the pipeline costs without
//! the image work.

use std::process::ExitCode;

use resizer_handler::resize::{Durations, Refusal, ResizeSettings, Resized, Size};

fn main() -> ExitCode {
    resizer_handler::serve(copy)
}

fn copy(source: &[u8], settings: &ResizeSettings) -> Result<Resized, Refusal> {
    let unread = Size { width: 0, height: 0 };
    Ok(Resized {
        bytes: source.to_vec(),
        format: settings.format,
        size: unread,
        source_size: unread,
        source_format: "copied",
        durations: Durations::default(),
    })
}
