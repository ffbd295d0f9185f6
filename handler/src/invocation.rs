//! One event, from download to answer.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::answer::{Answer, Millis, Outcome, Refused, Stored};
use crate::environment::Environment;
use crate::event::{self, Object};
use crate::failure::{Failure, Obstacle};
use crate::key::result_key;
use crate::resize::Resized;
use crate::runtime::Work;
use crate::store::{Source, Store, Upload};

/// All that an event needs to be worked on.
pub struct Function {
    environment: Environment,
    store: Store,
    work: Work,
}

impl Function {
    pub fn new(environment: Environment, work: Work) -> Self {
        let store = Store::new(environment.s3.clone());
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
        let objects = match event::objects(event, self.environment.original_bucket.as_deref()) {
            Ok(objects) => objects,
            Err(error) => return Ok(Answer::One(Outcome::Refused(Refused::event(&error)))),
        };
        let mut outcomes = Vec::with_capacity(objects.len());
        for object in &objects {
            outcomes.push(match self.resize(object).await {
                Ok(stored) => Outcome::Stored(Box::new(stored)),
                Err(Obstacle::Failed(failure)) => return Err(failure),
                Err(reason) => Outcome::Refused(Refused::object(&object.bucket, &object.key, &reason)),
            });
        }
        Ok(Answer::of(outcomes))
    }

    async fn resize(&self, object: &Object) -> Result<Stored, Obstacle> {
        let settings = &self.environment.resize;
        let start = Instant::now();
        let source = self.store.get(object, &settings.limits).await?;
        let download = start.elapsed();
        let resized = (self.work)(&source.bytes, settings)?;
        Ok(self.store_result(object, &source, resized, download).await?)
    }

    async fn store_result(
        &self,
        object: &Object,
        source: &Source,
        resized: Resized,
        download: Duration,
    ) -> Result<Stored, Failure> {
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
        Ok(Stored {
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
        })
    }
}

fn whole_millis(duration: Duration) -> u64 {
    (duration.as_secs_f64() * 1000.0).round() as u64
}
