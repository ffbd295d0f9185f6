//! One file a kind of resource: what is wanted of it, how it is read, made, changed and removed.
//!
//! # Layout
//! - `bucket` (and `bucket_contents`), `function`, `log_group`, `rest_api`, `role`, `rule`, `state_machine`.
//! - `dashboard` and `alarm` (and `cloudwatch_tags`), `topic`: what shows and tells how the stack fares.
//! - `documents`: the JSON of `asl/`, `policies/`, `api/` and `dashboards/`, with its placeholders filled in.
//! - `ownership`: the tag that says whose a resource is. `patience`: what AWS needs time for.

mod alarm;
mod bucket;
mod bucket_contents;
mod cloudwatch_tags;
mod dashboard;
pub mod documents;
mod failure;
mod function;
mod log_group;
mod ownership;
mod patience;
mod rest_api;
mod role;
mod rule;
mod state_machine;
mod topic;

pub use alarm::{ALARM, ALARM_STATE, Alarm, Counted};
pub use bucket::{BUCKET, Bucket, EVENT_BRIDGE, Notification};
pub use bucket_contents::{Contents, count};
pub use dashboard::{DASHBOARD, Dashboard};
pub use function::{ARCHITECTURE, Function, RENDITIONS};
pub use log_group::LogGroup;
pub use ownership::{Mark, RUN};
pub use rest_api::{API_ID, RestApi};
pub use role::{InlinePolicy, ServiceRole};
pub use rule::{PATTERN as RULE_PATTERN, Rule, STATE as RULE_STATE, TARGET as RULE_TARGET, Target};
pub use state_machine::StateMachine;
pub use topic::{Topic, UNCONFIRMED};
