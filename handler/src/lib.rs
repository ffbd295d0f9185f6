//! The Lambda function of the image-resize pipeline: reads an image from S3, makes it smaller, writes it to S3.
//!
//! # Layout
//! - [`resize`](mod@resize): the image work, pure: bytes and settings in, bytes and what was done out.
//! - [`jpeg`]: the decoder of what is uploaded most.
//! - `event`, `answer`, `key`: what comes in, what goes out, where the result is written.
//! - `environment`, `settings`: what is asked for, read from environment variables once at start.
//! - `store`: S3. `failure`: S3's errors as Lambda errors.
//! - `invocation`: one event, from download to answer. `runtime`: the loop around it. `log`: what it logs.
//!
//! # Event
//! `{"bucket": …, "key": …, "size": …}` with the key as it is (`size` is not looked at), or an S3 notification
//! `{"Records": […]}` with URL-encoded keys. Without a `bucket`, the key is one of `ORIGINAL_BUCKET`'s.
//!
//! # Answer
//! `{"ok": true, "sourceBucket", "sourceKey", "destBucket", "destKey", "width", "height", "sourceWidth", "sourceHeight",
//! "sourceFormat", "bytes", "sourceBytes", "sourceEtag", "etag", "millis": {"download", "decode", "resize", "encode",
//! "upload"}}`, with `"renditions": [{"name", "destKey", "width", "height", "bytes", "etag"}, …]` beside the first one's if
//! there are several; or
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
//! | `RENDITIONS` | `[{}]` | JSON: an array of renditions, see below |
//! | `CACHE_CONTROL` | | `Cache-Control` of the results |
//! | `SOURCE_BYTES_MAX` | `67108864` | bytes that a source may have |
//! | `PIXELS_MAX` | `50000000` | pixels that a source may have, in all its frames if it stays an animation |
//! | `SIDE_MAX` | `65535` | pixels that the longer side of a source may have |
//! | `FRAMES_MAX` | `1000` | frames that an animation which stays one may have |
//! | `RESULT_BYTES_MAX` | `67108864` | bytes that a result may have |
//! | `LOG_FORMAT` | `json` | `json`, an object an event; or `text`, a line an object for people |
//!
//! A rendition is an object; what it leaves out has its default:
//!
//! | field | default | |
//! | --- | --- | --- |
//! | `name` | `resized` | letters, digits and dashes; a part of the result's key |
//! | `key` | beside the others' | where results go: a text with `{dir}` (and its slash), `{stem}`, `{name}`, `{width}`, `{height}`, `{ext}` and `{hash}` (16 digits of the SHA-256 of the source's key) |
//! | `width` | `500` | pixels |
//! | `height` | by the source's ratio | pixels |
//! | `fit` | `inside` | `inside`, `cover`, `contain` or `fill`; matters when there is a height |
//! | `position` | `center` | what `cover` keeps: `center`, `top`, `bottom`, `left` or `right` |
//! | `enlarge` | `false` | whether a source smaller than the box is enlarged |
//! | `background` | `#ffffff` | behind transparency in a JPEG, and around `contain` |
//! | `format` | `jpeg` | `jpeg`, `png`, `webp`, `webp-lossless`, `avif` (with the feature of that name), `keep` (the source's) or `auto` (WebP with transparency, else JPEG) |
//! | `quality` | `80` | 1 to 100, of JPEG, lossy WebP and AVIF |
//! | `progressive` | `false` | whether a JPEG is progressive |
//! | `animated` | `false` | whether a GIF stays one with all its frames, where the format is `keep` |
//!
//! Region and credentials come from the variables that Lambda sets; `AWS_ENDPOINT_URL` leads to another S3, whose buckets
//! are then addressed by path.

mod answer;
mod environment;
pub mod event;
mod failure;
mod invocation;
pub mod jpeg;
mod key;
mod log;
pub mod resize;
mod runtime;
mod settings;
mod store;

pub use runtime::{Work, serve};
