//! What the tests of the image work share.

mod corpus;

pub use corpus::corpus;
use image::DynamicImage;

/// Decodes a result as a browser would.
pub fn decode(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).unwrap()
}
