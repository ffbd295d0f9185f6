//! Temporary credentials of role sessions.
//!
//! Nothing of them is stored: the secret key is derived from the access key id, and the session token carries who the
//! session is and until when, sealed with the server's secret. So they survive a restart, and there is nothing to sweep.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::sync::Arc;

use crate::error::AwsError;
use crate::principal::{AssumedRole, Principal};
use crate::random;

/// A role session's credentials, as STS hands them out.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    pub expiration: Timestamp,
}

/// Someone's session of a role, and the credentials to act as it.
#[derive(Clone)]
pub struct RoleSession {
    pub principal: Principal,
    pub credentials: Credentials,
}

/// What a session token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    role_name: String,
    role_id: String,
    session_name: String,
    /// Seconds since the epoch.
    expires: i64,
}

/// Why a session token is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub enum BadToken {
    /// Not one of this cloud's for this access key.
    Invalid,
    Expired,
}

/// Makes and checks the credentials of role sessions.
pub struct Issuer {
    secret: Vec<u8>,
}

impl Issuer {
    /// An issuer whose seal is derived from the account's own secret access key.
    pub fn new(secret_access_key: &str) -> Self {
        Self {
            secret: hmac_sha256(secret_access_key.as_bytes(), &[b"resizer local role sessions"]),
        }
    }

    /// Credentials for a session of a role, good for `lifetime` from now.
    pub fn issue(&self, session: AssumedRole, lifetime: SignedDuration) -> Result<RoleSession, AwsError> {
        let access_key_id = random::unique_id("ASIA")?;
        let expiration = Timestamp::now() + lifetime;
        let claims = Claims {
            role_name: session.role_name.clone(),
            role_id: session.role_id.clone(),
            session_name: session.session_name.clone(),
            expires: expiration.as_second(),
        };
        let claims = serde_json::to_vec(&claims).map_err(|error| AwsError::internal(error.to_string()))?;
        let seal = hmac_sha256(&self.secret, &[b"token", access_key_id.as_bytes(), &claims]);
        let credentials = Credentials {
            secret_access_key: self.secret_of(&access_key_id),
            session_token: format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(claims),
                URL_SAFE_NO_PAD.encode(seal)
            ),
            access_key_id,
            expiration,
        };
        Ok(RoleSession {
            principal: Principal::Role(Arc::new(session)),
            credentials,
        })
    }

    /// The secret access key that goes with a session's access key id.
    pub fn secret_of(&self, access_key_id: &str) -> String {
        STANDARD.encode(&hmac_sha256(&self.secret, &[b"secret", access_key_id.as_bytes()])[..30])
    }

    /// Whose session `token` is, if it was issued with `access_key_id` and is still good.
    pub fn session_of(&self, access_key_id: &str, token: &str) -> Result<Principal, BadToken> {
        let (claims, seal) = token.split_once('.').ok_or(BadToken::Invalid)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| BadToken::Invalid)?;
        let seal = URL_SAFE_NO_PAD.decode(seal).map_err(|_| BadToken::Invalid)?;
        let mut mac = keyed(&self.secret);
        update_framed(&mut mac, &[b"token", access_key_id.as_bytes(), &claims]);
        mac.verify_slice(&seal).map_err(|_| BadToken::Invalid)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| BadToken::Invalid)?;
        if claims.expires <= Timestamp::now().as_second() {
            return Err(BadToken::Expired);
        }
        Ok(Principal::Role(Arc::new(AssumedRole {
            role_name: claims.role_name,
            role_id: claims.role_id,
            session_name: claims.session_name,
        })))
    }
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = keyed(key);
    update_framed(&mut mac, parts);
    mac.finalize().into_bytes().to_vec()
}

/// Each part with its length before it, so that no two lists of parts give the same bytes.
fn update_framed(mac: &mut Hmac<Sha256>, parts: &[&[u8]]) {
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
}

#[allow(clippy::expect_used)] // HMAC takes a key of any length.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn session() -> AssumedRole {
        AssumedRole {
            role_name: "resizer".to_owned(),
            role_id: "AROA1".to_owned(),
            session_name: "s".to_owned(),
        }
    }

    #[test]
    fn a_token_is_good_for_its_access_key_alone_and_until_it_expires() {
        let issuer = Issuer::new("secret");
        let hour = SignedDuration::from_hours(1);
        let one = issuer.issue(session(), hour).unwrap().credentials;
        let other = issuer.issue(session(), hour).unwrap().credentials;
        let old = issuer.issue(session(), -hour).unwrap().credentials;

        let principal = issuer.session_of(&one.access_key_id, &one.session_token).unwrap();
        assert_eq!(
            principal.arn(),
            "arn:aws:sts::000000000000:assumed-role/resizer/s"
        );
        assert_eq!(
            issuer.session_of(&other.access_key_id, &one.session_token),
            Err(BadToken::Invalid)
        );
        assert_eq!(
            issuer.session_of(&old.access_key_id, &old.session_token),
            Err(BadToken::Expired)
        );
        assert_eq!(
            Issuer::new("another").session_of(&one.access_key_id, &one.session_token),
            Err(BadToken::Invalid)
        );
        assert_eq!(issuer.secret_of(&one.access_key_id), one.secret_access_key);
    }
}
