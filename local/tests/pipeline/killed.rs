//! What was acknowledged outlives `kill -9`.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDatum, Statistic};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use jiff::Timestamp;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::common::TestCloud;
use crate::stack::{FUNCTION, Stack, resized};

#[test]
fn an_event_that_was_taken_reaches_the_function() {
    let first = Runtime::new().unwrap();
    let stack = first.block_on(async {
        let stack = Stack::start().await;
        stack.upload("a.jpg").await;
        stack.ended(1).await;
        let delete = stack.cloud.s3().delete_object().bucket("resized").key("a.jpg");
        delete.send().await.unwrap();
        let event = json!({"bucket": "original", "key": "a.jpg", "seconds": 1});
        let invoke = stack.cloud.lambda().invoke().function_name(FUNCTION);
        let invoke = invoke.invocation_type(InvocationType::Event);
        let invoked = invoke.payload(Blob::new(event.to_string())).send().await.unwrap();
        assert_eq!(invoked.status_code, 202);
        stack
    });
    let folder = stack.cloud.kill(first);
    Runtime::new().unwrap().block_on(async {
        let cloud = TestCloud::start_in(folder);
        for _ in 0..1500 {
            if resized(&cloud, "a.jpg").await.is_some() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the event did not reach the function");
    });
}

#[test]
fn metric_data_is_there() {
    let first = Runtime::new().unwrap();
    let cloud = first.block_on(async {
        let cloud = TestCloud::start().await;
        let datum = MetricDatum::builder().metric_name("Count").value(3.0).build();
        let put = cloud.cloudwatch().put_metric_data().namespace("Test");
        put.metric_data(datum).send().await.unwrap();
        cloud
    });
    let folder = cloud.kill(first);
    Runtime::new().unwrap().block_on(async {
        let cloud = TestCloud::start_in(folder);
        let now = Timestamp::now().as_second();
        let read = cloud.cloudwatch().get_metric_statistics().namespace("Test");
        let read = read.metric_name("Count").statistics(Statistic::Sum).period(3600);
        let read = read
            .start_time(DateTime::from_secs(now - 7200))
            .end_time(DateTime::from_secs(now + 3600));
        let points = read.send().await.unwrap().datapoints.unwrap();
        assert_eq!(points[0].sum, Some(3.0));
    });
}
