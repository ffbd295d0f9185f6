//! What stays of a picture's metadata.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Cursor;

use image::{Rgb, RgbImage};
use resizer_handler::resize::{Limits, OutputFormat, Rendition, resize};
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::RGB8;
use tiff::tags::Tag;

/// Who made it, whose it is, and where it was taken.
const XMP: &str = "<rdf:RDF><rdf:Description><dc:creator><rdf:Seq><rdf:li>Ada L.</rdf:li></rdf:Seq></dc:creator>\
    <dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>hers &amp; mine</rdf:li></rdf:Alt></dc:rights>\
    <exif:GPSLatitude>51,30N</exif:GPSLatitude></rdf:Description></rdf:RDF>";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x1b\
    \x1c\x02\x50\0\x06Ada L.\x1c\x02\x74\0\x0bhers & mine\0";

fn red() -> RgbImage {
    RgbImage::from_pixel(40, 30, Rgb([255, 0, 0]))
}

/// With such an application segment.
fn jpeg(number: u8, segment: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder.add_app_segment(number, segment.to_vec()).unwrap();
    let colours = jpeg_encoder::ColorType::Rgb;
    encoder.encode(&red(), 40, 30, colours).unwrap();
    bytes
}

fn png(texts: &[(&str, &str)], xmp: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 40, 30);
    encoder.set_color(png::ColorType::Rgb);
    for &(keyword, text) in texts {
        encoder.add_text_chunk(keyword.into(), text.into()).unwrap();
    }
    if let Some(xmp) = xmp {
        encoder
            .add_itxt_chunk("XML:com.adobe.xmp".into(), xmp.into())
            .unwrap();
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&red()).unwrap();
    writer.finish().unwrap();
    bytes
}

fn webp(xmp: &str) -> Vec<u8> {
    let config = webpx::EncoderConfig::new().xmp(xmp.as_bytes());
    config.encode_rgb(&red(), 40, 30, webpx::Unstoppable).unwrap()
}

fn tiff(xmp: &str) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    let mut image = encoder.new_image::<RGB8>(40, 30).unwrap();
    let directory = image.encoder();
    directory.write_tag(Tag::Unknown(700), xmp.as_bytes()).unwrap();
    image.write_data(&red()).unwrap();
    bytes.into_inner()
}

/// The file that is made of it.
fn made(source: &[u8], rendition: Rendition) -> Vec<u8> {
    let mut made = resize(source, &[rendition], &Limits::default()).unwrap();
    made.pictures.remove(0).bytes
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn of_the_metadata_only_who_made_it_and_whose_it_is_stays() {
    // Artist "Ada Lovelace", Copyright "Ada", Make "Camera", orientation 3.
    let exif = b"II*\0\x08\0\0\0\x04\0\x0f\x01\x02\0\x07\0\0\0\x3e\0\0\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\
        \x3b\x01\x02\0\x0d\0\0\0\x46\0\0\0\x98\x82\x02\0\x04\0\0\0Ada\0\0\0\0\0Camera\0\0Ada Lovelace\0\0";
    let tagged = jpeg(1, &[b"Exif\0\0", exif.as_slice()].concat());
    assert!(has(&tagged, "Camera"));
    let rendition = |format| Rendition {
        width: 20,
        format,
        ..Rendition::default()
    };
    // It is written, and not read.
    let avif = made(&tagged, rendition(OutputFormat::Avif));
    assert!(has(&avif, "Ada Lovelace") && !has(&avif, "Camera"));
    for format in [OutputFormat::Jpeg, OutputFormat::Png, OutputFormat::Webp] {
        let once = made(&tagged, rendition(format));
        assert!(has(&once, "Ada Lovelace") && !has(&once, "Camera"), "{format:?}");
        // It is read again, and stays upright.
        let twice = made(&once, rendition(format));
        assert!(
            has(&twice, "Ada Lovelace") && has(&twice, "Ada\0"),
            "{format:?} once more"
        );
    }
}

#[test]
fn who_made_it_and_whose_it_is_stays_wherever_it_is_said() {
    let sources = [
        (
            "JPEG, XMP",
            jpeg(1, format!("http://ns.adobe.com/xap/1.0/\0{XMP}").as_bytes()),
        ),
        ("JPEG, IPTC", jpeg(13, PHOTOSHOP)),
        (
            "PNG, text",
            png(&[("Author", "Ada L."), ("Copyright", "hers & mine")], None),
        ),
        ("PNG, XMP", png(&[], Some(XMP))),
        ("WebP, XMP", webp(XMP)),
        ("TIFF, XMP", tiff(XMP)),
    ];
    for (name, source) in sources {
        let made = made(&source, Rendition::default());
        assert!(has(&made, "Ada L.\0") && has(&made, "hers & mine\0"), "{name}");
        assert!(!has(&made, "GPS") && !has(&made, "rdf"), "{name}");
    }
}
