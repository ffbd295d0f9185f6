//! Lambda: functions, and the processes that run them.
//!
//! **Layout.** `control` is the control plane over `function` and `code`. `invoke` runs one invocation in an
//! `environment`, which is the real `bootstrap` process behind its own `runtime_api`; `pool` keeps warm ones. `queue`
//! keeps asynchronous invocations until they are done. `output` takes what the process prints through its `pipe`s, and the platform's START,
//! END and REPORT lines, to the function's log group.

mod code;
mod control;
mod environment;
mod function;
mod invoke;
mod output;
mod pipe;
mod pool;
mod queue;
mod runtime_api;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::inputs::{ANY, Members, Route};
pub use code::FOLDER;
use function::Function;
pub use invoke::{Invoked, invoke, room};
pub use pool::Room;

/// What Lambda keeps in memory.
#[derive(Default)]
pub struct Lambda {
    functions: Mutex<HashMap<String, Arc<Function>>>,
    /// Held by who changes a function, its row and its code's folder: they are read, changed and written.
    changes: tokio::sync::Mutex<()>,
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

    /// What is known of a function, or what `read` tells. The lock is held meanwhile, so that a `forget` comes after what
    /// was read before it.
    fn known_or(
        &self,
        name: &str,
        read: impl FnOnce() -> Result<Function, AwsError>,
    ) -> Result<Arc<Function>, AwsError> {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = functions.get(name) {
            return Ok(Arc::clone(function));
        }
        let function = Arc::new(read()?);
        functions.insert(name.to_owned(), Arc::clone(&function));
        Ok(function)
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

/// The one version that functions have.
const QUALIFIER: Members = &["Qualifier=$LATEST"];

pub const ROUTES: &[Route] = &[
    Route {
        operation: "CreateFunction",
        request: "POST /2015-03-31/functions",
        query: &[],
        body: &[
            "FunctionName",
            "Runtime",
            "Role",
            "Handler",
            "Code.ZipFile",
            "Description",
            "Timeout",
            "MemorySize",
            "Publish=false",
            "PackageType=Zip",
            "Environment.Variables",
            "TracingConfig.Mode=PassThrough",
            "Tags",
            "Architectures=x86_64",
            "Architectures=arm64",
            "EphemeralStorage.Size",
            "SnapStart.ApplyOn=None",
            "LoggingConfig.LogFormat=Text",
            "LoggingConfig.LogGroup",
        ],
    },
    Route {
        operation: "ListFunctions",
        request: "GET /2015-03-31/functions",
        query: &["Marker", "MaxItems", "FunctionVersion=ALL"],
        body: &[],
    },
    Route {
        operation: "GetFunction",
        request: "GET /2015-03-31/functions/{name}",
        query: QUALIFIER,
        body: &[],
    },
    Route {
        operation: "DeleteFunction",
        request: "DELETE /2015-03-31/functions/{name}",
        query: &[],
        body: &[],
    },
    Route {
        operation: "GetFunctionConfiguration",
        request: "GET /2015-03-31/functions/{name}/configuration",
        query: QUALIFIER,
        body: &[],
    },
    Route {
        operation: "UpdateFunctionConfiguration",
        request: "PUT /2015-03-31/functions/{name}/configuration",
        query: &[],
        body: &[
            "Runtime",
            "Role",
            "Handler",
            "Description",
            "Timeout",
            "MemorySize",
            "Environment.Variables",
            "TracingConfig.Mode=PassThrough",
            "EphemeralStorage.Size",
            "SnapStart.ApplyOn=None",
            "LoggingConfig.LogFormat=Text",
            "LoggingConfig.LogGroup",
            "RevisionId",
        ],
    },
    Route {
        operation: "UpdateFunctionCode",
        request: "PUT /2015-03-31/functions/{name}/code",
        query: &[],
        body: &[
            "ZipFile",
            "Architectures=x86_64",
            "Architectures=arm64",
            "Publish=false",
            "DryRun",
            "RevisionId",
        ],
    },
    Route {
        operation: "Invoke",
        request: "POST /2015-03-31/functions/{name}/invocations",
        query: QUALIFIER,
        body: ANY,
    },
    Route {
        operation: "ListTags",
        request: "GET /2017-03-31/tags/{arn}",
        query: &[],
        body: &[],
    },
    Route {
        operation: "TagResource",
        request: "POST /2017-03-31/tags/{arn}",
        query: &[],
        body: &["Tags"],
    },
    Route {
        operation: "UntagResource",
        request: "DELETE /2017-03-31/tags/{arn}",
        query: &["tagKeys"],
        body: &[],
    },
];
/// Invoke's headers that are not honoured.
const REFUSED_HEADERS: [&str; 3] = [
    "x-amz-client-context",
    "x-amz-durable-execution-name",
    "x-amz-tenant-id",
];

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    let (operation, labels) = call.route(ROUTES)?;
    if let Some(name) = REFUSED_HEADERS
        .iter()
        .find(|name| call.headers.contains_key(**name))
    {
        let message = format!("{operation}: the local cloud does not support {name}");
        return Err(AwsError::bad_request("InvalidParameterValueException", message));
    }
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    match (operation, labels.as_slice()) {
        ("CreateFunction", []) => control::create(cloud, &call).await,
        ("ListFunctions", []) => control::list(cloud, &call),
        ("GetFunction", [name]) => control::get(cloud, &call, name),
        ("DeleteFunction", [name]) => control::delete(cloud, &call, name).await,
        ("GetFunctionConfiguration", [name]) => control::get_configuration(cloud, &call, name),
        ("UpdateFunctionConfiguration", [name]) => control::update_configuration(cloud, &call, name).await,
        ("UpdateFunctionCode", [name]) => control::update_code(cloud, &call, name).await,
        ("Invoke", [name]) => invoke::operation(cloud, &call, name).await,
        ("ListTags", [arn]) => control::tags(cloud, &call, arn),
        ("TagResource", [arn]) => control::tag(cloud, &call, arn).await,
        ("UntagResource", [arn]) => control::untag(cloud, &call, arn).await,
        _ => Err(call.not_implemented()),
    }
}

/// Removes code that no function has any more, and goes on with the asynchronous invocations that were taken before the
/// cloud stopped.
pub fn start(cloud: &Arc<Cloud>) {
    if let Err(error) = code::sweep(cloud) {
        tracing::warn!(%error, "failed to remove code that no function has");
    }
    queue::start(cloud);
}

/// Begins no further invocation; those that run go on to their end.
pub fn halt(cloud: &Arc<Cloud>) {
    cloud.lambda.pool.close();
}

/// Writes what the functions have said.
pub async fn stop(cloud: &Arc<Cloud>) {
    output::flush(cloud).await;
}
