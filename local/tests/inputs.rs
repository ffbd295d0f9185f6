//! What an operation does not honour is refused, and the refusal names it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use common::TestCloud;

/// The code and the message of a refusal.
fn refusal<O: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    answer: Result<O, SdkError<E, R>>,
) -> (String, String) {
    let error = answer.expect_err("it was accepted");
    (
        error.code().unwrap_or_default().to_owned(),
        error.message().unwrap_or_default().to_owned(),
    )
}

/// `OPERATION, MEMBER => call`: every call is refused with the code, in words that name the operation and the member.
macro_rules! refuses {
    ($code:literal; $($operation:literal, $member:literal => $call:expr;)*) => {
        $(
            let (code, message) = refusal($call.send().await);
            assert_eq!(code, $code, "{} with {}: {message}", $operation, $member);
            let expected = format!("{}: the local cloud does not support {}", $operation, $member);
            assert!(message.starts_with(&expected), "{message}");
        )*
    };
}

#[tokio::test]
async fn eventbridge_refuses_what_it_does_not_honour() {
    use aws_sdk_eventbridge::types::{
        DeadLetterConfig, PutEventsRequestEntry, RuleState, SqsParameters, Target,
    };
    let cloud = TestCloud::start().await;
    let events = cloud.events();
    let rule = || events.put_rule().name("r").event_pattern(r#"{"source": ["a"]}"#);
    let target = || {
        Target::builder()
            .id("t")
            .arn("arn:aws:states:us-east-1:000000000000:stateMachine:m")
    };
    let put = |target: aws_sdk_eventbridge::types::builders::TargetBuilder| {
        events.put_targets().rule("r").targets(target.build().unwrap())
    };
    let entry = || {
        PutEventsRequestEntry::builder()
            .source("a")
            .detail_type("b")
            .detail("{}")
    };
    refuses! { "ValidationException";
        "PutRule", "ScheduleExpression" => rule().schedule_expression("rate(1 day)");
        "PutRule", "RoleArn" => rule().role_arn("arn:aws:iam::000000000000:role/r");
        "PutRule", "State" => rule().state(RuleState::EnabledWithAllCloudtrailManagementEvents);
        "PutTargets", "Targets.DeadLetterConfig" => put(target()
            .dead_letter_config(DeadLetterConfig::builder().arn("arn:aws:sqs:us-east-1:000000000000:q").build()));
        "PutTargets", "Targets.SqsParameters" => put(target()
            .sqs_parameters(SqsParameters::builder().message_group_id("g").build()));
        "PutEvents", "Entries.TraceHeader" => events.put_events().entries(entry().trace_header("t").build());
    }
    refusal(rule().event_bus_name("mine").send().await);
    let elsewhere = events
        .put_events()
        .entries(entry().event_bus_name("mine").build());
    let elsewhere = elsewhere.send().await.unwrap();
    assert_eq!(
        elsewhere.entries()[0].error_code(),
        Some("ResourceNotFoundException")
    );

    rule()
        .state(RuleState::Enabled)
        .event_bus_name("default")
        .send()
        .await
        .unwrap();
    events.delete_rule().name("r").force(true).send().await.unwrap();
}

#[tokio::test]
async fn step_functions_refuses_what_it_does_not_honour() {
    use aws_sdk_sfn::types::{
        EncryptionConfiguration, EncryptionType, ExecutionRedriveFilter, IncludedData, StateMachineType,
        TracingConfiguration, ValidateStateMachineDefinitionSeverity,
    };
    const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    let cloud = TestCloud::start().await;
    let states = cloud.states();
    let create = || {
        states
            .create_state_machine()
            .name("m")
            .definition("{}")
            .role_arn("arn:r")
    };
    let update = || states.update_state_machine().state_machine_arn(MACHINE);
    let validate = || states.validate_state_machine_definition().definition("{}");
    let traced = || TracingConfiguration::builder().enabled(true).build();
    let key = || {
        EncryptionConfiguration::builder()
            .r#type(EncryptionType::CustomerManagedKmsKey)
            .kms_key_id("k")
            .build()
            .unwrap()
    };
    refuses! { "ValidationException";
        "CreateStateMachine", "publish" => create().publish(true);
        "CreateStateMachine", "versionDescription" => create().version_description("v");
        "CreateStateMachine", "tracingConfiguration.enabled true, only false" =>
            create().tracing_configuration(traced());
        "CreateStateMachine", "encryptionConfiguration" => create().encryption_configuration(key());
        "UpdateStateMachine", "publish" => update().publish(true);
        "UpdateStateMachine", "tracingConfiguration" => update().tracing_configuration(traced());
        "UpdateStateMachine", "encryptionConfiguration" => update().encryption_configuration(key());
        "DescribeStateMachine", "includedData" =>
            states.describe_state_machine().state_machine_arn(MACHINE).included_data(IncludedData::MetadataOnly);
        "StartExecution", "traceHeader" =>
            states.start_execution().state_machine_arn(MACHINE).trace_header("Root=1");
        "ListExecutions", "redriveFilter" => states
            .list_executions()
            .state_machine_arn(MACHINE)
            .redrive_filter(ExecutionRedriveFilter::Redriven);
        "ListExecutions", "mapRunArn" => states.list_executions().map_run_arn("arn:aws:states:r:a:mapRun:m/n:o");
        "ValidateStateMachineDefinition", "type EXPRESS, only STANDARD" =>
            validate().r#type(StateMachineType::Express);
        "ValidateStateMachineDefinition", "severity" =>
            validate().severity(ValidateStateMachineDefinitionSeverity::Warning);
    }
}

#[tokio::test]
async fn iam_and_sts_refuse_what_they_do_not_honour() {
    let cloud = TestCloud::start().await;
    let (iam, sts) = (cloud.iam(), cloud.sts());
    let create = || iam.create_role().role_name("r").assume_role_policy_document("{}");
    let assume = || {
        sts.assume_role()
            .role_arn("arn:aws:iam::000000000000:role/r")
            .role_session_name("session")
    };
    refuses! { "ValidationError";
        "CreateRole", "PermissionsBoundary" => create().permissions_boundary("arn:aws:iam::aws:policy/ReadOnlyAccess");
        "AssumeRole", "Policy" => assume().policy("{}");
        "AssumeRole", "ExternalId" => assume().external_id("external");
        "AssumeRole", "SourceIdentity" => assume().source_identity("me");
        "AssumeRole", "TransitiveTagKeys" => assume().transitive_tag_keys("a");
        "AssumeRole", "TokenCode" => assume().token_code("123456");
    }
}

#[tokio::test]
async fn logs_and_metrics_refuse_what_they_do_not_honour() {
    use aws_sdk_cloudwatch::types::{MetricDataQuery, MetricDatum, RecentlyActive};
    use aws_sdk_cloudwatchlogs::types::{Entity, InputLogEvent, LogGroupClass, PolicyScope};
    let cloud = TestCloud::start().await;
    let (logs, cloudwatch) = (cloud.logs(), cloud.cloudwatch());
    let create = || logs.create_log_group().log_group_name("g");
    let event = InputLogEvent::builder()
        .timestamp(1)
        .message("m")
        .build()
        .unwrap();
    let put = || {
        logs.put_log_events()
            .log_group_name("g")
            .log_stream_name("s")
            .log_events(event.clone())
    };
    refuses! { "InvalidParameterException";
        "CreateLogGroup", "kmsKeyId" => create().kms_key_id("k");
        "CreateLogGroup", "logGroupClass INFREQUENT_ACCESS, only STANDARD" =>
            create().log_group_class(LogGroupClass::InfrequentAccess);
        "CreateLogGroup", "deletionProtectionEnabled" => create().deletion_protection_enabled(true);
        "DescribeLogGroups", "logGroupIdentifiers" => logs.describe_log_groups().log_group_identifiers("g");
        "DescribeLogGroups", "includeLinkedAccounts" => logs.describe_log_groups().include_linked_accounts(true);
        "DescribeResourcePolicies", "policyScope" =>
            logs.describe_resource_policies().policy_scope(PolicyScope::Resource);
        "FilterLogEvents", "unmask" => logs.filter_log_events().log_group_name("g").unmask(true);
        "GetLogEvents", "unmask" => logs.get_log_events().log_group_name("g").log_stream_name("s").unmask(true);
        "PutLogEvents", "entity" => put().entity(Entity::builder().attributes("a", "b").build());
        "PutResourcePolicy", "resourceArn" =>
            logs.put_resource_policy().policy_name("p").policy_document("{}").resource_arn("arn:g");
    }
    let (code, _) = refusal(
        logs.get_log_events()
            .log_group_name("g")
            .log_group_identifier("h")
            .log_stream_name("s")
            .send()
            .await,
    );
    assert_eq!(code, "InvalidParameterException");

    let datum = MetricDatum::builder()
        .metric_name("m")
        .value(1.0)
        .storage_resolution(1);
    let query = || MetricDataQuery::builder().id("q");
    let times = || {
        cloudwatch
            .get_metric_data()
            .start_time(aws_smithy_types::DateTime::from_secs(0))
            .end_time(aws_smithy_types::DateTime::from_secs(60))
    };
    refuses! { "InvalidParameterValue";
        "PutMetricData", "MetricData.StorageResolution 1, only 60" =>
            cloudwatch.put_metric_data().namespace("n").metric_data(datum.build());
        "GetMetricData", "MetricDataQueries.Expression" =>
            times().metric_data_queries(query().expression("SUM(METRICS())").build());
        "GetMetricData", "MetricDataQueries.AccountId" =>
            times().metric_data_queries(query().account_id("1").build());
        "GetMetricData", "MaxDatapoints" => times().metric_data_queries(query().build()).max_datapoints(1);
        "ListMetrics", "RecentlyActive" => cloudwatch.list_metrics().recently_active(RecentlyActive::Pt3H);
    }
}

#[tokio::test]
async fn api_gateway_refuses_what_it_does_not_honour() {
    use aws_sdk_apigateway::primitives::Blob;
    use aws_sdk_apigateway::types::{
        CacheClusterSize, DeploymentCanarySettings, EndpointConfiguration, EndpointType, PutMode,
        SecurityPolicy,
    };
    let cloud = TestCloud::start().await;
    let gateway = cloud.apigateway();
    let create = || gateway.create_rest_api().name("a");
    let deploy = || gateway.create_deployment().rest_api_id("a");
    let stage = || {
        gateway
            .create_stage()
            .rest_api_id("a")
            .stage_name("s")
            .deployment_id("d")
    };
    let import = || gateway.import_rest_api().body(Blob::new("{}"));
    let private = EndpointConfiguration::builder()
        .types(EndpointType::Private)
        .build();
    refuses! { "BadRequestException";
        "CreateRestApi", "cloneFrom" => create().clone_from("b");
        "CreateRestApi", "policy" => create().policy("{}");
        "CreateRestApi", "binaryMediaTypes" => create().binary_media_types("image/png");
        "CreateRestApi", "minimumCompressionSize" => create().minimum_compression_size(0);
        "CreateRestApi", "disableExecuteApiEndpoint" => create().disable_execute_api_endpoint(true);
        "CreateRestApi", "securityPolicy" => create().security_policy(SecurityPolicy::Tls12);
        "CreateRestApi", "endpointConfiguration.types PRIVATE, only REGIONAL and EDGE" =>
            create().endpoint_configuration(private);
        "ImportRestApi", "basepath" => import().parameters("basepath", "prepend");
        "PutRestApi", "mode merge, only overwrite" =>
            gateway.put_rest_api().rest_api_id("a").mode(PutMode::Merge).body(Blob::new("{}"));
        "CreateDeployment", "canarySettings" =>
            deploy().canary_settings(DeploymentCanarySettings::builder().percent_traffic(10.0).build());
        "CreateDeployment", "tracingEnabled" => deploy().tracing_enabled(true);
        "CreateStage", "cacheClusterEnabled" => stage().cache_cluster_enabled(true);
        "CreateStage", "cacheClusterSize" => stage().cache_cluster_size(CacheClusterSize::Size0Point5Gb);
        "CreateStage", "documentationVersion" => stage().documentation_version("v");
        "GetDeployment", "embed" =>
            gateway.get_deployment().rest_api_id("a").deployment_id("d").embed("apisummary");
    }

    let made = create()
        .version("7")
        .description("what for")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (made.version(), made.description()),
        (Some("7"), Some("what for"))
    );
    let id = made.id().unwrap();
    let (code, message) = refusal(
        gateway
            .put_rest_api()
            .rest_api_id(id)
            .body(Blob::new("{}"))
            .send()
            .await,
    );
    assert_eq!(code, "BadRequestException");
    assert!(message.contains("mode=overwrite"), "{message}");
}

/// An API with one method, changed by a merge of `change` into its document.
fn api_with(change: &serde_json::Value) -> serde_json::Value {
    fn merge(into: &mut serde_json::Value, from: &serde_json::Value) {
        match from.as_object() {
            Some(fields) => fields
                .iter()
                .for_each(|(name, value)| merge(&mut into[name], value)),
            None => *into = from.clone(),
        }
    }
    let mut document = serde_json::json!({
        "openapi": "3.0.1",
        "info": {"title": "a", "version": "1"},
        "servers": [{"url": "https://example.com"}],
        "x-ours": {"any": "thing"},
        "paths": {"/p": {"parameters": [], "post": {
            "operationId": "p",
            "responses": {"200": {"description": "started"}},
            "x-amazon-apigateway-integration": {
                "type": "aws",
                "httpMethod": "POST",
                "uri": "arn:aws:apigateway:us-east-1:states:action/StartExecution",
                "credentials": "arn:aws:iam::000000000000:role/r",
                "requestParameters": {},
                "responses": {"default": {"statusCode": "200"}}
            }
        }}}
    });
    merge(&mut document, change);
    document
}

#[tokio::test]
async fn an_api_document_is_refused_for_what_is_not_honoured() {
    use aws_sdk_apigateway::primitives::Blob;
    use serde_json::json;
    let cloud = TestCloud::start().await;
    let gateway = cloud.apigateway();
    let import = |change: serde_json::Value| {
        let body = Blob::new(api_with(&change).to_string());
        gateway.import_rest_api().fail_on_warnings(true).body(body).send()
    };
    import(json!({})).await.unwrap();

    let method = |change: serde_json::Value| json!({"paths": {"/p": {"post": change}}});
    let integration = |change: serde_json::Value| method(json!({"x-amazon-apigateway-integration": change}));
    let validator = |rules: serde_json::Value, more: serde_json::Value| {
        let mut change = method(more);
        change["x-amazon-apigateway-request-validators"] = json!({"v": rules});
        change["x-amazon-apigateway-request-validator"] = json!("v");
        change
    };
    let body = |schema: serde_json::Value| {
        let content = json!({"application/json": {"schema": schema}});
        validator(
            json!({"validateRequestBody": true}),
            json!({"requestBody": {"content": content}}),
        )
    };
    for (change, named) in [
        (json!({"security": [{"key": []}]}), "security"),
        (
            json!({"x-amazon-apigateway-policy": {"Version": "2012-10-17"}}),
            "x-amazon-apigateway-policy",
        ),
        (
            json!({"x-amazon-apigateway-binary-media-types": ["image/png"]}),
            "binary-media-types",
        ),
        (
            json!({"paths": {"/p": {"x-amazon-apigateway-any-method": {"a": 1}}}}),
            "any-method",
        ),
        (json!({"paths": {"/p": {"trace": {"a": 1}}}}), "trace"),
        (method(json!({"security": [{"key": []}]})), "security"),
        (
            method(json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}})),
            "x-amazon-apigateway-auth",
        ),
        (
            integration(json!({"requestParameters": {"a": "b"}})),
            "requestParameters",
        ),
        (
            integration(json!({"cacheKeyParameters": ["a"]})),
            "cacheKeyParameters",
        ),
        (
            integration(json!({"responses": {"default": {"contentHandling": "CONVERT_TO_TEXT"}}})),
            "contentHandling",
        ),
        (
            integration(json!({"responses": {"default": {"responseTemplates": {"text/plain": "a"}}}})),
            "text/plain",
        ),
        (
            validator(
                json!({"validateRequestParameters": true}),
                json!({"parameters": [{"name": "q", "in": "query", "required": true}]}),
            ),
            "parameters",
        ),
        (
            body(json!({"type": "object", "additionalProperties": {"type": "string"}})),
            "additionalProperties",
        ),
        (body(json!({"type": ["object", "null"]})), "type"),
        (body(json!({"pattern": "a"})), "pattern"),
    ] {
        let (code, message) = refusal(import(change).await);
        assert_eq!(code, "BadRequestException", "{message}");
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[tokio::test]
async fn lambda_refuses_what_it_does_not_honour() {
    use aws_sdk_lambda::types::{
        DeadLetterConfig, FunctionCode, ImageConfig, LogFormat, LoggingConfig, PackageType, SnapStart,
        SnapStartApplyOn, TracingConfig, TracingMode, VpcConfig,
    };
    let cloud = TestCloud::start().await;
    let lambda = cloud.lambda();
    let create = || lambda.create_function().function_name("f").role("arn:r");
    let update = || lambda.update_function_configuration().function_name("f");
    refuses! { "InvalidParameterValueException";
        "CreateFunction", "VpcConfig" =>
            create().vpc_config(VpcConfig::builder().subnet_ids("s").build());
        "CreateFunction", "Layers" => create().layers("arn:layer");
        "CreateFunction", "DeadLetterConfig" =>
            create().dead_letter_config(DeadLetterConfig::builder().target_arn("arn:q").build());
        "CreateFunction", "KMSKeyArn" => create().kms_key_arn("arn:k");
        "CreateFunction", "CodeSigningConfigArn" => create().code_signing_config_arn("arn:c");
        "CreateFunction", "Publish true, only false" => create().publish(true);
        "CreateFunction", "PackageType" => create().package_type(PackageType::Image);
        "CreateFunction", "ImageConfig" => create().image_config(ImageConfig::builder().command("c").build());
        "CreateFunction", "Code.S3Bucket" =>
            create().code(FunctionCode::builder().s3_bucket("b").s3_key("k").build());
        "CreateFunction", "SnapStart.ApplyOn" =>
            create().snap_start(SnapStart::builder().apply_on(SnapStartApplyOn::PublishedVersions).build());
        "CreateFunction", "TracingConfig.Mode Active, only PassThrough" =>
            create().tracing_config(TracingConfig::builder().mode(TracingMode::Active).build());
        "UpdateFunctionConfiguration", "LoggingConfig.LogFormat JSON, only Text" =>
            update().logging_config(LoggingConfig::builder().log_format(LogFormat::Json).build());
        "UpdateFunctionConfiguration", "Layers" => update().layers("arn:layer");
        "UpdateFunctionCode", "ImageUri" => lambda.update_function_code().function_name("f").image_uri("i");
        "GetFunction", "Qualifier 1, only $LATEST" => lambda.get_function().function_name("f").qualifier("1");
        "DeleteFunction", "Qualifier" => lambda.delete_function().function_name("f").qualifier("1");
        "ListFunctions", "MasterRegion" => lambda.list_functions().master_region("ALL");
        "Invoke", "x-amz-client-context" => lambda.invoke().function_name("f").client_context("e30=");
        "Invoke", "Qualifier" => lambda.invoke().function_name("f").qualifier("live");
    }
    let (code, _) = refusal(
        lambda
            .get_function()
            .function_name("f")
            .qualifier("$LATEST")
            .send()
            .await,
    );
    assert_eq!(code, "ResourceNotFoundException");
}
