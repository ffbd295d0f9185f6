//! One event, from download to answer.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use crate::answer::{Answer, Millis, Outcome, Refused, Stored, StoredRendition};
use crate::environment::Environment;
use crate::event::{self, Object};
use crate::failure::{Failure, Obstacle};
use crate::key::LONGEST_KEY;
use crate::resize::{Encoded, Limits, Refusal, Rendition, Resized};
use crate::runtime::Work;
use crate::settings::NamedRendition;
use crate::store::{Origin, Source, Store, Upload};

/// All that an event needs to be worked on.
pub struct Function {
    environment: Environment,
    /// Those of the environment, without their names.
    renditions: Vec<Rendition>,
    store: Store,
    work: Work,
}

impl Function {
    pub fn new(environment: Environment, work: Work) -> Self {
        let store = Store::new(environment.s3.clone());
        let renditions = environment
            .renditions
            .iter()
            .map(|named| named.rendition.clone())
            .collect();
        Self {
            environment,
            renditions,
            store,
            work,
        }
    }

    /// Works on every object that the event names, and answers before `deadline` unless a stage goes on beyond it.
    ///
    /// # Errors
    /// A [`Failure`] for what is not about the images; the event may be sent again, results are written over.
    pub async fn answer(&self, event: &Value, deadline: Instant) -> Result<Answer, Failure> {
        let objects = match event::objects(event, self.environment.original_bucket.as_deref()) {
            Ok(objects) => objects,
            Err(error) => return Ok(Answer::One(Outcome::Refused(Refused::event(&error)))),
        };
        let limits = Limits {
            deadline: Some(deadline),
            ..self.environment.limits.clone()
        };
        let mut outcomes = Vec::with_capacity(objects.len());
        for object in &objects {
            outcomes.push(match self.resize(object, &limits).await {
                Ok(stored) => Outcome::Stored(Box::new(stored)),
                Err(Obstacle::Failed(failure)) => return Err(failure),
                Err(reason) => Outcome::Refused(Refused::object(object, &reason)),
            });
        }
        Ok(Answer::of(outcomes))
    }

    /// Another upload may take the key meanwhile, and its result be written before this one's, which would then stay for
    /// good. So whoever has written looks once more at the source, and if it is another by then, does the same with that.
    async fn resize(&self, object: &Object, limits: &Limits) -> Result<Stored, Obstacle> {
        if let Some(own) = &self.environment.original_bucket
            && *own != object.bucket
        {
            let (bucket, own) = (object.bucket.clone(), own.clone());
            return Err(Refusal::AnotherBucket { bucket, own }.into());
        }
        let start = Instant::now();
        let mut source = self.store.get(object, limits).await?;
        let mut stored = self.resize_one(object, &source, start.elapsed(), limits).await?;
        loop {
            let start = Instant::now();
            let newer = match self.store.get_newer(object, &source, limits).await {
                Ok(Some(newer)) => newer,
                Ok(None) => return Ok(stored),
                Err(Obstacle::Failed(failure)) => return Err(failure.into()),
                // That is for the execution of its own event to tell.
                Err(_) => return Ok(stored),
            };
            stored = match self.resize_one(object, &newer, start.elapsed(), limits).await {
                Err(Obstacle::Failed(failure)) => return Err(failure.into()),
                Err(_) => return Ok(stored),
                Ok(stored) => stored,
            };
            source = newer;
        }
    }

    async fn resize_one(
        &self,
        object: &Object,
        source: &Source,
        download: Duration,
        limits: &Limits,
    ) -> Result<Stored, Obstacle> {
        let resized = (self.work)(&source.bytes, &self.renditions, limits)?;
        let keys = self.keys(object, &resized)?;
        Ok(self
            .store_results(object, source, resized, keys, download)
            .await?)
    }

    /// The results' keys, before one of them is written. Renditions may share one if they make the same bytes, as several do of
    /// a picture that is smaller than their boxes.
    fn keys(&self, object: &Object, resized: &Resized) -> Result<Vec<String>, Refusal> {
        let mut keys: Vec<String> = Vec::new();
        let renditions = &self.environment.renditions;
        for (picture, named) in resized.pictures.iter().zip(renditions) {
            let key = named.key.of(&object.key, picture.format, picture.size);
            let name = named.key.name().to_owned();
            if !(1..=LONGEST_KEY).contains(&key.len()) {
                return Err(Refusal::NoKey {
                    name,
                    bytes: key.len(),
                });
            }
            if let Some(other) = keys.iter().position(|other| *other == key)
                && resized.pictures[other].bytes != picture.bytes
            {
                return Err(Refusal::SameResult {
                    one: renditions[other].key.name().to_owned(),
                    other: name,
                    key,
                });
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// Stores all renditions side by side.
    async fn store_results(
        &self,
        object: &Object,
        source: &Source,
        resized: Resized,
        keys: Vec<String>,
        download: Duration,
    ) -> Result<Stored, Failure> {
        let start = Instant::now();
        let origin = Origin {
            key: &object.key,
            etag: source.etag.as_deref(),
        };
        let named = resized.pictures.into_iter().zip(&self.environment.renditions);
        let uploads = named
            .zip(keys)
            .map(|((picture, named), key)| self.store_rendition(origin, picture, named, key));
        let uploads = join_all(uploads).await;
        let stored: Vec<String> = uploads
            .iter()
            .flatten()
            .map(|stored| stored.dest_key.clone())
            .collect();
        let uploads: Result<Vec<_>, Failure> = uploads.into_iter().collect();
        let renditions = uploads.map_err(|failure| failure.beside(&stored))?;
        let first = renditions.first().cloned().ok_or_else(Failure::no_rendition)?;
        let durations = resized.durations;
        Ok(Stored {
            ok: true,
            source_bucket: object.bucket.clone(),
            source_key: object.key.clone(),
            dest_bucket: self.environment.resized_bucket.clone(),
            dest_key: first.dest_key,
            width: first.width,
            height: first.height,
            source_width: resized.source_size.width,
            source_height: resized.source_size.height,
            source_format: resized.source_format,
            bytes: first.bytes,
            source_bytes: source.bytes.len(),
            source_etag: source.etag.clone(),
            etag: first.etag,
            renditions: if renditions.len() > 1 {
                renditions
            } else {
                Vec::new()
            },
            millis: Millis {
                download: whole_millis(download),
                decode: whole_millis(durations.decode),
                resize: whole_millis(durations.resize),
                encode: whole_millis(durations.encode),
                upload: whole_millis(start.elapsed()),
            },
        })
    }

    async fn store_rendition(
        &self,
        origin: Origin<'_>,
        picture: Encoded,
        named: &NamedRendition,
        key: String,
    ) -> Result<StoredRendition, Failure> {
        let Encoded { bytes, format, size } = picture;
        let length = bytes.len();
        let upload = Upload {
            bucket: &self.environment.resized_bucket,
            key: &key,
            content_type: format.content_type(),
            cache_control: self.environment.cache_control.as_deref(),
            settings: &named.hash,
            bytes,
        };
        let etag = self.store.put(upload, origin).await?;
        Ok(StoredRendition {
            name: named.key.name().to_owned(),
            dest_key: key,
            width: size.width,
            height: size.height,
            bytes: length,
            etag,
        })
    }
}

fn whole_millis(duration: Duration) -> u64 {
    (duration.as_secs_f64() * 1000.0).round() as u64
}
