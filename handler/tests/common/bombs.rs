//! Small files, and some large ones, that are made to cost much: each is refused for a reason or read at no great cost.

use std::borrow::Cow;

use gif::{Encoder, Frame};

use crate::corpus::corpus;

/// A file, and what it is refused for; none if its picture is read.
pub struct Bomb {
    pub name: &'static str,
    pub source: Vec<u8>,
    pub refused: Option<&'static str>,
}

fn bomb(name: &'static str, source: Vec<u8>, refused: impl Into<Option<&'static str>>) -> Bomb {
    Bomb {
        name,
        source,
        refused: refused.into(),
    }
}

pub fn bombs() -> Vec<Bomb> {
    let zeros = vec![0; 64 << 20];
    let text = "a".repeat(64 << 20);
    let rocket = corpus("rocket.jpg");
    let tiff = corpus("../kinds/ycbcr-jpeg.tif");
    vec![
        bomb("GIF of 100,000 frames", frames(100_000, 1, 1), "(limits.frames)"),
        bomb(
            "GIF with a frame larger than all memory",
            frames(1, u16::MAX, u16::MAX),
            "(limits.pixels)",
        ),
        bomb("GIF with megabytes of comments", comments(), None),
        bomb("PNG with 64 MiB of zTXt", texts(&text, true), None),
        bomb("PNG with 32 MiB of iTXt", texts(&text[32 << 20..], false), None),
        bomb("PNG whose profile unfolds to 64 MiB", profile(zeros.into()), None),
        bomb("PNG of a million empty chunks", empty_chunks(), None),
        bomb(
            "JPEG with 900 segments of metadata",
            with_segments(&rocket, 900, |_| (0xe1, vec![7; 65_000])),
            None,
        ),
        bomb(
            "JPEG with 16 MB of profile",
            with_segments(&rocket, 255, |number| {
                let part = [b"ICC_PROFILE\0", &[number as u8 + 1, 255][..], &[7; 65_000]];
                (0xe2, part.concat())
            }),
            None,
        ),
        bomb(
            "JPEG whose metadata goes round",
            with_segments(&rocket, 1, |_| {
                (0xe1, [&b"Exif\0\0"[..], &round(0x0112)].concat())
            }),
            None,
        ),
        bomb(
            "TIFF whose directory is its own next",
            round(0x0100),
            "TIFF image",
        ),
        bomb(
            "TIFF with a palette larger than all memory",
            with_endless_palette(corpus("../kinds/palette4.tif")),
            "TIFF image",
        ),
        bomb(
            "TIFF with a JPEG larger than itself",
            with_larger_jpeg(tiff),
            "a JPEG within it is larger than its place",
        ),
        bomb(
            "TIFF of tiles that are much larger than the picture",
            tiff_of(3_125, (10, 50_000), &[(322, 6_553_600), (323, 16)], 1, (324, 325)),
            "its pieces are much larger than the picture",
        ),
        bomb(
            "TIFF whose strips are all the same megabyte",
            tiff_of(6_250, (16, 50_000), &[(278, 8)], 1 << 20, (273, 279)),
            "its pieces are longer than the file",
        ),
    ]
}

/// A gray TIFF of so many pieces that all are the same `bytes` at its end; `places` are the tags of their offsets and lengths.
fn tiff_of(
    pieces: u32,
    (width, height): (u32, u32),
    shape: &[(u16, u32)],
    bytes: u32,
    places: (u16, u16),
) -> Vec<u8> {
    let known = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 8),
        (262, 1),
        (277, 1),
    ];
    let mut tags = known.to_vec();
    tags.extend(shape);
    let directory = 8 + 2 + 12 * (tags.len() as u32 + 2) + 4;
    let (offsets, lengths) = (directory, directory + 4 * pieces);
    let place = lengths + 4 * pieces;
    let mut entries: Vec<(u16, u32, u32)> = tags.into_iter().map(|(tag, value)| (tag, 1, value)).collect();
    entries.extend([(places.0, pieces, offsets), (places.1, pieces, lengths)]);
    entries.sort_unstable();
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend((entries.len() as u16).to_le_bytes());
    for (tag, count, value) in entries {
        tiff.extend(tag.to_le_bytes());
        // All are LONG.
        tiff.extend(4u16.to_le_bytes());
        tiff.extend(count.to_le_bytes());
        tiff.extend(value.to_le_bytes());
    }
    tiff.extend([0; 4]);
    tiff.extend((0..pieces).flat_map(|_| place.to_le_bytes()));
    tiff.extend((0..pieces).flat_map(|_| bytes.to_le_bytes()));
    tiff.resize(tiff.len() + bytes as usize, 0);
    tiff
}

fn frames(count: usize, width: u16, height: u16) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), 1, 1, &[0, 0, 0, 255, 255, 255]).unwrap();
    let mut frame = Frame {
        width: 1,
        height: 1,
        buffer: Cow::Owned(vec![1]),
        ..Frame::default()
    };
    frame.make_lzw_pre_encoded();
    (frame.width, frame.height) = (width, height);
    for _ in 0..count {
        encoder.write_lzw_pre_encoded_frame(&frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

fn comments() -> Vec<u8> {
    let whole = corpus("animated.gif");
    // After the header, the screen's descriptor and its colours.
    let colours = if whole[10] & 0x80 == 0 {
        0
    } else {
        3 << ((whole[10] & 7) + 1)
    };
    let (header, rest) = whole.split_at(13 + colours);
    let mut comment = vec![0x21, 0xfe];
    for _ in 0..200_000 {
        comment.push(255);
        comment.extend([b'a'; 255]);
    }
    comment.push(0);
    [header, &comment, rest].concat()
}

fn png(change: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>), info: png::Info<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::with_info(&mut bytes, info).unwrap();
    change(&mut encoder);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[7; 100]).unwrap();
    writer.finish().unwrap();
    bytes
}

fn texts(text: &str, compressed: bool) -> Vec<u8> {
    let add = |encoder: &mut png::Encoder<'_, &mut Vec<u8>>| {
        let (keyword, text) = ("Comment".to_owned(), text.to_owned());
        if compressed {
            encoder.add_ztxt_chunk(keyword, text).unwrap();
        } else {
            encoder.add_itxt_chunk(keyword, text).unwrap();
        }
    };
    png(add, png::Info::with_size(10, 10))
}

fn profile(profile: Cow<'_, [u8]>) -> Vec<u8> {
    let mut info = png::Info::with_size(10, 10);
    info.icc_profile = Some(profile);
    png(|_| {}, info)
}

fn empty_chunks() -> Vec<u8> {
    let whole = png(|_| {}, png::Info::with_size(10, 10));
    let at = whole.windows(4).position(|kind| kind == b"IDAT").unwrap() - 4;
    // A chunk that says nothing to anyone, and its checksum.
    let empty = b"\0\0\0\0naUt\x4e\x9d\x1a\x25";
    [&whole[..at], &empty.repeat(1_000_000), &whole[at..]].concat()
}

fn with_segments(jpeg: &[u8], count: usize, content: impl Fn(usize) -> (u8, Vec<u8>)) -> Vec<u8> {
    let mut source = jpeg[..2].to_vec();
    for number in 0..count {
        let (marker, content) = content(number);
        source.extend([0xff, marker]);
        source.extend((content.len() as u16 + 2).to_be_bytes());
        source.extend(content);
    }
    source.extend(&jpeg[2..]);
    source
}

/// A TIFF directory of 65,535 entries, as it says, that is followed by itself.
fn round(tag: u16) -> Vec<u8> {
    let mut directory = b"II*\0\x08\0\0\0\xff\xff".to_vec();
    for _ in 0..4000 {
        directory.extend(tag.to_le_bytes());
        // One short, which is at the directory's beginning, as is the next directory.
        directory.extend([3, 0, 1, 0, 0, 0, 8, 0, 0, 0]);
    }
    directory
}

/// The table of colours has four billion entries, as it says.
fn with_endless_palette(mut tiff: Vec<u8>) -> Vec<u8> {
    let entry = tiff
        .windows(4)
        .position(|bytes| bytes == [0x40, 1, 3, 0])
        .unwrap();
    tiff[entry + 4..entry + 8].fill(u8::MAX);
    tiff
}

/// The JPEG that is a strip says of itself that it is 16,000 pixels wide and high.
fn with_larger_jpeg(mut tiff: Vec<u8>) -> Vec<u8> {
    let frame = tiff
        .windows(4)
        .position(|bytes| bytes == [0xff, 0xc0, 0, 17])
        .unwrap();
    let side = 16_000_u16.to_be_bytes();
    tiff[frame + 5..frame + 9].copy_from_slice(&[side, side].concat());
    tiff
}
