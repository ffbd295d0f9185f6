//! One event, from download to answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::answer::{Answer, Millis, Outcome, Refused, Stored};
use crate::environment::Environment;
use crate::event::{self, Object};
use crate::failure::Failure;
use crate::key::result_key;
use crate::resize::{Refusal, ResizeSettings, Resized};
use crate::runtime::Work;
use crate::store::{NoSource, Source, Store, Upload};

/// All that an event needs to be worked on.
pub struct Function {
    environment: Environment,
    store: Store,
    work: Work,
}

impl Function {
    pub fn new(environment: Environment, work: Work) -> Self {
        let store = Store::new(&environment.s3);
        Self {
            environment,
            store,
            work,
        }
    }

    /// Works on every object that the event names.
    ///
    /// # Errors
    /// A [`Failure`] for what is not about the images; the event may be sent again, results are written over.
    pub async fn answer(&self, event: &Value) -> Result<Answer, Failure> {
        let objects = match event::objects(event) {
            Ok(objects) => objects,
            Err(error) => return Ok(Answer::One(Outcome::Refused(Refused::event(&error)))),
        };
        let mut outcomes = Vec::with_capacity(objects.len());
        for object in &objects {
            outcomes.push(self.process(object).await?);
        }
        Ok(Answer::of(outcomes))
    }

    async fn process(&self, object: &Object) -> Result<Outcome, Failure> {
        let refused =
            |reason: &dyn ToString| Refused::object(&object.bucket, &object.key, &reason.to_string());
        let settings = &self.environment.resize;

        if let Err(refusal) = settings.limits.check_bytes(object.size.unwrap_or_default()) {
            return Ok(Outcome::Refused(refused(&refusal)));
        }
        let start = Instant::now();
        let source = match self.store.get(object, &settings.limits).await {
            Ok(source) => source,
            Err(NoSource::Gone) => {
                return Ok(Outcome::Refused(refused(
                    &"the source object does not exist (NoSuchKey): it was deleted, or never there",
                )));
            }
            Err(NoSource::Refused(refusal)) => return Ok(Outcome::Refused(refused(&refusal))),
            Err(NoSource::Failed(failure)) => return Err(failure),
        };
        let download = start.elapsed();

        match work_safely(self.work, &source.bytes, settings) {
            Ok(resized) => self.store_result(object, &source, resized, download).await,
            Err(reason) => Ok(Outcome::Refused(refused(&reason))),
        }
    }

    async fn store_result(
        &self,
        object: &Object,
        source: &Source,
        resized: Resized,
        download: Duration,
    ) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let dest_bucket = self.environment.resized_bucket.clone();
        let dest_key = result_key(&object.key, resized.format);
        let bytes = resized.bytes.len();
        let upload = Upload {
            bucket: &dest_bucket,
            key: &dest_key,
            content_type: resized.format.content_type(),
            bytes: resized.bytes,
        };
        let etag = self.store.put(upload, object, source.etag.as_deref()).await?;
        let durations = resized.durations;
        Ok(Outcome::Stored(Box::new(Stored {
            ok: true,
            source_bucket: object.bucket.clone(),
            source_key: object.key.clone(),
            dest_bucket,
            dest_key,
            width: resized.size.width,
            height: resized.size.height,
            source_width: resized.source_size.width,
            source_height: resized.source_size.height,
            source_format: resized.source_format,
            bytes,
            source_bytes: source.bytes.len(),
            etag,
            millis: Millis {
                download: whole_millis(download),
                decode: whole_millis(durations.decode),
                resize: whole_millis(durations.resize),
                encode: whole_millis(durations.encode),
                upload: whole_millis(start.elapsed()),
            },
        })))
    }
}

/// Why the image work gave no picture.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum NoPicture {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the image's decoder crashed; the image is most likely damaged")]
    Crashed,
}

/// A decoder that panics on a broken image costs that image, not the process.
fn work_safely(work: Work, source: &[u8], settings: &ResizeSettings) -> Result<Resized, NoPicture> {
    match catch_unwind(AssertUnwindSafe(|| work(source, settings))) {
        Ok(result) => Ok(result?),
        Err(_) => Err(NoPicture::Crashed),
    }
}

fn whole_millis(duration: Duration) -> u64 {
    (duration.as_secs_f64() * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    #[test]
    fn a_panic_in_the_image_work_becomes_a_reason() {
        let crash: Work = |_, _| panic!("as a decoder might");
        assert_eq!(
            work_safely(crash, b"x", &ResizeSettings::default()),
            Err(NoPicture::Crashed)
        );
    }
}
