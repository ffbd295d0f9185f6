//! Policy documents: what they say, checked when they are put, and what they decide.
//!
//! Written here and not taken from the crate `iam-rs`: that one says of itself that it is not verified, accepts what it
//! does not know, and brings `chrono`, `ipnet` and `utoipa`; the language as far as it is needed is this page.

use serde_json::{Map, Value};

use super::condition::{Condition, strings};
use super::wildcard;
use crate::error::AwsError;

/// What a document is attached to, which decides the fields it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A role's permissions.
    Identity,
    /// Who may assume a role.
    Trust,
}

/// A policy document that is understood to the last word.
#[derive(Debug)]
pub struct Document {
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    allows: bool,
    principals: Vec<TrustedPrincipal>,
    actions: Patterns,
    resources: Patterns,
    conditions: Vec<Condition>,
}

/// Who a trust policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedPrincipal {
    Service(String),
    /// An ARN, an account's number, or `*`.
    Aws(String),
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug)]
enum Patterns {
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
}

/// What a document says to a request, the strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    Allow,
    Silent,
    ExplicitDeny,
}

/// A request as policies see it.
pub struct Request<'a> {
    pub action: &'a str,
    pub resource: &'a str,
    pub context: &'a [(&'a str, &'a str)],
}

impl Document {
    /// Reads a document; what is malformed or not evaluated here is refused as `MalformedPolicyDocument`.
    pub fn read(text: &str, kind: Kind) -> Result<Self, AwsError> {
        let malformed = |message: String| AwsError::bad_request("MalformedPolicyDocument", message);
        let document: Value = serde_json::from_str(text)
            .map_err(|_| malformed("This policy contains invalid Json".to_owned()))?;
        Self::of(&document, kind).map_err(malformed)
    }

    fn of(document: &Value, kind: Kind) -> Result<Self, String> {
        let fields = document.as_object().ok_or("Syntax errors in policy.")?;
        known_fields(fields, &["Version", "Id", "Statement"])?;
        if !matches!(
            fields.get("Version").and_then(Value::as_str),
            None | Some("2012-10-17" | "2008-10-17")
        ) {
            return Err("The policy must contain a valid version string".to_owned());
        }
        let statements = match fields.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().map(|one| Statement::of(one, kind)).collect(),
            Some(one) => Statement::of(one, kind).map(|statement| vec![statement]),
            None => Err("Missing required field Statement".to_owned()),
        };
        Ok(Self {
            statements: statements?,
        })
    }

    /// What it says to a request of somebody whom `is_caller` recognizes. (An identity policy names nobody.)
    pub fn decide(&self, request: &Request<'_>, is_caller: impl Fn(&TrustedPrincipal) -> bool) -> Decision {
        let mut decision = Decision::Silent;
        for statement in &self.statements {
            let for_caller = statement.principals.is_empty() || statement.principals.iter().any(&is_caller);
            if !for_caller || !statement.applies(request) {
                continue;
            }
            if !statement.allows {
                return Decision::ExplicitDeny;
            }
            decision = Decision::Allow;
        }
        decision
    }

    /// The condition keys that a decision on the request would look at and that the request does not have.
    pub fn missing_keys(&self, request: &Request<'_>) -> impl Iterator<Item = &str> {
        let named = self
            .statements
            .iter()
            .filter(|statement| statement.names(request));
        named
            .flat_map(|statement| &statement.conditions)
            .map(Condition::key)
            .filter(|key| !request.context.iter().any(|(given, _)| given == key))
    }
}

impl Statement {
    fn of(statement: &Value, kind: Kind) -> Result<Self, String> {
        let fields = statement.as_object().ok_or("Syntax errors in policy.")?;
        known_fields(
            fields,
            &[
                "Sid",
                "Effect",
                "Principal",
                "Action",
                "NotAction",
                "Resource",
                "NotResource",
                "Condition",
            ],
        )?;
        let allows = match fields.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("Missing required field Effect, or it is not Allow or Deny".to_owned()),
        };
        let actions = Patterns::of(fields, "Action", "NotAction")?;
        if let Some(action) = actions
            .all()
            .iter()
            .find(|action| *action != "*" && !action.contains(':'))
        {
            return Err(format!(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {action}"
            ));
        }
        let (principals, resources) = match kind {
            Kind::Identity => (Vec::new(), identity_resources(fields)?),
            Kind::Trust => (trusted(fields)?, Patterns::OneOf(vec!["*".to_owned()])),
        };
        let conditions = fields
            .get("Condition")
            .map_or_else(|| Ok(Vec::new()), Condition::read_all)?;
        Ok(Self {
            allows,
            principals,
            actions,
            resources,
            conditions,
        })
    }

    fn applies(&self, request: &Request<'_>) -> bool {
        self.names(request)
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(request.context))
    }

    /// Whether it is about that action and resource, under whatever conditions.
    fn names(&self, request: &Request<'_>) -> bool {
        let action = request.action.to_ascii_lowercase();
        self.actions
            .hold(|pattern| wildcard::matches(&pattern.to_ascii_lowercase(), &action))
            && self
                .resources
                .hold(|pattern| wildcard::matches(pattern, request.resource))
    }
}

impl Patterns {
    fn of(fields: &Map<String, Value>, name: &str, negated: &str) -> Result<Self, String> {
        let read = |value: &Value| {
            strings(value)
                .filter(|list| !list.is_empty())
                .ok_or_else(|| format!("{name} is not a list of strings"))
        };
        match (fields.get(name), fields.get(negated)) {
            (Some(value), None) => Ok(Self::OneOf(read(value)?)),
            (None, Some(value)) => Ok(Self::NoneOf(read(value)?)),
            (Some(_), Some(_)) => Err(format!("A statement has {name} or {negated}, not both")),
            (None, None) => Err(format!("Policy statement must contain {name}s.")),
        }
    }

    fn all(&self) -> &[String] {
        let (Self::OneOf(patterns) | Self::NoneOf(patterns)) = self;
        patterns
    }

    fn hold(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::OneOf(patterns) => patterns.iter().any(|pattern| matches(pattern)),
            Self::NoneOf(patterns) => !patterns.iter().any(|pattern| matches(pattern)),
        }
    }
}

fn identity_resources(fields: &Map<String, Value>) -> Result<Patterns, String> {
    if fields.contains_key("Principal") {
        return Err("Policy document should not specify a principal.".to_owned());
    }
    let resources = Patterns::of(fields, "Resource", "NotResource")?;
    for resource in resources.all() {
        if resource != "*" && resource.splitn(6, ':').count() < 6 {
            return Err(format!("Resource {resource} must be in ARN format or \"*\"."));
        }
        if resource.contains("${") {
            return Err("the local cloud does not evaluate policy variables".to_owned());
        }
    }
    Ok(resources)
}

fn trusted(fields: &Map<String, Value>) -> Result<Vec<TrustedPrincipal>, String> {
    if fields.contains_key("Resource") || fields.contains_key("NotResource") {
        return Err("Has prohibited field Resource".to_owned());
    }
    let kinds = match fields.get("Principal") {
        Some(Value::String(all)) if all == "*" => return Ok(vec![TrustedPrincipal::Aws("*".to_owned())]),
        Some(Value::Object(kinds)) => kinds,
        _ => return Err("Missing required field Principal".to_owned()),
    };
    let mut principals = Vec::new();
    for (kind, names) in kinds {
        for name in strings(names).ok_or("Invalid principal in policy.")? {
            principals.push(match kind.as_str() {
                "Service" if name.ends_with(".amazonaws.com") => TrustedPrincipal::Service(name),
                "AWS" => TrustedPrincipal::Aws(name),
                _ => return Err(format!("Invalid principal in policy: \"{kind}\":\"{name}\"")),
            });
        }
    }
    if principals.is_empty() {
        return Err("Missing required field Principal".to_owned());
    }
    Ok(principals)
}

fn known_fields(fields: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match fields.keys().find(|field| !known.contains(&field.as_str())) {
        Some(field) => Err(format!("Syntax errors in policy: unknown field {field}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn decide(statements: Value, action: &str, resource: &str, context: &[(&str, &str)]) -> Decision {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let document = Document::read(&text, Kind::Identity).unwrap();
        document.decide(
            &Request {
                action,
                resource,
                context,
            },
            |_| false,
        )
    }

    #[test]
    fn an_explicit_deny_wins_and_silence_is_no_allow() {
        let statements = json!([
            {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"},
            {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
        ]);
        assert_eq!(
            decide(statements.clone(), "s3:GetObject", "arn:aws:s3:::b/k", &[]),
            Decision::Allow
        );
        assert_eq!(
            decide(statements.clone(), "S3:getobject", "arn:aws:s3:::b/k", &[]),
            Decision::Allow
        );
        assert_eq!(
            decide(statements.clone(), "s3:DeleteObject", "arn:aws:s3:::b/k", &[]),
            Decision::ExplicitDeny
        );
        assert_eq!(
            decide(statements, "s3:GetObject", "arn:aws:s3:::other/k", &[]),
            Decision::Silent
        );
    }

    #[test]
    fn conditions_hold_for_the_request_or_the_statement_does_not_apply() {
        let one = |condition: Value| json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
        let passed = [("iam:PassedToService", "lambda.amazonaws.com")];
        for (condition, with_key, without) in [
            (
                json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
                true,
                false,
            ),
            (
                json!({"StringLike": {"iam:passedtoservice": ["x", "lambda.*"]}}),
                true,
                false,
            ),
            (
                json!({"StringNotEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
                false,
                true,
            ),
            (
                json!({"StringEqualsIfExists": {"iam:PassedToService": "x"}}),
                false,
                true,
            ),
            (json!({"Null": {"iam:PassedToService": "true"}}), false, true),
            (json!({"Null": {"iam:PassedToService": false}}), true, false),
        ] {
            let allowed = |context| decide(one(condition.clone()), "a:B", "*", context) == Decision::Allow;
            assert_eq!(
                (allowed(&passed), allowed(&[])),
                (with_key, without),
                "{condition}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let good = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        for (field, value) in [
            ("Effect", json!("Maybe")),
            ("Action", json!("GetObject")),
            ("Resource", json!("bucket")),
            ("Resource", json!("arn:aws:s3:::${aws:username}/*")),
            ("Principal", json!("*")),
            ("Condition", json!({"NumericLessThan": {"s3:max-keys": "1"}})),
            ("Condition", json!({"StringEquals": {"aws:RequestTag/a": "b"}})),
            ("Comment", json!("x")),
        ] {
            let mut statement = good.clone();
            statement[field] = value.clone();
            let text = json!({"Statement": statement}).to_string();
            let error = Document::read(&text, Kind::Identity).unwrap_err();
            assert_eq!(error.code, "MalformedPolicyDocument", "{field} {value}");
        }
        assert!(Document::read("{", Kind::Identity).is_err());
        assert!(Document::read(&json!({"Statement": good}).to_string(), Kind::Trust).is_err());
    }
}
