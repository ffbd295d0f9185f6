//! Lambda: functions, and the processes that run them.
//!
//! **Layout.** `control` is the control plane over `function` and `code`. `invoke` runs one invocation in an
//! `environment`, which is the real `bootstrap` process behind its own `runtime_api`; `pool` keeps warm ones. `queue`
//! keeps asynchronous invocations until they are done. `output` takes what the process prints, and the platform's START,
//! END and REPORT lines, to the function's log group.

mod code;
mod control;
mod environment;
mod function;
mod invoke;
mod output;
mod pool;
mod queue;
mod runtime_api;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use percent_encoding::percent_decode_str;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use function::Function;
pub use invoke::{Invoked, invoke, room};
pub use pool::Room;

/// What Lambda keeps in memory.
#[derive(Default)]
pub struct Lambda {
    functions: Mutex<HashMap<String, Arc<Function>>>,
    pool: pool::Pool,
    output: output::Output,
}

impl Lambda {
    fn known(&self, name: &str) -> Option<Arc<Function>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// Whether this is the function's latest state.
    fn is_current(&self, function: &Function) -> bool {
        self.known(&function.name)
            .is_some_and(|known| known.text("RevisionId") == function.text("RevisionId"))
    }

    fn remember(&self, function: &Arc<Function>) {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        functions.insert(function.name.clone(), Arc::clone(function));
    }

    /// The function changed or went: what was read of it and its warm processes are of no use.
    fn forget(&self, name: &str) {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        self.pool.retire(name);
    }
}

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    let path = percent_decode_str(&call.path).decode_utf8_lossy().into_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (&call.method, parts.as_slice()) {
        (&Method::POST, ["2015-03-31", "functions"]) => control::create(cloud, &call).await,
        (&Method::GET, ["2015-03-31", "functions"]) => control::list(cloud, &call),
        (&Method::GET, ["2015-03-31", "functions", name]) => control::get(cloud, &call, name),
        (&Method::DELETE, ["2015-03-31", "functions", name]) => control::delete(cloud, &call, name).await,
        (&Method::GET, ["2015-03-31", "functions", name, "configuration"]) => {
            control::get_configuration(cloud, &call, name)
        }
        (&Method::PUT, ["2015-03-31", "functions", name, "configuration"]) => {
            control::update_configuration(cloud, &call, name).await
        }
        (&Method::PUT, ["2015-03-31", "functions", name, "code"]) => {
            control::update_code(cloud, &call, name).await
        }
        (&Method::POST, ["2015-03-31", "functions", name, "invocations"]) => {
            invoke::operation(cloud, &call, name).await
        }
        (&Method::GET, ["2017-03-31", "tags", arn]) => control::tags(cloud, &call, arn),
        (&Method::POST, ["2017-03-31", "tags", arn]) => control::tag(cloud, &call, arn).await,
        (&Method::DELETE, ["2017-03-31", "tags", arn]) => control::untag(cloud, &call, arn).await,
        _ => Err(call.not_implemented()),
    }
}

/// Goes on with the asynchronous invocations that were taken before the cloud stopped.
pub fn start(cloud: &Arc<Cloud>) {
    queue::start(cloud);
}

/// Ends the function processes.
pub async fn stop(cloud: &Arc<Cloud>) {
    cloud.lambda.pool.close();
    output::flush(cloud).await;
}
