//! Why an image is not resized, in words for the person who uploaded it.

/// Why a source is not resized. Trying again gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the object is empty (0 bytes)")]
    Empty,
    #[error(
        "not an image that can be read here (JPEG, PNG, WebP, GIF, TIFF or BMP): the content starts with \"{}\"",
        .starts_with.escape_ascii()
    )]
    NotAnImage { starts_with: Vec<u8> },
    #[error("{format} images are not supported: export it as JPEG, PNG, WebP, GIF, TIFF or BMP")]
    FormatNotSupported { format: String },
    #[error("this kind of {format} image is not supported: {detail}")]
    KindNotSupported { format: &'static str, detail: String },
    #[error("the {format} image is damaged or cut off: {detail}")]
    Damaged { format: &'static str, detail: String },
    #[error("the image's decoder crashed; the image is most likely damaged")]
    DecoderCrashed,
    #[error(
        "the object has {bytes} bytes, more than the limit of {limit} bytes for a source (limits.source_bytes)"
    )]
    TooManyBytes { bytes: u64, limit: u64 },
    #[error(
        "the object has {bytes} bytes, and there are {} MiB of memory for it; function.memory gives it more",
        .limit >> 20
    )]
    NoRoom { bytes: u64, limit: u64 },
    #[error(
        "the image is {width}x{height}, {} pixels, more than the limit of {limit} pixels for a source (limits.pixels)",
        u64::from(*width) * u64::from(*height)
    )]
    TooManyPixels { width: u32, height: u32, limit: u64 },
    #[error("the animation has more frames than the limit of {limit} for one (limits.frames)")]
    TooManyFrames { limit: u64 },
    #[error(
        "the first {frames} frames of the animation have more pixels together than the limit of {limit} for a source (limits.pixels)"
    )]
    TooManyPixelsInFrames { frames: u64, limit: u64 },
    #[error("the image is {width}x{height}; the limit for its longer side is {limit} pixels (limits.side)")]
    SideTooLong { width: u32, height: u32, limit: u32 },
    #[error("the image is {width}x{height}; a side of 0 pixels shows nothing")]
    NoPixels { width: u32, height: u32 },
    #[error(
        "resizing the {format} image takes up to {} MiB of memory, and there are {} MiB for it; function.memory gives it more",
        .needed.div_ceil(1 << 20),
        .limit >> 20
    )]
    TooMuchMemory {
        format: &'static str,
        /// Bytes.
        needed: u64,
        /// Bytes.
        limit: u64,
    },
    #[error("the result would be {width}x{height}, more than the limit of {limit} pixels (limits.pixels)")]
    ResultTooLarge { width: u32, height: u32, limit: u64 },
    #[error(
        "the result would be {width}x{height}, and a {format} has at most {limit} pixels a side; a height for the rendition \
         keeps it below"
    )]
    ResultTooLong {
        format: &'static str,
        width: u32,
        height: u32,
        limit: u32,
    },
    #[error(
        "the result of {width}x{height} has {bytes} bytes, more than the limit of {limit} bytes for one (limits.result_bytes)"
    )]
    ResultOfTooManyBytes {
        width: u32,
        height: u32,
        bytes: u64,
        limit: u64,
    },
    #[error(
        "the function's time is up before it could {stage} the picture; function.timeout gives it more, and function.memory a \
         faster processor"
    )]
    TimeUp { stage: &'static str },
    #[error("two renditions, {one} and {other}, would have the same result, {key}")]
    SameResult { one: String, other: String, key: String },
    #[error("the key of rendition {name} would have {bytes} bytes, and S3's have 1 to 1024")]
    NoKey { name: String, bytes: usize },
    #[error("the event names bucket {bucket}, and this function reads pictures of {own} alone")]
    AnotherBucket { bucket: String, own: String },
    #[error("the object is a result itself, of the source {source_key:?}: it is not resized again")]
    IsAResult { source_key: String },
    #[error("the picture could not be scaled: {detail}")]
    NotScaled { detail: String },
    #[error("the picture could not be written as {format}: {detail}")]
    NotEncoded { format: &'static str, detail: String },
}
