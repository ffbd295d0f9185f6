//! Everything that stands in a cloud's account, whosever it is, without what differs from one time to the next.

use aws_config::SdkConfig;
use serde_json::{Map, Value, json};

use crate::common::s3_at;

/// Every resource of the account, by kind and name.
pub async fn everything(config: &SdkConfig) -> Value {
    let (buckets, roles, groups, functions, machines, rules, apis, dashboards, alarms, topics) = tokio::join!(
        buckets(config),
        roles(config),
        log_groups(config),
        functions(config),
        state_machines(config),
        rules(config),
        rest_apis(config),
        dashboards(config),
        alarms(config),
        topics(config),
    );
    json!({
        "buckets": buckets,
        "roles": roles,
        "log groups": groups,
        "functions": functions,
        "state machines": machines,
        "rules": rules,
        "REST APIs": apis,
        "dashboards": dashboards,
        "alarms": alarms,
        "topics": topics,
    })
}

/// Whether nothing stands.
pub fn is_nothing(everything: &Value) -> bool {
    let kinds = everything.as_object().unwrap();
    kinds.values().all(|kind| kind.as_object().unwrap().is_empty())
}

async fn buckets(config: &SdkConfig) -> Map<String, Value> {
    let s3 = s3_at(config);
    let mut found = Map::new();
    for bucket in s3.list_buckets().send().await.unwrap().buckets() {
        let name = bucket.name().unwrap();
        let tags = s3.get_bucket_tagging().bucket(name).send().await;
        let encryption = s3.get_bucket_encryption().bucket(name).send().await;
        let access = s3.get_public_access_block().bucket(name).send().await;
        let notification = s3
            .get_bucket_notification_configuration()
            .bucket(name)
            .send()
            .await;
        found.insert(
            name.to_owned(),
            json!({
                "tags": tags.map(|answer| format!("{:?}", answer.tag_set())).ok(),
                "encryption": encryption.map(|answer| format!("{:?}", answer.server_side_encryption_configuration())).ok(),
                "public access": access.map(|answer| format!("{:?}", answer.public_access_block_configuration())).ok(),
                "EventBridge": notification.unwrap().event_bridge_configuration().is_some(),
            }),
        );
    }
    found
}

async fn roles(config: &SdkConfig) -> Map<String, Value> {
    let iam = aws_sdk_iam::Client::new(config);
    let mut found = Map::new();
    for role in iam.list_roles().send().await.unwrap().roles() {
        let name = role.role_name();
        let role = iam.get_role().role_name(name).send().await.unwrap().role.unwrap();
        let attached = iam.list_attached_role_policies().role_name(name).send();
        let attached = attached.await.unwrap();
        let inline = iam.list_role_policies().role_name(name).send().await.unwrap();
        let mut policies = Map::new();
        for policy in inline.policy_names() {
            let document = iam.get_role_policy().role_name(name).policy_name(policy).send();
            policies.insert(policy.clone(), json!(document.await.unwrap().policy_document()));
        }
        found.insert(
            name.to_owned(),
            json!({
                "description": role.description(),
                "trust": role.assume_role_policy_document(),
                "tags": format!("{:?}", role.tags()),
                "attached": format!("{:?}", attached.attached_policies()),
                "inline": policies,
            }),
        );
    }
    found
}

async fn log_groups(config: &SdkConfig) -> Map<String, Value> {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let mut found = Map::new();
    for group in logs.describe_log_groups().send().await.unwrap().log_groups() {
        let arn = group.log_group_arn().unwrap();
        let tags = logs
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await
            .unwrap();
        found.insert(
            group.log_group_name().unwrap().to_owned(),
            json!({"retention": group.retention_in_days(), "tags": tags.tags()}),
        );
    }
    found
}

async fn functions(config: &SdkConfig) -> Map<String, Value> {
    let lambda = aws_sdk_lambda::Client::new(config);
    let mut found = Map::new();
    for function in lambda.list_functions().send().await.unwrap().functions() {
        let name = function.function_name().unwrap();
        let answer = lambda.get_function().function_name(name).send().await.unwrap();
        let function = answer.configuration().unwrap();
        found.insert(
            name.to_owned(),
            json!({
                "code": function.code_sha256(),
                "role": function.role(),
                "memory": function.memory_size(),
                "timeout": function.timeout(),
                "environment": function.environment().and_then(|environment| environment.variables()),
                "log group": function.logging_config().and_then(|logging| logging.log_group()),
                "state": function.state().map(|state| state.as_str()),
                "tags": answer.tags(),
            }),
        );
    }
    found
}

async fn state_machines(config: &SdkConfig) -> Map<String, Value> {
    let states = aws_sdk_sfn::Client::new(config);
    let mut found = Map::new();
    for machine in states
        .list_state_machines()
        .send()
        .await
        .unwrap()
        .state_machines()
    {
        let arn = machine.state_machine_arn();
        let described = states.describe_state_machine().state_machine_arn(arn).send();
        let described = described.await.unwrap();
        let tags = states.list_tags_for_resource().resource_arn(arn).send();
        found.insert(
            machine.name().to_owned(),
            json!({
                "definition": described.definition(),
                "role": described.role_arn(),
                "logging": format!("{:?}", described.logging_configuration()),
                "status": described.status().map(|status| status.as_str()),
                "tags": format!("{:?}", tags.await.unwrap().tags()),
            }),
        );
    }
    found
}

async fn rules(config: &SdkConfig) -> Map<String, Value> {
    let events = aws_sdk_eventbridge::Client::new(config);
    let mut found = Map::new();
    for rule in events.list_rules().send().await.unwrap().rules() {
        let name = rule.name().unwrap();
        let targets = events.list_targets_by_rule().rule(name).send().await.unwrap();
        let tags = events
            .list_tags_for_resource()
            .resource_arn(rule.arn().unwrap())
            .send();
        let paths = targets.targets().iter().map(|target| {
            let transformer = target.input_transformer().unwrap();
            json!({
                "id": target.id(),
                "arn": target.arn(),
                "role": target.role_arn(),
                "paths": transformer.input_paths_map(),
                "template": transformer.input_template(),
                "retries": format!("{:?}", target.retry_policy()),
            })
        });
        found.insert(
            name.to_owned(),
            json!({
                "pattern": rule.event_pattern(),
                "state": rule.state().map(|state| state.as_str()),
                "description": rule.description(),
                "targets": paths.collect::<Value>(),
                "tags": format!("{:?}", tags.await.unwrap().tags()),
            }),
        );
    }
    found
}

/// Their ids and their deployments' are made anew each time: it is told how many of a name there are.
async fn rest_apis(config: &SdkConfig) -> Map<String, Value> {
    let client = aws_sdk_apigateway::Client::new(config);
    let mut found = Map::new();
    for api in client.get_rest_apis().limit(500).send().await.unwrap().items() {
        let id = api.id().unwrap();
        let resources = client
            .get_resources()
            .rest_api_id(id)
            .embed("methods")
            .send()
            .await
            .unwrap();
        let integrations: Map<String, Value> = resources
            .items()
            .iter()
            .map(|resource| {
                let post = resource
                    .resource_methods()
                    .and_then(|methods| methods.get("POST"));
                let integration = post
                    .and_then(|post| post.method_integration())
                    .map(|integration| {
                        json!({
                            "uri": integration.uri(),
                            "credentials": integration.credentials(),
                            "templates": integration.request_templates(),
                        })
                    });
                (resource.path().unwrap().to_owned(), json!(integration))
            })
            .collect();
        let stages = client.get_stages().rest_api_id(id).send().await.unwrap();
        let mut served = Vec::new();
        for stage in stages.item() {
            let deployment = client
                .get_deployment()
                .rest_api_id(id)
                .deployment_id(stage.deployment_id().unwrap())
                .send();
            served.push(json!([
                stage.stage_name(),
                deployment.await.unwrap().description()
            ]));
        }
        let models = client.get_models().rest_api_id(id).send().await.unwrap();
        let models = models.items().iter().map(|model| model.schema());
        let validators = client.get_request_validators().rest_api_id(id).send();
        let validators = validators.await.unwrap();
        let validators = validators.items().iter();
        let described = json!({
            "description": api.description(),
            "endpoint": format!("{:?}", api.endpoint_configuration()),
            "models": models.collect::<Vec<_>>(),
            "validators": validators.map(|validator| validator.validate_request_body()).collect::<Vec<_>>(),
            "tags": api.tags(),
            "integrations": integrations,
            "stages": served,
        });
        let named = found.entry(api.name().unwrap()).or_insert_with(|| json!([]));
        named.as_array_mut().unwrap().push(described);
    }
    found
}

async fn dashboards(config: &SdkConfig) -> Map<String, Value> {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
    let mut found = Map::new();
    let all = cloudwatch.list_dashboards().send().await.unwrap();
    for dashboard in all.dashboard_entries() {
        let name = dashboard.dashboard_name().unwrap();
        let body = cloudwatch.get_dashboard().dashboard_name(name).send();
        let tags = cloudwatch
            .list_tags_for_resource()
            .resource_arn(dashboard.dashboard_arn().unwrap())
            .send();
        found.insert(
            name.to_owned(),
            json!({
                "body": body.await.unwrap().dashboard_body(),
                "tags": format!("{:?}", tags.await.unwrap().tags()),
            }),
        );
    }
    found
}

async fn alarms(config: &SdkConfig) -> Map<String, Value> {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(config);
    let mut found = Map::new();
    for alarm in cloudwatch.describe_alarms().send().await.unwrap().metric_alarms() {
        let tags = cloudwatch
            .list_tags_for_resource()
            .resource_arn(alarm.alarm_arn().unwrap())
            .send();
        found.insert(
            alarm.alarm_name().unwrap().to_owned(),
            json!({
                "metric": format!("{:?} {:?} {:?}", alarm.namespace(), alarm.metric_name(), alarm.dimensions()),
                "metrics": format!("{:?}", alarm.metrics()),
                "threshold": alarm.threshold(),
                "missing": alarm.treat_missing_data(),
                "actions": [alarm.alarm_actions(), alarm.ok_actions()],
                "tags": format!("{:?}", tags.await.unwrap().tags()),
            }),
        );
    }
    found
}

async fn topics(config: &SdkConfig) -> Map<String, Value> {
    let sns = aws_sdk_sns::Client::new(config);
    let mut found = Map::new();
    for topic in sns.list_topics().send().await.unwrap().topics() {
        let arn = topic.topic_arn().unwrap();
        let attributes = sns.get_topic_attributes().topic_arn(arn).send().await.unwrap();
        let tags = sns.list_tags_for_resource().resource_arn(arn).send();
        let subscriptions = sns.list_subscriptions_by_topic().topic_arn(arn).send();
        found.insert(
            arn.to_owned(),
            json!({
                "policy": attributes.attributes().unwrap()["Policy"],
                "tags": format!("{:?}", tags.await.unwrap().tags()),
                "subscriptions": format!("{:?}", subscriptions.await.unwrap().subscriptions()),
            }),
        );
    }
    found
}
