//! Who makes a request.

use std::sync::Arc;

use crate::cloud::{ACCOUNT, PARTITION};

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The account itself, with the access key of `endpoint.json`: allowed everything.
    Root,
    /// A session of a role: allowed what the role's policies allow.
    Role(Arc<AssumedRole>),
}

/// A session of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role's name, without its path.
    pub role_name: String,
    /// The role's unique id, `AROA…`: a role that is deleted and made again is another role.
    pub role_id: String,
    pub session_name: String,
}

impl Principal {
    /// The ARN that error messages, events and GetCallerIdentity show.
    pub fn arn(&self) -> String {
        match self {
            Self::Root => format!("arn:{PARTITION}:iam::{ACCOUNT}:root"),
            Self::Role(session) => format!(
                "arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/{}/{}",
                session.role_name, session.session_name
            ),
        }
    }

    /// The unique id: the account's number, or `AROA…:session`.
    pub fn user_id(&self) -> String {
        match self {
            Self::Root => ACCOUNT.to_owned(),
            Self::Role(session) => format!("{}:{}", session.role_id, session.session_name),
        }
    }
}
