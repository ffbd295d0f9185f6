//! Identifiers and secrets, from the operating system's random source.

use crate::error::AwsError;

/// `N` random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], AwsError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| AwsError::internal(format!("the system's random source failed: {error}")))?;
    Ok(bytes)
}

/// A version 4 UUID, as AWS uses for request ids and much else.
pub fn uuid() -> Result<String, AwsError> {
    let mut b: [u8; 16] = bytes()?;
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let h = hex::encode(b);
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &h[..8],
        &h[8..12],
        &h[12..16],
        &h[16..20],
        &h[20..]
    ))
}

/// `prefix` and as many of A–Z and 2–7 as make 20 characters: the form of AWS's access keys (`AKIA…`, `ASIA…`) and of
/// IAM's unique ids (`AROA…`).
pub fn unique_id(prefix: &str) -> Result<String, AwsError> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let random: [u8; 20] = bytes()?;
    let letters = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    Ok(prefix.chars().chain(letters).take(20).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_have_the_form_aws_gives_them() {
        let uuid = uuid().unwrap();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        let key = unique_id("AKIA").unwrap();
        assert_eq!(key.len(), 20);
        assert!(key.starts_with("AKIA"));
        assert_ne!(key, unique_id("AKIA").unwrap());
    }
}
