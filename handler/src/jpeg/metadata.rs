//! What the application segments say.

/// What the application segments say.
#[derive(Debug, Default)]
pub struct Metadata<'a> {
    /// A JFIF segment was there: gray or YCbCr.
    pub has_jfif: bool,
    /// The colour transform that Adobe's segment names.
    pub adobe_transform: Option<u8>,
    /// A TIFF file of its own.
    pub exif: Option<&'a [u8]>,
    pub xmp: Option<&'a [u8]>,
    /// The resources that Photoshop keeps there.
    pub photoshop: Option<&'a [u8]>,
    /// Parts of the colour profile: number from 1, how many there are, content.
    icc_parts: Vec<(u8, u8, &'a [u8])>,
}

impl<'a> Metadata<'a> {
    /// Reads APP`number`.
    pub fn read(&mut self, number: u8, content: &'a [u8]) {
        match number {
            0 if content.starts_with(b"JFIF\0") => self.has_jfif = true,
            1 => {
                self.exif = self.exif.or_else(|| content.strip_prefix(b"Exif\0\0"));
                self.xmp = self
                    .xmp
                    .or_else(|| content.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0"));
            }
            2 => {
                if let Some([number, count, part @ ..]) = content.strip_prefix(b"ICC_PROFILE\0")
                    && self.icc_parts.len() < usize::from(u8::MAX)
                {
                    self.icc_parts.push((*number, *count, part));
                }
            }
            13 if self.photoshop.is_none() => self.photoshop = content.strip_prefix(b"Photoshop 3.0\0"),
            // Version and flags, two bytes each, come before the transform.
            14 => {
                if let Some(fields) = content.strip_prefix(b"Adobe") {
                    self.adobe_transform = fields.get(6).copied();
                }
            }
            _ => {}
        }
    }

    /// The colour profile, if all of its parts are there (ICC.1:2022, B.4).
    pub fn icc_profile(&self) -> Option<Vec<u8>> {
        let &(_, count, _) = self.icc_parts.first()?;
        let part = |wanted: u8| {
            let found = self.icc_parts.iter().find(|&&(number, ..)| number == wanted)?;
            Some(found.2)
        };
        let parts: Option<Vec<&[u8]>> = (1..=count).map(part).collect();
        Some(parts?.concat())
    }
}
