//! What all services share, and starting and stopping it.

use std::future::Future;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use crate::credentials::Issuer;
use crate::endpoint::{DataFolder, Endpoint};
use crate::error::{ServeError, StartError};
use crate::realism::{Conditions, Realism};
use crate::store::Store;
use crate::{apigateway, events, iam, lambda, logs, monitoring, s3, server, states};

/// A local cloud's account.
pub const ACCOUNT: &str = "000000000000";
/// A local cloud's partition.
pub const PARTITION: &str = "aws";

/// How to run a local cloud.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// The port to listen on; none: the one used last time if it is free, else any.
    pub port: Option<u16>,
    /// The region that its ARNs name; none: the one used last time, else `us-east-1`.
    pub region: Option<String>,
    /// How it behaves like a cloud far away, if it is to.
    pub realism: Option<Realism>,
}

/// What all services share.
pub struct Cloud {
    pub(crate) region: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) endpoint: Endpoint,
    pub(crate) conditions: Conditions,
    pub(crate) store: Store,
    pub(crate) sessions: Issuer,
    pub(crate) iam: iam::Iam,
    pub(crate) metrics: monitoring::Metrics,
    pub(crate) lambda: lambda::Lambda,
    pub(crate) states: states::States,
    pub(crate) events: events::Events,
    pub(crate) apigateway: apigateway::ApiGateway,
}

impl Cloud {
    /// Takes the data folder, opens the store and listens. Requests are answered from [`RunningCloud::run_until`] on.
    pub fn start(settings: Settings) -> Result<RunningCloud, StartError> {
        let folder = DataFolder::hold(&settings.data_dir)?;
        folder.make(s3::FOLDER)?;
        folder.make(lambda::FOLDER)?;
        let store = Store::open(&settings.data_dir.join("cloud.db"))?;
        let (listener, endpoint) = folder.listen(settings.port, settings.region)?;
        let conditions = Conditions::default();
        if let Some(realism) = settings.realism {
            conditions.set(realism);
        }
        let cloud = Arc::new(Self {
            region: endpoint.region.clone(),
            data_dir: settings.data_dir,
            sessions: Issuer::new(&endpoint.secret_access_key),
            endpoint,
            conditions,
            store,
            iam: iam::Iam::default(),
            metrics: monitoring::Metrics::default(),
            lambda: lambda::Lambda::default(),
            states: states::States::default(),
            events: events::Events::default(),
            apigateway: apigateway::ApiGateway::default(),
        });
        Ok(RunningCloud {
            cloud,
            listener,
            folder,
        })
    }

    /// How it behaves, which may be changed while it runs.
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{PARTITION}:{service}:{}:{ACCOUNT}:{resource}", self.region)
    }
}

/// A local cloud that holds its data folder and its port.
pub struct RunningCloud {
    cloud: Arc<Cloud>,
    listener: TcpListener,
    folder: DataFolder,
}

impl RunningCloud {
    /// Where it is reached, and as whom.
    pub fn endpoint(&self) -> &Endpoint {
        &self.cloud.endpoint
    }

    /// The cloud itself.
    pub fn cloud(&self) -> Arc<Cloud> {
        Arc::clone(&self.cloud)
    }

    /// Serves until `shutdown` is done, then lets requests in flight end and stops what the services started. It ends by
    /// itself, with an error, when its data folder is removed.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let cloud = &self.cloud;
        s3::start(cloud);
        logs::start(cloud);
        monitoring::start(cloud);
        lambda::start(cloud);
        states::start(cloud);
        events::start(cloud);
        let mut lost = false;
        // What calls functions ends before what functions call: they must not meet a closed door.
        let halted = async {
            tokio::select! {
                () = shutdown => {}
                () = self.folder.lost() => lost = true,
            }
            events::stop(cloud).await;
            states::stop(cloud).await;
            lambda::halt(cloud);
        };
        let served = server::serve(cloud, self.listener, halted).await;
        lambda::stop(cloud).await;
        monitoring::stop(cloud).await;
        if lost {
            return Err(ServeError::FolderLost {
                path: cloud.data_dir.clone(),
            });
        }
        Ok(served?)
    }
}
