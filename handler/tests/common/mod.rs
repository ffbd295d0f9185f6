//! What the tests of the image work share.

mod corpus;

pub use corpus::corpus;
use image::DynamicImage;
use resizer_handler::resize::{Encoded, Limits, Refusal, Rendition, resize};

/// Decodes a result as a browser would.
pub fn decode(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).unwrap()
}

/// The one picture that a rendition makes of a source.
pub fn resized(source: &[u8], rendition: &Rendition) -> Result<Encoded, Refusal> {
    let mut made = resize(source, std::slice::from_ref(rendition), &Limits::default())?;
    assert_eq!(made.pictures.len(), 1);
    Ok(made.pictures.remove(0))
}
