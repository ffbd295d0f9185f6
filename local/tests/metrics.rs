//! CloudWatch metrics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, ScanBy, Statistic,
};
use common::TestCloud;

/// A whole hour, lately, so that periods begin where the data does.
fn hour() -> i64 {
    let now = jiff::Timestamp::now().as_second();
    now - now % 3600 - 3600
}

fn dimension() -> Dimension {
    Dimension::builder().name("FunctionName").value("resize").build()
}

async fn cloud_with_data() -> TestCloud {
    let cloud = TestCloud::start().await;
    for (offset, value) in [(0, 1.0), (10, 3.0), (60, 5.0), (300, 100.0)] {
        let datum = MetricDatum::builder()
            .metric_name("Duration")
            .dimensions(dimension())
            .value(value)
            .timestamp(DateTime::from_secs(hour() + offset))
            .build();
        let put = cloud
            .cloudwatch()
            .put_metric_data()
            .namespace("Test")
            .metric_data(datum);
        put.send().await.unwrap();
    }
    cloud
}

fn query(id: &str, stat: &str, period: i32) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace("Test")
        .metric_name("Duration")
        .dimensions(dimension())
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(period)
        .stat(stat)
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

#[tokio::test]
async fn one_call_answers_many_queries() {
    let cloud = cloud_with_data().await.restart().await;
    let reply = cloud
        .cloudwatch()
        .get_metric_data()
        .start_time(DateTime::from_secs(hour()))
        .end_time(DateTime::from_secs(hour() + 3600))
        .scan_by(ScanBy::TimestampAscending)
        .metric_data_queries(query("sums", "Sum", 60))
        .metric_data_queries(query("average", "Average", 300))
        .metric_data_queries(query("p90", "p90", 3600))
        .send()
        .await
        .unwrap();
    let values: Vec<&[f64]> = reply
        .metric_data_results()
        .iter()
        .map(|result| result.values())
        .collect();
    assert_eq!(values[0], [4.0, 5.0, 100.0]);
    assert_eq!(values[1], [3.0, 100.0]);
    assert_eq!(values[2], [100.0]);
    let times: Vec<i64> = reply.metric_data_results()[0]
        .timestamps()
        .iter()
        .map(DateTime::secs)
        .collect();
    assert_eq!(times, [hour(), hour() + 60, hour() + 300]);
}

#[tokio::test]
async fn statistics_of_one_metric_and_what_metrics_there_are() {
    let cloud = cloud_with_data().await;
    let cloudwatch = cloud.cloudwatch();
    let reply = cloudwatch
        .get_metric_statistics()
        .namespace("Test")
        .metric_name("Duration")
        .dimensions(dimension())
        .start_time(DateTime::from_secs(hour()))
        .end_time(DateTime::from_secs(hour() + 3600))
        .period(3600)
        .statistics(Statistic::SampleCount)
        .statistics(Statistic::Maximum)
        .extended_statistics("p50")
        .send()
        .await
        .unwrap();
    let point = &reply.datapoints()[0];
    assert_eq!((point.sample_count(), point.maximum()), (Some(4.0), Some(100.0)));
    assert!((point.extended_statistics().unwrap()["p50"] - 3.0).abs() < 0.05);

    let listed = cloudwatch.list_metrics().namespace("Test").send().await.unwrap();
    assert_eq!(listed.metrics()[0].dimensions(), [dimension()]);
    assert!(
        cloudwatch
            .list_metrics()
            .namespace("Other")
            .send()
            .await
            .unwrap()
            .metrics()
            .is_empty()
    );
}

#[tokio::test]
async fn expressions_are_refused() {
    let cloud = TestCloud::start().await;
    let expression = MetricDataQuery::builder()
        .id("e")
        .expression("SUM(METRICS())")
        .build();
    let refused = cloud
        .cloudwatch()
        .get_metric_data()
        .start_time(DateTime::from_secs(hour()))
        .end_time(DateTime::from_secs(hour() + 60))
        .metric_data_queries(expression)
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
}
