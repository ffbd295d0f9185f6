//! The services whose requests name their operations.

use crate::common::{TestCloud, refusal, refuses};

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
    use aws_sdk_cloudwatch::types::{AlarmType, MetricDataQuery, MetricDatum, RecentlyActive, StandardUnit};
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
        "PutMetricAlarm", "ExtendedStatistic" => cloudwatch.put_metric_alarm().alarm_name("a").extended_statistic("p90");
        "PutMetricAlarm", "Unit" => cloudwatch.put_metric_alarm().alarm_name("a").unit(StandardUnit::Count);
        "PutMetricAlarm", "Metrics.Expression a + b, only SUM(METRICS())" =>
            cloudwatch.put_metric_alarm().alarm_name("a").metrics(query().expression("a + b").build());
        "PutMetricAlarm", "Metrics.Label" =>
            cloudwatch.put_metric_alarm().alarm_name("a").metrics(query().label("failures").build());
        "PutMetricAlarm", "TreatMissingData ignore, only breaching and notBreaching and missing" =>
            cloudwatch.put_metric_alarm().alarm_name("a").treat_missing_data("ignore");
        "DescribeAlarms", "ActionPrefix" => cloudwatch.describe_alarms().action_prefix("arn:aws:sns");
        "DescribeAlarms", "AlarmTypes CompositeAlarm, only MetricAlarm" =>
            cloudwatch.describe_alarms().alarm_types(AlarmType::CompositeAlarm);
        "ListMetrics", "RecentlyActive" => cloudwatch.list_metrics().recently_active(RecentlyActive::Pt3H);
    }
}

#[tokio::test]
async fn sns_refuses_what_it_does_not_honour() {
    let cloud = TestCloud::start().await;
    let sns = cloud.sns();
    let create = || sns.create_topic().name("t");
    let subscribe = || sns.subscribe().topic_arn("arn:aws:sns:us-east-1:000000000000:t");
    refuses! { "InvalidParameter";
        "CreateTopic", "Attributes.KmsMasterKeyId" => create().attributes("KmsMasterKeyId", "alias/aws/sns");
        "CreateTopic", "Attributes.FifoTopic" => create().attributes("FifoTopic", "true");
        "CreateTopic", "DataProtectionPolicy" => create().data_protection_policy("{}");
        "SetTopicAttributes", "AttributeName DeliveryPolicy, only Policy and DisplayName" =>
            sns.set_topic_attributes().topic_arn("t").attribute_name("DeliveryPolicy");
        "Subscribe", "Protocol sqs, only email" => subscribe().protocol("sqs").endpoint("arn:q");
        "Subscribe", "Attributes" => subscribe().protocol("email").attributes("FilterPolicy", "{}");
    }
}
