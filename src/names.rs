//! Every name and ARN of a stack, computed from (stack, account, region, partition): any process finds every piece
//! with no state file.

use serde::Deserialize;
use thiserror::Error;

/// The longest stack name: what S3 leaves of a bucket's 63 characters beside `-original-`, the account and the
/// longest region name.
pub const STACK_NAME_MAX: usize = 24;

/// The tag that marks a resource as a stack's own; its value is the stack's name.
pub const STACK_TAG: &str = "resizer:stack";

/// The REST API's stage.
pub const STAGE: &str = "prod";

/// The REST API's resource, to be POSTed to.
pub const API_PATH: &str = "/resize";

/// A stack name that a service would refuse.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum StackNameError {
    #[error("a stack's name is 1 to {STACK_NAME_MAX} characters long, since bucket names are made of it; \"{0}\" has {n}", n = .0.chars().count())]
    Length(String),
    #[error(
        "a stack's name is made of a-z, 0-9 and -, begins with a letter and does not end with -: not \"{0}\""
    )]
    Characters(String),
    #[error("a stack's name does not begin with {0}: S3 keeps such bucket names for itself")]
    Reserved(&'static str),
}

/// Whether it can be a region's name: a part of names and addresses.
pub fn is_region(region: &str) -> bool {
    !region.is_empty() && region.len() <= 32 && is_of_small_letters_digits_and_hyphens(region)
}

fn is_of_small_letters_digits_and_hyphens(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a general purpose bucket can be called so.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub fn is_bucket(name: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.starts_with(is_end)
        && name.ends_with(is_end)
        && name.chars().all(|c| is_end(c) || c == '-' || c == '.')
        && !name.contains("..")
}

/// Says whether every service would take the names made from `stack`.
pub fn check_stack_name(stack: &str) -> Result<(), StackNameError> {
    if stack.is_empty() || stack.chars().count() > STACK_NAME_MAX {
        return Err(StackNameError::Length(stack.to_owned()));
    }
    // Bucket names that S3 keeps for itself.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    if let Some(prefix) = ["xn--", "sthree-", "amzn-s3-demo-"]
        .iter()
        .find(|prefix| stack.starts_with(**prefix))
    {
        return Err(StackNameError::Reserved(prefix));
    }
    let well_formed = stack.starts_with(|c: char| c.is_ascii_lowercase())
        && !stack.ends_with('-')
        && is_of_small_letters_digits_and_hyphens(stack);
    if well_formed {
        Ok(())
    } else {
        Err(StackNameError::Characters(stack.to_owned()))
    }
}

/// The names and ARNs of one stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub stack: String,
    pub account: String,
    pub region: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    pub lent: LentBuckets,
}

/// Buckets that are somebody else's, used in place of the stack's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LentBuckets {
    pub original: Option<String>,
    pub resized: Option<String>,
}

impl Names {
    /// The bucket that originals are uploaded to.
    pub fn original_bucket(&self) -> String {
        let lent = self.lent.original.clone();
        lent.unwrap_or_else(|| self.own_original_bucket())
    }

    /// The bucket that results are written to.
    pub fn resized_bucket(&self) -> String {
        let lent = self.lent.resized.clone();
        lent.unwrap_or_else(|| self.own_resized_bucket())
    }

    /// The stack's own bucket for originals, whether it is used or not.
    pub fn own_original_bucket(&self) -> String {
        format!("{}-original-{}-{}", self.stack, self.account, self.region)
    }

    /// The stack's own bucket for results, whether it is used or not.
    pub fn own_resized_bucket(&self) -> String {
        format!("{}-resized-{}-{}", self.stack, self.account, self.region)
    }

    pub fn function(&self) -> String {
        format!("{}-resize", self.stack)
    }

    pub fn state_machine(&self) -> String {
        format!("{}-resize", self.stack)
    }

    pub fn rule(&self) -> String {
        format!("{}-object-created", self.stack)
    }

    pub fn rest_api(&self) -> String {
        format!("{}-resize", self.stack)
    }

    /// An account's dashboards have one name space for all regions, so the region is part of it.
    pub fn dashboard(&self) -> String {
        format!("{}-{}", self.stack, self.region)
    }

    /// The topic of the stack's own that its alarms tell.
    pub fn topic(&self) -> String {
        format!("{}-alarms", self.stack)
    }

    /// No stack's name has a dot in it, so what begins with one and a dot is of that stack.
    pub fn alarm(&self, alarm: Alarm) -> String {
        format!("{}.{}", self.stack, alarm.suffix())
    }

    pub fn function_log_group(&self) -> String {
        format!("/aws/lambda/{}", self.function())
    }

    /// Under `/aws/vendedlogs/`, so that log delivery does not fill the account's log resource policies.
    pub fn state_machine_log_group(&self) -> String {
        format!("/aws/vendedlogs/states/{}", self.state_machine())
    }

    /// IAM has one name space for all regions, so the region is part of each role's name.
    pub fn role(&self, role: Role) -> String {
        format!("{}-{}-{}", self.stack, self.region, role.suffix())
    }

    pub fn bucket_arn(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{bucket}", self.partition)
    }

    pub fn role_arn(&self, role: Role) -> String {
        format!(
            "arn:{}:iam::{}:role/{}",
            self.partition,
            self.account,
            self.role(role)
        )
    }

    pub fn function_arn(&self) -> String {
        self.regional_arn("lambda", &format!("function:{}", self.function()))
    }

    pub fn state_machine_arn(&self) -> String {
        self.regional_arn("states", &format!("stateMachine:{}", self.state_machine()))
    }

    /// The ARN of the execution `name` of the stack's state machine.
    pub fn execution_arn(&self, name: &str) -> String {
        self.regional_arn("states", &format!("execution:{}:{name}", self.state_machine()))
    }

    /// What the ARN of each REST API begins with; the API's id follows.
    pub fn rest_apis_arn(&self) -> String {
        format!("arn:{}:apigateway:{}::/restapis/", self.partition, self.region)
    }

    pub fn rule_arn(&self) -> String {
        self.regional_arn("events", &format!("rule/{}", self.rule()))
    }

    /// Dashboards are of an account, not of a region.
    pub fn dashboard_arn(&self) -> String {
        format!(
            "arn:{}:cloudwatch::{}:dashboard/{}",
            self.partition,
            self.account,
            self.dashboard()
        )
    }

    pub fn topic_arn(&self) -> String {
        self.regional_arn("sns", &self.topic())
    }

    pub fn alarm_arn(&self, alarm: Alarm) -> String {
        self.regional_arn("cloudwatch", &format!("alarm:{}", self.alarm(alarm)))
    }

    /// The pattern of the ARNs of the stack's alarms, and of no others.
    pub fn alarms_arn(&self) -> String {
        self.regional_arn("cloudwatch", &format!("alarm:{}.*", self.stack))
    }

    /// A log group's ARN without the `:*` that some calls want behind it.
    pub fn log_group_arn(&self, log_group: &str) -> String {
        self.regional_arn("logs", &format!("log-group:{log_group}"))
    }

    fn regional_arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}:{}:{}:{resource}",
            self.partition, self.region, self.account
        )
    }
}

/// The stack's roles, one for each service that acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Function,
    StateMachine,
    Rule,
    Api,
}

impl Role {
    fn suffix(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::StateMachine => "state-machine",
            Self::Rule => "rule",
            Self::Api => "api",
        }
    }
}

/// What the stack's alarms tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    ExecutionsFailed,
    FunctionThrottled,
    RuleFailed,
}

impl Alarm {
    pub const ALL: [Self; 3] = [Self::ExecutionsFailed, Self::FunctionThrottled, Self::RuleFailed];

    fn suffix(self) -> &'static str {
        match self {
            Self::ExecutionsFailed => "executions-failed",
            Self::FunctionThrottled => "function-throttled",
            Self::RuleFailed => "rule-failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(stack: &str) -> Names {
        Names {
            stack: stack.to_owned(),
            account: "123456789012".to_owned(),
            region: "ap-southeast-2".to_owned(),
            partition: "aws".to_owned(),
            lent: LentBuckets::default(),
        }
    }

    #[test]
    fn the_longest_stack_name_fits_every_service() {
        let names = names(&"s".repeat(STACK_NAME_MAX));
        assert_eq!(check_stack_name(&names.stack), Ok(()));
        assert!(names.original_bucket().len() <= 63, "S3");
        assert!(names.role(Role::StateMachine).len() <= 64, "IAM");
        assert!(names.function().len() <= 64, "Lambda");
        assert!(names.rule().len() <= 64, "EventBridge");
        assert!(names.dashboard().len() <= 255, "CloudWatch");
        assert!(names.topic().len() <= 256, "SNS");
        assert!(names.state_machine().len() <= 80, "Step Functions");
    }

    #[test]
    fn a_name_that_a_service_would_refuse_is_refused_first() {
        for bad in [
            "",
            "Prod",
            "1st",
            "-a",
            "a-",
            "a_b",
            "a b",
            "ä",
            "sthree-a",
            &"a".repeat(STACK_NAME_MAX + 1),
        ] {
            assert!(check_stack_name(bad).is_err(), "{bad:?}");
        }
    }
}
