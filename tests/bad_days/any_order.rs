//! Whatever happens in whichever order, it converges. `RESIZER_SEEDS` is how many stories are told, eight without.

use std::thread;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_eventbridge::types::RetryPolicy;
use aws_sdk_s3::types::NotificationConfiguration;
use resizer_local::Realism;

use crate::common::by_hand::change_the_api;
use crate::common::s3_at;
use crate::everything::is_nothing;
use crate::random::Random;
use crate::stack::{DOWN, Stack, UP, for_each};

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Up,
    OtherConfiguration,
    /// Somebody changes or removes things by hand.
    Drift,
    KillUp,
    KillDown,
    Down,
}

#[test]
fn whatever_happens_in_whichever_order_it_converges() {
    let stack = Stack::new();
    let mut calls = stack.calls_of(&UP);
    let standing = [0, 1].map(|configuration| {
        stack.configure(configuration);
        stack.place().resizer(&UP).ok();
        stack.everything()
    });
    for (operation, count) in stack.calls_of(&DOWN) {
        *calls.entry(operation).or_default() += count;
    }

    let seeds = std::env::var("RESIZER_SEEDS").map_or(8, |seeds| seeds.parse().unwrap());
    let seeds: Vec<u64> = (0..seeds).collect();
    for_each(&seeds, |stack, seed| {
        let mut random = Random::from(*seed);
        let mut configuration = 0;
        let mut story = Vec::new();
        for _ in 0..5 {
            let deed = *random.one_of(&[
                Deed::Up,
                Deed::OtherConfiguration,
                Deed::Drift,
                Deed::KillUp,
                Deed::KillDown,
                Deed::Down,
            ]);
            story.push(deed);
            let day = random.day(&calls);
            stack.near.behave(day);
            match deed {
                Deed::OtherConfiguration => configuration = 1 - configuration,
                Deed::Drift => stack.runtime.block_on(drift(&stack.config, &mut random)),
                Deed::Up | Deed::KillUp | Deed::KillDown | Deed::Down => {}
            }
            stack.configure(configuration);
            let command = match deed {
                Deed::KillDown | Deed::Down => &DOWN[..],
                _ => &UP,
            };
            if matches!(deed, Deed::KillUp | Deed::KillDown) {
                let mut running = stack.place().spawn(command);
                thread::sleep(Duration::from_millis(random.below(600)));
                running.kill().unwrap();
                running.wait().unwrap();
            } else {
                let ended = stack.place().resizer(command);
                assert!(
                    ended.code == Some(0) || ended.stderr.contains("hint: "),
                    "seed {seed}, {story:?}: {}",
                    ended.stderr
                );
            }
        }
        stack.near.behave(Realism::default());
        stack.place().resizer(&UP).ok();
        assert_eq!(
            stack.everything(),
            standing[configuration],
            "seed {seed}, {story:?}"
        );
        stack.place().resizer(&DOWN).ok();
        let left = stack.everything();
        assert!(is_nothing(&left), "seed {seed}, {story:?}: {left:#}");
    });
}

/// Changes or removes something by hand; what is not there cannot be. The stack's tag stays: without it, nothing is mended
/// unless somebody asks for that.
async fn drift(config: &SdkConfig, random: &mut Random) {
    let rule = "resizer-object-created";
    let function = "resizer-resize";
    match random.below(11) {
        0 => {
            let rule = aws_sdk_eventbridge::Client::new(config);
            let _ = rule.disable_rule().name("resizer-object-created").send().await;
        }
        1 => {
            let lambda = aws_sdk_lambda::Client::new(config);
            let _ = lambda
                .delete_function()
                .function_name("resizer-resize")
                .send()
                .await;
        }
        2 => {
            let iam = aws_sdk_iam::Client::new(config);
            let delete = iam
                .delete_role_policy()
                .role_name("resizer-eu-central-1-function")
                .policy_name("pictures");
            let _ = delete.send().await;
        }
        3 => {
            let states = aws_sdk_sfn::Client::new(config);
            let arn = "arn:aws:states:eu-central-1:000000000000:stateMachine:resizer-resize";
            let _ = states.delete_state_machine().state_machine_arn(arn).send().await;
        }
        4 => {
            let logs = aws_sdk_cloudwatchlogs::Client::new(config);
            let group = "/aws/lambda/resizer-resize";
            let _ = logs.delete_log_group().log_group_name(group).send().await;
        }
        5 => {
            let _ = change_the_api(config).await;
        }
        6 => {
            let events = aws_sdk_eventbridge::Client::new(config);
            let targets = events.list_targets_by_rule().rule(rule).send().await;
            for target in targets.iter().flat_map(|targets| targets.targets()) {
                let mut target = target.clone();
                target.retry_policy = Some(RetryPolicy::builder().maximum_retry_attempts(0).build());
                let _ = events.put_targets().rule(rule).targets(target).send().await;
            }
        }
        7 => {
            let lambda = aws_sdk_lambda::Client::new(config);
            let arn = format!("arn:aws:lambda:eu-central-1:000000000000:function:{function}");
            let untag = lambda.untag_resource().resource(arn);
            let _ = untag.tag_keys("resizer:code-sha256").send().await;
            let smaller = lambda.update_function_configuration().function_name(function);
            let _ = smaller.memory_size(128).send().await;
        }
        8 => {
            let logs = aws_sdk_cloudwatchlogs::Client::new(config);
            let keep = logs
                .put_retention_policy()
                .log_group_name("/aws/lambda/resizer-resize");
            let _ = keep.retention_in_days(1).send().await;
        }
        9 => {
            let bucket = "resizer-original-000000000000-eu-central-1";
            let s3 = s3_at(config);
            let _ = s3.delete_public_access_block().bucket(bucket).send().await;
            let nobody = NotificationConfiguration::builder().build();
            let tell = s3.put_bucket_notification_configuration().bucket(bucket);
            let _ = tell.notification_configuration(nobody).send().await;
        }
        _ => {
            let apis = aws_sdk_apigateway::Client::new(config);
            let there = apis.get_rest_apis().send().await;
            for api in there.iter().flat_map(|there| there.items()) {
                let stage = apis
                    .delete_stage()
                    .rest_api_id(api.id().unwrap())
                    .stage_name("prod");
                let _ = stage.send().await;
            }
        }
    }
}
