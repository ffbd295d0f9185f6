//! The listener: every connection and request starts here and goes to one service.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::Body;
use s3s::service::S3Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::call::{Call, Reply, Service};
use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::protocol::Protocol;
use crate::realism::{Happening, Unanswered};
use crate::{apigateway, auth, events, iam, lambda, logs, monitoring, random, s3, sns, states, sts};

/// The largest request body apart from S3's: what Lambda takes (a function's zip, in base64).
const MOST_BODY_BYTES: usize = 70_167_211;
/// How long requests in flight may take after the shutdown began.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Serves until `shutdown` is done, then lets the requests in flight end.
pub async fn serve(
    cloud: &Arc<Cloud>,
    listener: std::net::TcpListener,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let s3 = s3::service(cloud);
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(Arc::clone(cloud), s3.clone(), stream, stopping.clone()));
                }
                // Out of file descriptors, say: the connections there are may end and free some.
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    stop.send_replace(());
    drop(stopping);
    let ended = async {
        while connections.join_next().await.is_some() {}
        // Requests whose clients went away hold a receiver until they are done.
        stop.closed().await;
    };
    if tokio::time::timeout(LAST_REQUESTS, ended).await.is_err() {
        tracing::warn!("requests were still running when the local cloud stopped");
    }
    Ok(())
}

async fn serve_connection(
    cloud: Arc<Cloud>,
    s3: S3Service,
    stream: TcpStream,
    mut stopping: watch::Receiver<()>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    let running = stopping.clone();
    let answer = service_fn(move |request| {
        let whole = answer_whole(Arc::clone(&cloud), s3.clone(), running.clone(), request);
        async move { sent(whole.await).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// An error that ends the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut, as was asked for")]
struct Cut;

/// The response, unless it stands for one that is never sent.
async fn sent(response: Response<Body>) -> Result<Response<Body>, Cut> {
    match response.extensions().get() {
        None => Ok(response),
        Some(Unanswered::Cut) => Err(Cut),
        Some(Unanswered::Stalled) => std::future::pending().await,
    }
}

/// Answers in a task of its own: when the client goes away, hyper drops what it waits for, and a request that has begun to
/// write must come to its end.
async fn answer_whole(
    cloud: Arc<Cloud>,
    s3: S3Service,
    running: watch::Receiver<()>,
    request: Request<Incoming>,
) -> Response<Body> {
    let task = tokio::spawn(async move {
        let response = answer(&cloud, &s3, request).await;
        drop(running);
        response
    });
    task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request failed");
        refuse(&AwsError::internal("the local cloud failed at this request"))
    })
}

async fn answer(cloud: &Arc<Cloud>, s3: &S3Service, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    if !is_for_loopback(&head) {
        let refused = AwsError::new(
            403,
            "Forbidden",
            "The local cloud answers only to loopback host names.",
        );
        return Protocol::AwsQuery.render_error(Service::Sts, &refused, "");
    }
    let Some(name) = auth::signed_service(&head) else {
        return answer_unsigned(cloud, head, body).await;
    };
    match Service::from_signing_name(&name) {
        Some(Service::S3) => s3::answer(s3, Request::from_parts(head, Body::from(body))).await,
        Some(service) => answer_call(cloud, service, head, body).await,
        None => refuse(&AwsError::not_implemented(&name, head.uri.path())),
    }
}

/// Unsigned requests are for the deployed APIs.
async fn answer_unsigned(cloud: &Arc<Cloud>, head: Parts, body: Incoming) -> Response<Body> {
    if !head.uri.path().starts_with("/restapis/") {
        let message = "Request is missing Authentication Token";
        return refuse(&AwsError::new(403, "MissingAuthenticationToken", message));
    }
    match read_body(body).await {
        Ok(body) => apigateway::invoke(cloud, &head, body).await,
        Err(error) => refuse(&error),
    }
}

/// An error to a request that reaches no service.
fn refuse(error: &AwsError) -> Response<Body> {
    Protocol::AwsQuery.render_error(Service::Sts, error, &random::uuid().unwrap_or_default())
}

/// A web page that rebinds its host name to 127.0.0.1 still sends its own name as `Host`.
fn is_for_loopback(head: &Parts) -> bool {
    let Some(host) = head
        .headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
    else {
        return false;
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "127.0.0.1" || name == "localhost" || name.ends_with(".localhost")
}

async fn answer_call(cloud: &Arc<Cloud>, service: Service, head: Parts, body: Incoming) -> Response<Body> {
    let protocol = Protocol::of(service, &head);
    let request_id = random::uuid().unwrap_or_default();
    let call = match read_call(cloud, service, protocol, head, body, &request_id).await {
        Ok(call) => call,
        Err(error) => return protocol.render_error(service, &error, &request_id),
    };
    let befalls = cloud.conditions.befalls(|| name_of(&call)).await;
    let answer_to_it = |happening: Happening| match happening.answer {
        Ok(error) => protocol.render_error(service, &error, &request_id),
        Err(unanswered) => unanswered.response(),
    };
    let befalls = match befalls {
        Some(happening) if !happening.after => return answer_to_it(happening),
        after => after,
    };
    let operation = call.operation.clone();
    let response = match dispatch(cloud, call).await {
        Ok(reply) => protocol.render(service, &operation, reply, &request_id),
        Err(error) => {
            tracing::debug!(service = service.signing_name(), operation, %error, "refused");
            protocol.render_error(service, &error, &request_id)
        }
    };
    befalls.map_or(response, answer_to_it)
}

/// `lambda:CreateFunction`.
fn name_of(call: &Call) -> String {
    let routes = match call.service {
        Service::Lambda => lambda::ROUTES,
        Service::ApiGateway => apigateway::ROUTES,
        _ => &[],
    };
    let operation = call
        .find(routes)
        .map_or(call.operation.as_str(), |(route, _)| route.operation);
    format!("{}:{operation}", call.service.signing_name())
}

async fn read_call(
    cloud: &Cloud,
    service: Service,
    protocol: Protocol,
    head: Parts,
    body: Incoming,
    request_id: &str,
) -> Result<Call, AwsError> {
    let body = read_body(body).await?;
    let principal = auth::authenticate(cloud, service, &head, &body)?;
    let (operation, input) = protocol.read(&head, &body)?;
    let query = head.uri.query().unwrap_or_default();
    Ok(Call {
        service,
        principal,
        operation,
        input,
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        method: head.method,
        headers: head.headers,
        body,
        request_id: request_id.to_owned(),
    })
}

async fn read_body(body: Incoming) -> Result<Bytes, AwsError> {
    let collected = Limited::new(body, MOST_BODY_BYTES)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                let message = format!("Request must be smaller than {MOST_BODY_BYTES} bytes");
                AwsError::new(413, "RequestEntityTooLargeException", message)
            } else {
                AwsError::bad_request(
                    "IncompleteBody",
                    format!("The request body did not arrive whole: {error}"),
                )
            }
        })?;
    Ok(collected.to_bytes())
}

async fn dispatch(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    match call.service {
        Service::Iam => iam::call(cloud, call).await,
        Service::Sts => sts::call(cloud, call).await,
        Service::Logs => logs::call(cloud, call).await,
        Service::Monitoring => monitoring::call(cloud, call).await,
        Service::Lambda => lambda::call(cloud, call).await,
        Service::States => states::call(cloud, call).await,
        Service::Sns => sns::call(cloud, call).await,
        Service::Events => events::call(cloud, call).await,
        Service::ApiGateway => apigateway::call(cloud, call).await,
        Service::S3 => Err(call.not_implemented()),
    }
}
