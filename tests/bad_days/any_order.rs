//! Whatever happens in whichever order, it converges. `RESIZER_SEEDS` is how many stories are told, eight without.

use std::thread;
use std::time::Duration;

use aws_config::SdkConfig;
use resizer_local::Realism;

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

/// Changes or removes something by hand; what is not there cannot be.
async fn drift(config: &SdkConfig, random: &mut Random) {
    match random.below(6) {
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
