//! What the AWS CLI and SDKs need to talk to a local cloud.

use resizer_local::Endpoint;
use serde_json::{Map, Value};

use crate::error::CommandError;
use crate::ui::Ui;
use crate::ui::format::shell_quoted;

/// Prints the variables, as lines for a shell or as a document.
pub fn print(endpoint: &Endpoint, ui: &Ui) -> Result<(), CommandError> {
    if ui.json {
        let document: Map<String, Value> = variables(endpoint)
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .into_iter()
            .collect();
        return ui.json(&document);
    }
    ui.result(exports(endpoint))
}

fn variables(endpoint: &Endpoint) -> [(&'static str, &str); 5] {
    [
        ("AWS_ENDPOINT_URL", &endpoint.url),
        ("AWS_REGION", &endpoint.region),
        // boto3 reads this one.
        ("AWS_DEFAULT_REGION", &endpoint.region),
        ("AWS_ACCESS_KEY_ID", &endpoint.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &endpoint.secret_access_key),
    ]
}

fn exports(endpoint: &Endpoint) -> String {
    // A session token or profile of the user's would not go with these keys.
    let mut lines = vec!["unset AWS_SESSION_TOKEN AWS_PROFILE".to_owned()];
    lines.extend(variables(endpoint).map(|(name, value)| format!("export {name}={}", shell_quoted(value))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_what_a_shell_evaluates() {
        let endpoint = Endpoint {
            url: "http://127.0.0.1:4566".to_owned(),
            region: "eu-central-1".to_owned(),
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: "it's/secret+=".to_owned(),
            pid: 1,
        };
        insta::assert_snapshot!(exports(&endpoint), @r"
        unset AWS_SESSION_TOKEN AWS_PROFILE
        export AWS_ENDPOINT_URL='http://127.0.0.1:4566'
        export AWS_REGION='eu-central-1'
        export AWS_DEFAULT_REGION='eu-central-1'
        export AWS_ACCESS_KEY_ID='AKIAEXAMPLE'
        export AWS_SECRET_ACCESS_KEY='it'\''s/secret+='
        ");
    }
}
