//! The dashboard and the alarms: that they come, tell, are put back, follow the configuration, and go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, StateValue, Statistic};
use common::near::{DOWN, NearCloud, UP};
use common::{Place, confirm, corpus, eventually};
use serde_json::{Value, json};

const PLAN: [&str; 4] = ["plan", "--local", "--handler-zip", "function.zip"];

const TOPIC: &str = "arn:aws:sns:eu-central-1:000000000000:resizer-alarms";
const DASHBOARD: &str = "resizer-eu-central-1";
const FAILED: &str = "resizer.executions-failed";
const ALARMS: [&str; 3] = [FAILED, "resizer.function-throttled", "resizer.rule-failed"];

/// Whom the alarms of a place tell from the next `up` on.
fn configure(place: &Place, alarms: &str) {
    std::fs::write(place.path().join("resizer.toml"), alarms).unwrap();
}

fn telling(address: &str) -> String {
    format!("[alarms]\nemail = \"{address}\"\n")
}

fn cloudwatch(place: &Place) -> aws_sdk_cloudwatch::Client {
    aws_sdk_cloudwatch::Client::new(&place.sdk_config())
}

fn sns(place: &Place) -> aws_sdk_sns::Client {
    aws_sdk_sns::Client::new(&place.sdk_config())
}

/// Those that stand, whosever they are.
async fn alarms(place: &Place) -> Vec<String> {
    let all = cloudwatch(place).describe_alarms().send().await.unwrap();
    let all = all.metric_alarms().iter();
    all.map(|alarm| alarm.alarm_name().unwrap().to_owned()).collect()
}

async fn topics(place: &Place) -> usize {
    sns(place).list_topics().send().await.unwrap().topics().len()
}

async fn dashboards(place: &Place) -> usize {
    let all = cloudwatch(place).list_dashboards().send().await.unwrap();
    all.dashboard_entries().len()
}

/// The addresses that the stack's topic tells, or asks.
async fn addresses(place: &Place) -> Vec<String> {
    let list = sns(place).list_subscriptions_by_topic().topic_arn(TOPIC);
    let list = list.send().await.unwrap();
    let all = list.subscriptions().iter();
    all.map(|subscription| subscription.endpoint().unwrap().to_owned())
        .collect()
}

fn fields_of(plan: &Value, resource: &str) -> Vec<String> {
    let changes = plan["changes"].as_array().unwrap();
    let change = changes.iter().find(|change| change["resource"] == resource);
    let fields = change.unwrap()["fields"].as_array().unwrap().iter();
    fields
        .map(|field| field["field"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_fails_sets_off_an_alarm_and_down_leaves_none() {
    let place = Place::new();
    configure(&place, &telling("ops@example.org"));
    place
        .resizer(&["up", "--local"])
        .ok()
        .says("a local cloud sends no mail");
    let states = |place: &Place| place.json(&["status", "--local"])["alarms"]["states"].clone();
    assert!(
        states(&place)
            .as_array()
            .unwrap()
            .iter()
            .all(|alarm| alarm["state"] == "OK"),
        "{}",
        states(&place)
    );

    let bad = corpus("bad-html.png");
    place
        .resizer(&["invoke", "--local", "--file", bad.to_str().unwrap()])
        .code(1);
    let describe = cloudwatch(&place).describe_alarms().alarm_names(FAILED);
    let described = describe.send().await.unwrap();
    let alarm = &described.metric_alarms()[0];
    assert_eq!(alarm.state_value(), Some(&StateValue::Alarm), "{alarm:?}");
    assert_eq!(states(&place)[0], json!({"name": FAILED, "state": "ALARM"}));
    let status = place.resizer(&["status", "--local"]).ok();
    assert!(
        status.stdout.contains(&format!("Alarms: ALARM {FAILED}; 2 OK")),
        "{}",
        status.stdout
    );

    // Whatever the configuration says by then.
    std::fs::remove_file(place.path().join("resizer.toml")).unwrap();
    place.resizer(&DOWN).ok();
    assert!(alarms(&place).await.is_empty());
    assert_eq!((topics(&place).await, dashboards(&place).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_runs_out_of_time_sets_off_the_alarm_too() {
    let near = NearCloud::start();
    let place = &near.place;
    configure(place, &telling("ops@example.org"));
    place.resizer(&UP).ok();
    let states = aws_sdk_sfn::Client::new(&place.sdk_config());
    let machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:resizer-resize";
    let definition = json!({
        "StartAt": "Wait",
        "TimeoutSeconds": 1,
        "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}},
    });
    let change = states.update_state_machine().state_machine_arn(machine);
    change.definition(definition.to_string()).send().await.unwrap();
    let start = states.start_execution().state_machine_arn(machine);
    start.send().await.unwrap();
    let cloudwatch = cloudwatch(place);
    let reason = eventually("the alarm", async || {
        let describe = cloudwatch.describe_alarms().alarm_names(FAILED);
        let alarm = describe.send().await.unwrap().metric_alarms.unwrap().remove(0);
        (alarm.state_value() == Some(&StateValue::Alarm)).then_some(alarm.state_reason)
    });
    assert!(reason.await.unwrap().contains("[1] were greater than or equal"));

    // As it was when it knew of failures alone.
    let dimension = Dimension::builder().name("StateMachineArn").value(machine);
    cloudwatch
        .put_metric_alarm()
        .alarm_name(FAILED)
        .alarm_description(
            "Executions of the state machine have failed or run out of time: `resizer status --failed` tells which, and why",
        )
        .namespace("AWS/States")
        .metric_name("ExecutionsFailed")
        .dimensions(dimension.build())
        .statistic(Statistic::Sum)
        .period(300)
        .evaluation_periods(1)
        .datapoints_to_alarm(1)
        .threshold(1.0)
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
        .treat_missing_data("notBreaching")
        .alarm_actions(TOPIC)
        .ok_actions(TOPIC)
        .send()
        .await
        .unwrap();
    assert_eq!(
        fields_of(&place.json(&PLAN), "executions_failed_alarm"),
        ["metric", "condition"]
    );
    place.resizer(&UP).ok();
    assert_eq!(place.json(&UP)["changed"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_by_hand_is_told_and_put_back() {
    let near = NearCloud::start();
    let place = &near.place;
    configure(place, &telling("ops@example.org"));
    place.resizer(&UP).ok();
    let plan = [&PLAN[..], &["--exit-code"]].concat();
    place.resizer(&plan).code(0);

    let (cloudwatch, sns) = (cloudwatch(place), sns(place));
    cloudwatch
        .put_metric_alarm()
        .alarm_name(FAILED)
        .namespace("AWS/Lambda")
        .metric_name("Errors")
        .statistic(Statistic::Average)
        .period(60)
        .evaluation_periods(3)
        .threshold(5.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .actions_enabled(false)
        .insufficient_data_actions(TOPIC)
        .send()
        .await
        .unwrap();
    let delete = cloudwatch.delete_alarms().alarm_names(ALARMS[1]);
    delete.send().await.unwrap();
    let edit = cloudwatch.put_dashboard().dashboard_name(DASHBOARD);
    edit.dashboard_body(r#"{"widgets": []}"#).send().await.unwrap();
    let anyone = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC}
    ]});
    let widen = sns
        .set_topic_attributes()
        .topic_arn(TOPIC)
        .attribute_name("Policy");
    widen.attribute_value(anyone.to_string()).send().await.unwrap();

    let told = place
        .resizer(&[&plan[..], &["--json"]].concat())
        .code(2)
        .document();
    assert_eq!(
        fields_of(&told, "executions_failed_alarm"),
        ["description", "metric", "condition", "actions"]
    );
    assert_eq!(fields_of(&told, "dashboard"), ["body"]);
    assert_eq!(fields_of(&told, "alarm_topic"), ["policy"]);
    assert!(told.to_string().contains(r#""action":"create""#), "{told:#}");
    place.resizer(&UP).ok();
    place.resizer(&plan).code(0);
    assert_eq!(alarms(place).await, ALARMS);

    // Somebody follows the link at the end of a mail that asks to be told no more.
    confirm(&sns, TOPIC, "ops@example.org").await;
    let list = sns.list_subscriptions_by_topic().topic_arn(TOPIC).send();
    let list = list.await.unwrap();
    let arn = list.subscriptions()[0].subscription_arn().unwrap();
    sns.unsubscribe().subscription_arn(arn).send().await.unwrap();
    let told = place.json(&PLAN);
    assert_eq!(fields_of(&told, "alarm_topic"), ["e-mail"]);
    place.resizer(&UP).ok();
    assert_eq!(addresses(place).await, ["ops@example.org"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_out_of_the_configuration_alarms_and_topic_go() {
    let near = NearCloud::start();
    let place = &near.place;
    configure(place, &telling("ops@example.org"));
    place.resizer(&UP).ok();

    // Another topic: their own goes, once they tell the other.
    configure(
        place,
        "[alarms]\ntopic = \"arn:aws:sns:eu-central-1:000000000000:team\"\n",
    );
    let plan = place.resizer(&PLAN).ok();
    assert!(
        plan.stdout.contains("remove  topic  resizer-alarms"),
        "{}",
        plan.stdout
    );
    place.resizer(&UP).ok();
    assert_eq!((alarms(place).await.len(), topics(place).await), (3, 0));
    assert_eq!(place.json(&UP)["changed"], false);

    configure(place, "");
    let status = place.resizer(&["status", "--local"]).ok();
    assert!(
        status.stdout.contains("not wanted any more") && status.stdout.contains("13 of 16 there and right"),
        "{}",
        status.stdout
    );
    place.resizer(&UP).ok();
    assert!(alarms(place).await.is_empty());
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
    assert_eq!(place.json(&UP)["changed"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_alarms_in_the_configuration_those_of_others_are_nobodys_business() {
    let near = NearCloud::start();
    let place = &near.place;
    sns(place)
        .create_topic()
        .name("resizer-alarms")
        .send()
        .await
        .unwrap();
    make_alarm(place).await;
    place.resizer(&UP).ok();
    assert_eq!(place.json(&["status", "--local"])["healthy"], true);
    place.resizer(&DOWN).ok();
    assert_eq!((alarms(place).await.len(), topics(place).await), (1, 1));

    // With alarms they are in the way, until they are adopted.
    configure(place, &telling("ops@example.org"));
    place
        .resizer(&UP)
        .code(1)
        .says("the topic resizer-alarms has the name of this stack's")
        .says(&format!("neither is the alarm {FAILED}"));
    place.resizer(&[&UP[..], &["--adopt"]].concat()).ok();
    assert_eq!(place.json(&UP)["changed"], false);
    assert_eq!(addresses(place).await, ["ops@example.org"]);
    place.resizer(&DOWN).ok();
    assert_eq!((alarms(place).await.len(), topics(place).await), (0, 0));
}

/// One of nobody, that has the name of the stack's.
async fn make_alarm(place: &Place) {
    cloudwatch(place)
        .put_metric_alarm()
        .alarm_name(FAILED)
        .namespace("AWS/Lambda")
        .metric_name("Errors")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(5.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_of_the_same_name_is_left_alone_until_it_is_adopted() {
    let near = NearCloud::start();
    let place = &near.place;
    let theirs = r#"{"widgets": [{"type": "text", "properties": {"markdown": "theirs"}}]}"#;
    let put = cloudwatch(place).put_dashboard().dashboard_name(DASHBOARD);
    put.dashboard_body(theirs).send().await.unwrap();
    place
        .resizer(&UP)
        .code(1)
        .says(&format!("the dashboard {DASHBOARD} has the name of this stack's"));
    let down = place.resizer(&DOWN).ok();
    let left = format!("what is left: dashboard {DASHBOARD}, which is not the stack's");
    assert!(down.stdout.contains(&left), "{}", down.stdout);
    let get = cloudwatch(place).get_dashboard().dashboard_name(DASHBOARD);
    assert_eq!(get.send().await.unwrap().dashboard_body(), Some(theirs));

    place.resizer(&[&UP[..], &["--adopt"]].concat()).ok();
    assert_eq!(place.json(&UP)["changed"], false);
    place.resizer(&DOWN).ok();
    assert_eq!(dashboards(place).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_takes_the_place_of_the_one_before() {
    let near = NearCloud::start();
    let place = &near.place;
    configure(place, &telling("wrong@example.org"));
    place.resizer(&UP).ok();

    // It was never confirmed, and must not be once it is not wanted.
    configure(place, &telling("ops@example.org"));
    let told = place.json(&PLAN);
    assert_eq!(fields_of(&told, "alarm_topic"), ["e-mail"]);
    place.resizer(&UP).ok();
    assert_eq!(addresses(place).await, ["ops@example.org"]);

    // Confirmed, it is ended; what others have subscribed stays.
    let sns = sns(place);
    for address in ["ops@example.org", "anna@example.org"] {
        confirm(&sns, TOPIC, address).await;
    }
    assert_eq!(
        place.json(&["status", "--local"])["alarms"]["unconfirmed"],
        Value::Null
    );
    configure(place, &telling("team@example.org"));
    place.resizer(&UP).ok();
    assert_eq!(addresses(place).await, ["anna@example.org", "team@example.org"]);
    let plan = place.resizer(&[&PLAN[..], &["--exit-code"]].concat()).code(0);
    assert!(
        plan.stdout
            .contains("stays: subscription of email anna@example.org"),
        "{}",
        plan.stdout
    );
    assert_eq!(
        place.json(&["status", "--local"])["alarms"]["unconfirmed"],
        "team@example.org"
    );
}

#[test]
fn a_configuration_that_tells_nobody_is_refused() {
    let place = Place::new();
    for (alarms, says) in [
        ("[alarms]\n", "it needs an email, a topic, or both"),
        ("[alarms]\nmail = \"ops@example.org\"\n", "unknown field `mail`"),
        ("[alarms]\nemail = \"ops\"\n", "alarms.email is an address"),
        ("[alarms]\ntopic = \"ops\"\n", "alarms.topic is the ARN"),
        (
            "[alarms]\ntopic = \"arn:aws:sns:eu-west-1:000000000000:ops\"\n",
            "is in another region than the stack, us-east-1",
        ),
    ] {
        configure(&place, alarms);
        place.resizer(&["plan", "--local"]).code(2).says(says);
    }
}
