//! The Lambda function of the image-resize pipeline: reads an image from S3, makes it smaller, writes it to S3.
//!
//! # Layout
//! - [`resize`](mod@resize): the image work, pure: bytes and settings in, bytes and what was done out.
//! - [`jpeg`]: the decoder of what is uploaded most.
//! - `event`, `answer`, `key`: what comes in, what goes out, where the result is written.
//! - `environment`: the settings, read from environment variables once at start.
//! - `store`: S3. `failure`: S3's errors as Lambda errors.
//! - `invocation`: one event, from download to answer. `runtime`: the loop around it.
//!
//! # Event
//! `{"bucket": …, "key": …, "size": …}` with the key as it is (`size` is not looked at), or an S3 notification
//! `{"Records": […]}` with URL-encoded keys. Without a `bucket`, the key is one of `ORIGINAL_BUCKET`'s.
//!
//! # Answer
//! `{"ok": true, "sourceBucket", "sourceKey", "destBucket", "destKey", "width", "height", "sourceWidth", "sourceHeight",
//! "sourceFormat", "bytes", "sourceBytes", "etag", "millis": {"download", "decode", "resize", "encode", "upload"}}`, or
//! `{"ok": false, "error": "<reason>", "bucket", "key"}` for an object that can't or won't be resized. An S3 notification
//! of several records is answered with `{"ok": <all>, "error": "<first reason>", "results": [<answer>, …]}`.
//!
//! # Lambda errors
//! Everything that is not about the image. The error's type, as the state machine sees it:
//!
//! | `errorType` | meaning | may a retry mend it |
//! | --- | --- | --- |
//! | `S3.SlowDown` | S3 throttles | yes |
//! | `S3.Unavailable` | S3 answered 5xx | yes |
//! | `S3.Timeout` | no answer in time, or the connection broke | yes |
//! | `AccessDenied` | the function's role lacks a permission | no |
//! | `NoSuchBucket` | a bucket is not there | no |
//! | `S3.Rejected` | S3 refused for another reason, named in the message | no |
//! | `Configuration` | an environment variable is missing or wrong | no |
//!
//! # Environment
//! | variable | default | |
//! | --- | --- | --- |
//! | `RESIZED_BUCKET` | | bucket for the results |
//! | `ORIGINAL_BUCKET` | | bucket of the events that name none |
//! | `RESIZE_WIDTH` | `500` | pixels |
//! | `RESIZE_HEIGHT` | by the source's ratio | pixels |
//! | `RESIZE_FIT` | `inside` | `inside`, `cover`, `contain` or `fill`; matters when there is a height |
//! | `RESIZE_FORMAT` | `jpeg` | `jpeg`, `png` or `webp` (lossless) |
//! | `RESIZE_QUALITY` | `80` | 1 to 100, for JPEG |
//!
//! Region and credentials come from the variables that Lambda sets; `AWS_ENDPOINT_URL` leads to another S3, whose buckets
//! are then addressed by path.

mod answer;
mod environment;
mod event;
mod failure;
mod invocation;
pub mod jpeg;
mod key;
pub mod resize;
mod runtime;
mod store;

pub use key::result_key;
pub use runtime::{Work, serve};
