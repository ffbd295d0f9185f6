//! CloudWatch's alarms and dashboards, and the SNS topics that alarms tell.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::builders::MetricDataQueryBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Metric, MetricAlarm, MetricDataQuery, MetricDatum, MetricStat, StateValue, Statistic,
    Tag,
};
use common::{TestCloud, refusal};
use serde_json::{Value, json};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:ops";
const ALARM: &str = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:failures";
const DASHBOARD: &str = "arn:aws:cloudwatch::000000000000:dashboard/shown";

/// An alarm that goes off at the first failure.
fn alarm(cloud: &TestCloud) -> PutMetricAlarmFluentBuilder {
    cloud
        .cloudwatch()
        .put_metric_alarm()
        .alarm_name("failures")
        .namespace("Test")
        .metric_name("Failures")
        .statistic(Statistic::Sum)
        .period(300)
        .evaluation_periods(1)
        .threshold(1.0)
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
        .treat_missing_data("notBreaching")
        .alarm_actions(TOPIC)
}

async fn described(cloud: &TestCloud) -> MetricAlarm {
    let describe = cloud.cloudwatch().describe_alarms().alarm_names("failures");
    describe.send().await.unwrap().metric_alarms.unwrap().remove(0)
}

async fn fail_once(cloud: &TestCloud) {
    let datum = MetricDatum::builder().metric_name("Failures").value(1.0).build();
    let put = cloud.cloudwatch().put_metric_data().namespace("Test");
    put.metric_data(datum).send().await.unwrap();
}

#[tokio::test]
async fn an_alarm_goes_off_by_what_was_counted_and_says_why() {
    let cloud = TestCloud::start().await;
    let tag = Tag::builder().key("a").value("b").build();
    alarm(&cloud).tags(tag).send().await.unwrap();
    let quiet = described(&cloud).await;
    assert_eq!(quiet.state_value(), Some(&StateValue::Ok));
    assert_eq!(quiet.alarm_arn(), Some(ALARM));
    assert_eq!((quiet.threshold(), quiet.period()), (Some(1.0), Some(300)));
    assert_eq!(quiet.actions_enabled(), Some(true));
    assert_eq!(quiet.datapoints_to_alarm(), None, "as it was put");

    fail_once(&cloud).await;
    let off = described(&cloud).await;
    assert_eq!(off.state_value(), Some(&StateValue::Alarm));
    let reason = off.state_reason().unwrap();
    assert!(
        reason.contains("[1] were greater than or equal to the threshold (1)"),
        "{reason}"
    );
    assert!(off.state_updated_timestamp() >= quiet.state_updated_timestamp());

    let cloud = cloud.kill_and_start().await;
    let known = described(&cloud).await;
    assert_eq!(known.state_value(), Some(&StateValue::Alarm));
    assert_eq!(known.state_updated_timestamp(), off.state_updated_timestamp());
    assert_eq!(known.alarm_actions(), [TOPIC]);
    let tags = cloud.cloudwatch().list_tags_for_resource().resource_arn(ALARM);
    assert_eq!(tags.send().await.unwrap().tags()[0].key(), Some("a"));
}

#[tokio::test]
async fn without_data_an_alarm_knows_nothing_unless_it_is_told_what_that_means() {
    let cloud = TestCloud::start().await;
    for (missing, state) in [
        ("missing", StateValue::InsufficientData),
        ("breaching", StateValue::Alarm),
        ("notBreaching", StateValue::Ok),
    ] {
        alarm(&cloud).treat_missing_data(missing).send().await.unwrap();
        assert_eq!(described(&cloud).await.state_value(), Some(&state), "{missing}");
    }
}

fn query(id: &str) -> MetricDataQueryBuilder {
    MetricDataQuery::builder().id(id)
}

/// A metric of those that an alarm adds up.
fn counted(id: &str, name: &str) -> MetricDataQueryBuilder {
    let metric = Metric::builder()
        .namespace("Test")
        .metric_name(name)
        .set_dimensions(Some(Vec::new()));
    let stat = MetricStat::builder()
        .metric(metric.build())
        .stat("Sum")
        .period(300);
    query(id).metric_stat(stat.build()).return_data(false)
}

fn alarm_on(cloud: &TestCloud, queries: &[MetricDataQueryBuilder]) -> PutMetricAlarmFluentBuilder {
    let queries = queries.iter().map(|query| query.clone().build());
    cloud
        .cloudwatch()
        .put_metric_alarm()
        .alarm_name("failures")
        .set_metrics(Some(queries.collect()))
        .evaluation_periods(1)
        .threshold(2.0)
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
        .treat_missing_data("notBreaching")
}

#[tokio::test]
async fn an_alarm_on_a_sum_counts_whichever_metric_has_data() {
    let cloud = TestCloud::start().await;
    let sum = query("all").expression("SUM(METRICS())").return_data(true);
    let both = [counted("a", "Failures"), counted("b", "Delays"), sum.clone()];
    alarm_on(&cloud, &both).send().await.unwrap();
    assert_eq!(described(&cloud).await.state_value(), Some(&StateValue::Ok));
    fail_once(&cloud).await;
    assert_eq!(described(&cloud).await.state_value(), Some(&StateValue::Ok));
    let datum = MetricDatum::builder().metric_name("Delays").value(1.0).build();
    let put = cloud.cloudwatch().put_metric_data().namespace("Test");
    put.metric_data(datum).send().await.unwrap();
    let off = described(&cloud).await;
    assert_eq!(off.state_value(), Some(&StateValue::Alarm));
    assert_eq!(off.metrics(), both.clone().map(MetricDataQueryBuilder::build));
    assert_eq!((off.metric_name(), off.period()), (None, None));

    let hidden = sum.clone().return_data(false);
    let shown = counted("a", "Failures").return_data(true);
    for wrong in [
        alarm_on(&cloud, &[counted("a", "Failures"), hidden.clone()]),
        alarm_on(&cloud, &[shown.clone(), hidden]),
        alarm_on(&cloud, &[shown, sum.clone()]),
        alarm_on(&cloud, &[sum]),
        alarm_on(&cloud, &both).period(300),
    ] {
        assert_eq!(refusal(wrong.send().await).0, "InvalidParameterValue");
    }
}

#[tokio::test]
async fn an_alarm_that_makes_no_sense_is_refused_and_one_that_is_not_there_not_found() {
    let cloud = TestCloud::start().await;
    for wrong in [
        alarm(&cloud).period(30),
        alarm(&cloud).evaluation_periods(1000),
        alarm(&cloud).datapoints_to_alarm(2),
        alarm(&cloud).alarm_actions("ops@example.org"),
    ] {
        assert_eq!(refusal(wrong.send().await).0, "InvalidParameterValue");
    }
    let nameless = cloud.cloudwatch().put_metric_alarm().alarm_name("failures");
    assert_eq!(refusal(nameless.send().await).0, "MissingParameter");

    let cloudwatch = cloud.cloudwatch();
    let delete = || cloudwatch.delete_alarms().alarm_names("failures");
    assert_eq!(refusal(delete().send().await).0, "ResourceNotFound");
    let tags = cloudwatch.list_tags_for_resource().resource_arn(ALARM);
    assert_eq!(refusal(tags.send().await).0, "ResourceNotFoundException");
    alarm(&cloud).send().await.unwrap();
    delete().send().await.unwrap();
    let left = cloudwatch.describe_alarms().send().await.unwrap();
    assert!(left.metric_alarms().is_empty());
}

#[tokio::test]
async fn a_dashboard_is_kept_as_it_is_put_and_its_tags_are_those_of_the_first_time() {
    let cloud = TestCloud::start().await;
    let cloudwatch = cloud.cloudwatch();
    let body =
        |text: &str| json!({"widgets": [{"type": "text", "properties": {"markdown": text}}]}).to_string();
    let put = |text: &str, owner: &str| {
        let put = cloudwatch.put_dashboard().dashboard_name("shown");
        let tag = Tag::builder().key("owner").value(owner).build();
        put.dashboard_body(body(text)).tags(tag).send()
    };
    put("one", "me").await.unwrap();
    put("two", "you").await.unwrap();
    for (wrong, code) in [
        ("no JSON", "InvalidParameterInput"),
        ("{}", "InvalidParameterInput"),
        (r#"{"widgets": [{}]}"#, "InvalidParameterInput"),
    ] {
        let put = cloudwatch.put_dashboard().dashboard_name("shown");
        assert_eq!(refusal(put.dashboard_body(wrong).send().await).0, code, "{wrong}");
    }
    let put = cloudwatch.put_dashboard().dashboard_name("not shown");
    assert_eq!(
        refusal(put.dashboard_body(body("")).send().await).0,
        "InvalidParameterValue"
    );

    let cloud = cloud.kill_and_start().await;
    let cloudwatch = cloud.cloudwatch();
    let get = || cloudwatch.get_dashboard().dashboard_name("shown").send();
    let found = get().await.unwrap();
    assert_eq!(found.dashboard_body(), Some(body("two").as_str()));
    assert_eq!(found.dashboard_arn(), Some(DASHBOARD));
    let tags = || cloudwatch.list_tags_for_resource().resource_arn(DASHBOARD).send();
    assert_eq!(tags().await.unwrap().tags()[0].value(), Some("me"));
    let tag = Tag::builder().key("owner").value("you").build();
    let retag = cloudwatch.tag_resource().resource_arn(DASHBOARD).tags(tag);
    retag.send().await.unwrap();
    assert_eq!(tags().await.unwrap().tags()[0].value(), Some("you"));
    let untag = cloudwatch
        .untag_resource()
        .resource_arn(DASHBOARD)
        .tag_keys("owner");
    untag.send().await.unwrap();
    assert!(tags().await.unwrap().tags().is_empty());

    let listed = cloudwatch.list_dashboards().dashboard_name_prefix("sh");
    let listed = listed.send().await.unwrap();
    assert_eq!(
        listed.dashboard_entries()[0].size(),
        Some(body("two").len() as i64)
    );
    let delete = || cloudwatch.delete_dashboards().dashboard_names("shown").send();
    delete().await.unwrap();
    assert_eq!(refusal(delete().await).0, "ResourceNotFound");
    assert_eq!(refusal(get().await).0, "ResourceNotFound");
}

fn publishers(who: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": who}, "Action": "sns:Publish", "Resource": TOPIC}
    ]})
}

#[tokio::test]
async fn a_topic_is_made_once_and_by_the_same_words_only() {
    let cloud = TestCloud::start().await;
    let sns = cloud.sns();
    let policy = publishers("cloudwatch.amazonaws.com").to_string();
    let tag = |value: &str| {
        aws_sdk_sns::types::Tag::builder()
            .key("a")
            .value(value)
            .build()
            .unwrap()
    };
    let create = || sns.create_topic().name("ops");
    for _ in 0..2 {
        let made = create().attributes("Policy", &policy).tags(tag("b")).send();
        assert_eq!(made.await.unwrap().topic_arn(), Some(TOPIC));
    }
    create().send().await.unwrap();
    for other in [
        create().attributes("Policy", publishers("events.amazonaws.com").to_string()),
        create().tags(tag("c")),
        sns.create_topic().name("o p s"),
        sns.create_topic().name("x").attributes("Policy", "{}"),
    ] {
        assert_eq!(refusal(other.send().await).0, "InvalidParameter");
    }

    let cloud = cloud.kill_and_start().await;
    let sns = cloud.sns();
    let attributes = || sns.get_topic_attributes().topic_arn(TOPIC).send();
    assert_eq!(
        attributes().await.unwrap().attributes().unwrap()["Policy"],
        policy
    );
    let set = sns
        .set_topic_attributes()
        .topic_arn(TOPIC)
        .attribute_name("Policy");
    let anyone = publishers("*").to_string();
    set.attribute_value(&anyone).send().await.unwrap();
    assert_eq!(
        attributes().await.unwrap().attributes().unwrap()["Policy"],
        anyone
    );
    let tags = sns.list_tags_for_resource().resource_arn(TOPIC);
    assert_eq!(tags.send().await.unwrap().tags(), [tag("b")]);

    for _ in 0..2 {
        sns.delete_topic().topic_arn(TOPIC).send().await.unwrap();
    }
    assert_eq!(refusal(attributes().await).0, "NotFound");
    let tags = sns.list_tags_for_resource().resource_arn(TOPIC);
    assert_eq!(refusal(tags.send().await).0, "ResourceNotFound");
    assert!(sns.list_topics().send().await.unwrap().topics().is_empty());
}

#[tokio::test]
async fn a_subscription_waits_for_its_confirmation_and_cannot_be_ended_before() {
    let cloud = TestCloud::start().await;
    let sns = cloud.sns();
    let subscribe = |address: &str| {
        let subscribe = sns.subscribe().topic_arn(TOPIC).protocol("email");
        subscribe.endpoint(address)
    };
    assert_eq!(refusal(subscribe("a@example.org").send().await).0, "NotFound");
    sns.create_topic().name("ops").send().await.unwrap();
    assert_eq!(refusal(subscribe("nobody").send().await).0, "InvalidParameter");
    let first = subscribe("a@example.org").send().await.unwrap();
    assert_eq!(first.subscription_arn(), Some("pending confirmation"));
    let again = subscribe("a@example.org").return_subscription_arn(true);
    let arn = again.send().await.unwrap().subscription_arn.unwrap();

    let cloud = cloud.kill_and_start().await;
    let sns = cloud.sns();
    let listed = || async {
        let list = sns.list_subscriptions_by_topic().topic_arn(TOPIC).send();
        let listed = list.await.unwrap().subscriptions.unwrap_or_default();
        listed
            .into_iter()
            .map(|subscription| subscription.subscription_arn.unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["PendingConfirmation"]);
    let unsubscribe = || sns.unsubscribe().subscription_arn(&arn).send();
    assert_eq!(refusal(unsubscribe().await).0, "InvalidParameter");

    let confirm = |token: &str| sns.confirm_subscription().topic_arn(TOPIC).token(token).send();
    assert_eq!(refusal(confirm("guessed").await).0, "InvalidParameter");
    confirm(arn.rsplit(':').next().unwrap()).await.unwrap();
    assert_eq!(listed().await, std::slice::from_ref(&arn));
    unsubscribe().await.unwrap();
    assert!(listed().await.is_empty());
    unsubscribe().await.unwrap();
}

#[tokio::test]
async fn who_may_do_what_is_said_by_arn() {
    let cloud = TestCloud::start().await;
    alarm(&cloud).send().await.unwrap();
    let allowed = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:PutDashboard", "cloudwatch:DeleteAlarms"],
         "Resource": [ALARM, DASHBOARD]},
        {"Effect": "Allow", "Action": ["sns:CreateTopic", "sns:Subscribe"], "Resource": TOPIC},
    ]});
    let session = cloud.session("watcher", &allowed).await;
    let (cloudwatch, sns) = (cloud.cloudwatch_as(session.clone()), cloud.sns_as(session));
    let put = |name: &str| {
        let put = cloudwatch.put_dashboard().dashboard_name(name);
        put.dashboard_body(r#"{"widgets": []}"#)
    };
    put("shown").send().await.unwrap();
    sns.create_topic().name("ops").send().await.unwrap();
    let tag = Tag::builder().key("a").value("b").build();
    let denied = [
        refusal(put("other").send().await),
        refusal(put("shown").tags(tag).send().await),
        refusal(cloudwatch.describe_alarms().alarm_names("failures").send().await),
        refusal(
            cloudwatch
                .delete_alarms()
                .alarm_names("failures")
                .alarm_names("other")
                .send()
                .await,
        ),
        refusal(sns.create_topic().name("other").send().await),
        refusal(sns.delete_topic().topic_arn(TOPIC).send().await),
        refusal(
            sns.unsubscribe()
                .subscription_arn(format!("{TOPIC}:x"))
                .send()
                .await,
        ),
    ];
    for (code, message) in denied {
        assert_eq!(code, "AccessDenied", "{message}");
    }
    cloudwatch
        .delete_alarms()
        .alarm_names("failures")
        .send()
        .await
        .unwrap();
}
