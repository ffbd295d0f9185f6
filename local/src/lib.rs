//! The embedded local cloud: the AWS operations that an image-resize pipeline lives on, on this machine.
//!
//! One HTTP endpoint on 127.0.0.1 speaks AWS's own wire protocols, so the AWS SDKs, the AWS CLI and boto3 work
//! against it. It is narrow on purpose: an operation that is not built answers with a clear `NotImplemented` error, and what
//! an operation does not honour is refused.
//!
//! # Layout
//!
//! The way of a request, from the socket to the disk:
//!
//! - [`server`]: the listener; every connection and request starts here and goes to one service
//! - [`auth`]: Signature Version 4; a request's signature becomes a [`principal::Principal`]
//! - [`call`]: what a service gets ([`call::Call`]) and gives ([`call::Reply`])
//! - [`inputs`]: what an operation honours; anything else that is sent is refused
//! - [`protocol`]: how AWS's wire protocols read a call and render a reply or an error
//! - one folder a service: [`s3`], [`iam`], [`sts`], [`logs`], [`monitoring`], [`lambda`], [`states`], [`sns`],
//!   [`events`], [`apigateway`]; each has its tables in its own `schema.sql`
//! - [`store`]: SQLite; one writer that commits waiting work together
//! - [`cloud`]: what all services share, and starting and stopping it
//! - [`endpoint`]: the data folder, and how other processes find the server that holds it
//! - [`credentials`]: temporary credentials of role sessions
//! - [`error`]: the error an AWS call ends with, and why a cloud would not start
//! - [`realism`]: AWS's bad days, on request
//! - [`random`]: identifiers and secrets
//! - [`backoff`]: the waits between tries
//! - [`jsonpath`], [`glob`]: paths and wildcards, as the services' documents hold them
//! - [`paging`], [`tags`]: pages of lists, and tags, as every service has them

mod apigateway;
mod auth;
mod backoff;
mod call;
mod cloud;
mod credentials;
mod endpoint;
mod error;
mod events;
mod glob;
mod iam;
mod inputs;
mod jsonpath;
mod lambda;
mod logs;
mod monitoring;
mod paging;
mod principal;
mod protocol;
mod random;
mod realism;
mod s3;
mod server;
mod sns;
mod states;
mod store;
mod sts;
mod tags;

pub use cloud::{ACCOUNT, Cloud, RunningCloud, Settings};
pub use endpoint::{Endpoint, FIRST_REGION, FindError};
pub use error::{ServeError, StartError};
pub use realism::{Conditions, Fault, Mishap, Realism};
