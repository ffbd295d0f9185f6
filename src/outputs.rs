//! What a stack is made of, in the words that scripts rely on.

use serde::Serialize;

use crate::names::{API_PATH, Names, Role, STAGE};

/// The `"outputs"` of a JSON document.
#[derive(Debug, Clone, Serialize)]
pub struct Outputs {
    pub stack: String,
    pub region: String,
    pub account: String,
    pub original_bucket: String,
    pub resized_bucket: String,
    pub function_name: String,
    pub function_arn: String,
    pub state_machine_arn: String,
    pub rule_name: String,
    pub rule_arn: String,
    pub dashboard: String,
    /// Where the console shows it; absent with a custom endpoint, which has no console.
    pub dashboard_url: Option<String>,
    /// Absent while the REST API does not stand: its id is AWS's choice.
    pub rest_api_id: Option<String>,
    pub api_url: Option<String>,
    pub log_groups: LogGroups,
    pub roles: Roles,
}

/// Log group names.
#[derive(Debug, Clone, Serialize)]
pub struct LogGroups {
    pub function: String,
    pub state_machine: String,
}

/// Role ARNs.
#[derive(Debug, Clone, Serialize)]
pub struct Roles {
    pub function: String,
    pub state_machine: String,
    pub rule: String,
    pub api: String,
}

impl Outputs {
    /// `endpoint_url` is the custom endpoint, if one is used.
    pub fn new(names: &Names, rest_api_id: Option<String>, endpoint_url: Option<&str>) -> Self {
        let api_url = rest_api_id.as_deref().map(|id| api_url(names, id, endpoint_url));
        Self {
            stack: names.stack.clone(),
            region: names.region.clone(),
            account: names.account.clone(),
            original_bucket: names.original_bucket(),
            resized_bucket: names.resized_bucket(),
            function_name: names.function(),
            function_arn: names.function_arn(),
            state_machine_arn: names.state_machine_arn(),
            rule_name: names.rule(),
            rule_arn: names.rule_arn(),
            dashboard: names.dashboard(),
            dashboard_url: endpoint_url.is_none().then(|| dashboard_url(names)),
            rest_api_id,
            api_url,
            log_groups: LogGroups {
                function: names.function_log_group(),
                state_machine: names.state_machine_log_group(),
            },
            roles: Roles {
                function: names.role_arn(Role::Function),
                state_machine: names.role_arn(Role::StateMachine),
                rule: names.role_arn(Role::Rule),
                api: names.role_arn(Role::Api),
            },
        }
    }
}

/// Assumption (AWS docs: CloudWatch User Guide, "Sharing … dashboards"; each partition's console): the console's address.
fn dashboard_url(names: &Names) -> String {
    let domain = match names.partition.as_str() {
        "aws-cn" => "amazonaws.cn",
        "aws-us-gov" => "amazonaws-us-gov.com",
        _ => "aws.amazon.com",
    };
    let (region, name) = (&names.region, names.dashboard());
    format!("https://{region}.console.{domain}/cloudwatch/home?region={region}#dashboards/dashboard/{name}")
}

/// The address to POST to.
fn api_url(names: &Names, id: &str, endpoint_url: Option<&str>) -> String {
    match endpoint_url {
        Some(endpoint) => {
            let endpoint = endpoint.trim_end_matches('/');
            format!("{endpoint}/restapis/{id}/{STAGE}/_user_request_{API_PATH}")
        }
        None => {
            let suffix = if names.partition == "aws-cn" {
                "amazonaws.com.cn"
            } else {
                "amazonaws.com"
            };
            format!(
                "https://{id}.execute-api.{}.{suffix}/{STAGE}{API_PATH}",
                names.region
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::LentBuckets;

    #[test]
    fn the_console_is_another_in_each_partition_and_a_local_cloud_has_none() {
        let url = |partition: &str, region: &str, endpoint: Option<&str>| {
            let names = Names {
                stack: "demo".to_owned(),
                account: "123456789012".to_owned(),
                region: region.to_owned(),
                partition: partition.to_owned(),
                lent: LentBuckets::default(),
            };
            Outputs::new(&names, None, endpoint).dashboard_url
        };
        let console = |domain: &str, region: &str| {
            let (home, name) = ("cloudwatch/home", format!("demo-{region}"));
            Some(format!(
                "https://{region}.console.{domain}/{home}?region={region}#dashboards/dashboard/{name}"
            ))
        };
        assert_eq!(
            url("aws", "eu-central-1", None),
            console("aws.amazon.com", "eu-central-1")
        );
        assert_eq!(
            url("aws-cn", "cn-north-1", None),
            console("amazonaws.cn", "cn-north-1")
        );
        assert_eq!(
            url("aws-us-gov", "us-gov-west-1", None),
            console("amazonaws-us-gov.com", "us-gov-west-1")
        );
        assert_eq!(url("aws", "us-east-1", Some("http://127.0.0.1:1")), None);
    }
}
