//! A `bootstrap` that stores the object unchanged where the resized picture would go: what the pipeline costs without
//! the image work.

use std::process::ExitCode;

use resizer_handler::resize::{Durations, Encoded, FileFormat, Limits, Refusal, Rendition, Resized, Size};

fn main() -> ExitCode {
    resizer_handler::serve(copy)
}

fn copy(source: &[u8], _: &[Rendition], _: &Limits) -> Result<Resized, Refusal> {
    let unread = Size { width: 0, height: 0 };
    Ok(Resized {
        pictures: vec![Encoded {
            bytes: source.to_vec(),
            format: FileFormat::Jpeg,
            size: unread,
        }],
        source_size: unread,
        source_format: "copied",
        durations: Durations::default(),
    })
}
