//! A CloudWatch dashboard.

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use serde_json::Value;

use super::cloudwatch_tags::{put_mark, tags_of, tags_that_mark};
use super::ownership::{self, Mark, tagged, touches};
use super::patience::{CLOUDWATCH_BUSY, CLOUDWATCH_TAGS};
use crate::aws::{During, UnlessGone};
use crate::engine::{
    Failure, FieldChange, Fields, Found, Mending, NotYet, Reading, Resource, Step, document,
};

/// What is to be seen of the stack in CloudWatch's console.
pub struct Dashboard {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    /// An account's dashboards are in one name space for all regions.
    pub name: String,
    pub arn: String,
    pub body: Value,
}

/// What kind of thing a dashboard is, for those who look for it.
pub const DASHBOARD: &str = "dashboard";

const BODY: &str = "body";

impl Dashboard {
    /// Assumption (AWS docs: CloudWatch API Reference, PutDashboard and GetDashboard): the body is given back as it was put,
    /// and tags that come with a dashboard that is there are ignored.
    async fn put(&self) -> Result<(), Failure> {
        self.client
            .put_dashboard()
            .dashboard_name(&self.name)
            .dashboard_body(self.body.to_string())
            .set_tags(Some(tags_that_mark(&self.mark)))
            .send()
            .await
            .during("cloudwatch:PutDashboard", &self.name)?;
        Ok(())
    }
}

#[async_trait]
impl Resource for Dashboard {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        DASHBOARD
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack).with(BODY, self.body.clone())
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&CLOUDWATCH_BUSY, &CLOUDWATCH_TAGS]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["cloudwatch:PutDashboard"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[BODY], "cloudwatch:PutDashboard"),
            (&[ownership::FIELD], "cloudwatch:TagResource"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let get = self.client.get_dashboard().dashboard_name(&self.name).send();
        let (found, tags) = futures_util::join!(get, tags_of(&self.client, &self.arn));
        let found = found
            .during("cloudwatch:GetDashboard", &self.name)
            .unless_gone()?;
        let (Some(found), Some(tags)) = (found, tags?) else {
            return Ok(Reading::Absent);
        };
        Ok(Reading::Found(Found {
            owner: tags.owner(&self.mark.stack),
            fields: tags
                .found(Fields::default())
                .with_some(BODY, found.dashboard_body().map(document)),
            settling: None,
            others: tags.others(),
        }))
    }

    async fn create(&self, _: &Step<'_>) -> Result<(), Failure> {
        self.put().await
    }

    async fn change(&self, _: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[BODY]) {
            self.put().await?;
        }
        if touches(changes, &[ownership::FIELD]) {
            put_mark(&self.client, &self.arn, &self.mark).await?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        let delete = self.client.delete_dashboards().dashboard_names(&self.name);
        let answer = delete.send().await;
        answer
            .during("cloudwatch:DeleteDashboards", &self.name)
            .unless_gone()?;
        Ok(())
    }
}
