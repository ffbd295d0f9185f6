//! No input is accepted and ignored: each operation stands in its service's table with what it honours, and whatever else
//! is sent is refused.

use serde_json::Value;

use crate::call::Call;
use crate::error::AwsError;

/// The members of an input that an operation honours:
///
/// - `Environment`: the member, whatever is in it
/// - `Environment.Variables`: of a structure, or of each structure in a list, this member
/// - `Publish=false`: the member, where it says this
///
/// A member that says nothing (null, an empty text, list or structure) is no member.
pub type Members = &'static [&'static str];

/// A document that the operation reads and judges as a whole.
pub const ANY: Members = &["*"];

/// An operation of a protocol that names it: its name and its input's members.
pub type Operation = (&'static str, Members);

/// An operation of a REST protocol.
pub struct Route {
    pub operation: &'static str,
    /// `METHOD /path/{label}?name=value`, where the query names the operation too.
    pub request: &'static str,
    /// The query's parameters.
    pub query: Members,
    /// The body's members.
    pub body: Members,
}

impl Call {
    /// Refuses an operation that is not in `table`, and input that it does not honour.
    pub fn check(&self, table: &[Operation]) -> Result<(), AwsError> {
        let known = table.iter().find(|(name, _)| *name == self.operation);
        let (name, members) = known.ok_or_else(|| self.not_implemented())?;
        self.honour(name, members, &self.input)
    }

    /// The operation that it is, if `table` has it, and the values of its path's labels.
    pub fn find<'a>(&self, table: &'a [Route]) -> Option<(&'a Route, Vec<String>)> {
        table
            .iter()
            .find_map(|route| Some((route, self.labels(route.request)?)))
    }

    /// Finds the operation in `table`, and the values of its path's labels; refuses input that it does not honour.
    pub fn route(&self, table: &[Route]) -> Result<(&'static str, Vec<String>), AwsError> {
        let (route, labels) = self.find(table).ok_or_else(|| self.not_implemented())?;
        for (name, value) in &self.query {
            let parameter = Value::from_iter([(name.as_str(), value.as_str())]);
            self.honour(route.operation, route.query, &parameter)?;
        }
        if route.body != ANY && self.input.is_null() && !self.body.is_empty() {
            let message = format!("{}: the body is not JSON", route.operation);
            return Err(AwsError::bad_request(self.service.invalid_input(), message));
        }
        self.honour(route.operation, route.body, &self.input)?;
        Ok((route.operation, labels))
    }

    /// The values of the labels, if this is such a request.
    fn labels(&self, request: &str) -> Option<Vec<String>> {
        let path = request.strip_prefix(self.method.as_str())?.strip_prefix(" /")?;
        let (path, parameter) = path.split_once('?').unwrap_or((path, ""));
        if let Some((name, value)) = parameter.split_once('=')
            && self.query(name) != Some(value)
        {
            return None;
        }
        let mut labels = Vec::new();
        let mut segments = self.path.trim_matches('/').split('/');
        for wanted in path.split('/') {
            let segment = segments.next()?;
            let segment = percent_encoding::percent_decode_str(segment).decode_utf8_lossy();
            if wanted.starts_with('{') {
                labels.push(segment.into_owned());
            } else if wanted != segment {
                return None;
            }
        }
        segments.next().is_none().then_some(labels)
    }

    fn honour(&self, operation: &str, members: Members, input: &Value) -> Result<(), AwsError> {
        let Some(stray) = stray(members, "", input) else {
            return Ok(());
        };
        let message = format!("{operation}: the local cloud does not support {stray}");
        Err(AwsError::bad_request(self.service.invalid_input(), message))
    }
}

/// The first thing in `value`, the member at `path`, that is not among `members`: in words.
pub fn stray(members: &[&str], path: &str, value: &Value) -> Option<String> {
    if says_nothing(value) || members.iter().any(|member| *member == path || *member == "*") {
        return None;
    }
    if let Value::Array(items) = value {
        return items.iter().find_map(|item| stray(members, path, item));
    }
    let values: Vec<&str> = members
        .iter()
        .filter_map(|member| member.strip_prefix(path)?.strip_prefix('='))
        .collect();
    if !values.is_empty() {
        let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let is_honoured = values.contains(&said.as_str());
        return (!is_honoured).then(|| format!("{path} {said}, only {}", values.join(" and ")));
    }
    let below = |member: &&str| {
        path.is_empty()
            || member
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    match value {
        Value::Object(fields) if path.is_empty() || members.iter().any(below) => {
            fields.iter().find_map(|(name, value)| {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                stray(members, &path, value)
            })
        }
        _ => Some(path.to_owned()),
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(fields) => fields.values().all(says_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MEMBERS: Members = &[
        "Name",
        "Env.Variables",
        "Publish=false",
        "Kinds=A",
        "Kinds=B",
        "Targets.Id",
    ];

    #[test]
    fn what_is_honoured_or_says_nothing_passes() {
        for input in [
            json!(null),
            json!({}),
            json!({"Name": {"any": ["thing"]}}),
            json!({"Env": {"Variables": {"A": "b"}}}),
            json!({"Publish": false}),
            json!({"Publish": "false"}),
            json!({"Kinds": ["A", "B"]}),
            json!({"Targets": [{"Id": "1"}, {"Id": "2", "Arn": null}]}),
            json!({"Vpc": {"Subnets": [], "Groups": [""]}, "Layers": null}),
        ] {
            assert_eq!(stray(MEMBERS, "", &input), None, "{input}");
        }
    }

    #[test]
    fn what_is_not_honoured_is_named() {
        for (input, expected) in [
            (json!({"Role": "r"}), "Role"),
            (json!({"Env": {"Error": {"Code": 1}}}), "Env.Error"),
            (json!({"Env": "text"}), "Env"),
            (json!({"Publish": true}), "Publish true, only false"),
            (json!({"Kinds": ["A", "C"]}), "Kinds C, only A and B"),
            (json!({"Targets": [{"Id": "1"}, {"Arn": "a"}]}), "Targets.Arn"),
            (json!({"Names": 0}), "Names"),
            (json!({"Vpc": {"Ipv6": false}}), "Vpc"),
            (json!(["Name"]), ""),
        ] {
            assert_eq!(stray(MEMBERS, "", &input).as_deref(), Some(expected), "{input}");
        }
    }
}
