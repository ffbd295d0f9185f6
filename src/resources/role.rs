//! An IAM role that a service acts under.

use async_trait::async_trait;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use aws_smithy_types::error::operation::BuildError;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{IAM_BUSY, IAM_IN_USE, IAM_LATE, IAM_STALE};
use crate::aws::{CallFailure, During, UnlessGone};
use crate::engine::{
    Failure, FieldChange, Fields, Found, Mending, NotYet, Reading, Resource, Step, document,
};

/// A role for one service, with one inline policy.
pub struct ServiceRole {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    pub description: &'static str,
    /// Who may assume it.
    pub trust: Value,
    pub policy: InlinePolicy,
    /// The ARN of an AWS managed policy.
    pub managed_policy: Option<String>,
}

/// What a role may do.
pub struct InlinePolicy {
    pub name: &'static str,
    pub document: Value,
}

const DESCRIPTION: &str = "description";
const TRUST: &str = "trust policy";
const POLICY: &str = "inline policy";
const MANAGED: &str = "managed policy";

impl ServiceRole {
    async fn tags_and_role(&self) -> Result<Option<(Tags, Fields)>, Failure> {
        let answer = self.client.get_role().role_name(&self.name).send().await;
        let answer = answer.during("iam:GetRole", &self.name).unless_gone()?;
        let role = answer.and_then(|answer| answer.role);
        Ok(role.map(|role| {
            let tags = role
                .tags()
                .iter()
                .map(|tag| (tag.key(), tag.value()))
                .collect::<Tags>();
            let fields = tags
                .found(Fields::default())
                .with_some(DESCRIPTION, role.description())
                .with_some(TRUST, role.assume_role_policy_document().map(decoded));
            (tags, fields)
        }))
    }

    async fn inline_policy(&self) -> Result<Option<Value>, Failure> {
        let answer = self
            .client
            .get_role_policy()
            .role_name(&self.name)
            .policy_name(self.policy.name)
            .send()
            .await;
        let policy = answer.during("iam:GetRolePolicy", &self.name).unless_gone()?;
        Ok(policy.map(|policy| decoded(policy.policy_document())))
    }

    async fn inline_policies(&self) -> Result<Vec<String>, CallFailure> {
        let answer = self
            .client
            .list_role_policies()
            .role_name(&self.name)
            .send()
            .await;
        let names = answer.during("iam:ListRolePolicies", &self.name).unless_gone()?;
        Ok(names.map(|names| names.policy_names).unwrap_or_default())
    }

    async fn attached_policies(&self) -> Result<Vec<String>, CallFailure> {
        let answer = self
            .client
            .list_attached_role_policies()
            .role_name(&self.name)
            .send()
            .await;
        let policies = answer
            .during("iam:ListAttachedRolePolicies", &self.name)
            .unless_gone()?
            .and_then(|answer| answer.attached_policies);
        Ok(policies
            .into_iter()
            .flatten()
            .filter_map(|policy| policy.policy_arn)
            .collect())
    }

    async fn put_policy(&self) -> Result<(), Failure> {
        self.client
            .put_role_policy()
            .role_name(&self.name)
            .policy_name(self.policy.name)
            .policy_document(self.policy.document.to_string())
            .send()
            .await
            .during("iam:PutRolePolicy", &self.name)?;
        Ok(())
    }

    async fn attach(&self) -> Result<(), Failure> {
        if let Some(arn) = &self.managed_policy {
            self.client
                .attach_role_policy()
                .role_name(&self.name)
                .policy_arn(arn)
                .send()
                .await
                .during("iam:AttachRolePolicy", &self.name)?;
        }
        Ok(())
    }

    fn marks(&self) -> Result<Vec<Tag>, BuildError> {
        let tags = self.mark.tags();
        tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect()
    }

    /// IAM removes no role that has policies, whoever put them there.
    async fn remove_policies(&self) -> Result<(), CallFailure> {
        futures_util::try_join!(self.detach_policies(), self.delete_policies())?;
        Ok(())
    }

    async fn detach_policies(&self) -> Result<(), CallFailure> {
        for arn in self.attached_policies().await? {
            let detach = self
                .client
                .detach_role_policy()
                .role_name(&self.name)
                .policy_arn(arn);
            detach
                .send()
                .await
                .during("iam:DetachRolePolicy", &self.name)
                .unless_gone()?;
        }
        Ok(())
    }

    async fn delete_policies(&self) -> Result<(), CallFailure> {
        for name in self.inline_policies().await? {
            let delete = self
                .client
                .delete_role_policy()
                .role_name(&self.name)
                .policy_name(name);
            delete
                .send()
                .await
                .during("iam:DeleteRolePolicy", &self.name)
                .unless_gone()?;
        }
        Ok(())
    }
}

/// IAM gives policies URL-encoded.
fn decoded(policy: &str) -> Value {
    document(&percent_decode_str(policy).decode_utf8_lossy())
}

#[async_trait]
impl Resource for ServiceRole {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        "role"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack)
            .with(DESCRIPTION, self.description)
            .with(TRUST, self.trust.clone())
            .with(POLICY, self.policy.document.clone())
            .with_some(MANAGED, self.managed_policy.clone())
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&IAM_BUSY, &IAM_LATE, &IAM_STALE, &IAM_IN_USE]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[DESCRIPTION], "iam:UpdateRole"),
            (&[TRUST], "iam:UpdateAssumeRolePolicy"),
            (&[POLICY], "iam:PutRolePolicy"),
            (&[ownership::FIELD], "iam:TagRole"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let (role, policy, inline, attached) = futures_util::try_join!(
            self.tags_and_role(),
            self.inline_policy(),
            async { Ok(self.inline_policies().await?) },
            async { Ok(self.attached_policies().await?) }
        )?;
        let Some((tags, fields)) = role else {
            return Ok(Reading::Absent);
        };
        let (managed, attached): (Vec<_>, Vec<_>) = attached
            .into_iter()
            .partition(|arn| self.managed_policy.as_ref() == Some(arn));
        let inline = inline.into_iter().filter(|name| name != self.policy.name);
        let inline = inline.map(|name| format!("inline policy {name}"));
        let attached = attached.into_iter().map(|arn| format!("managed policy {arn}"));
        Ok(Reading::Found(Found {
            owner: tags.owner(&self.mark.stack),
            fields: fields
                .with_some(POLICY, policy)
                .with_some(MANAGED, managed.into_iter().next()),
            settling: None,
            others: inline.chain(attached).chain(tags.others()).collect(),
        }))
    }

    async fn create(&self, step: &Step<'_>) -> Result<(), Failure> {
        self.client
            .create_role()
            .role_name(&self.name)
            .description(self.description)
            .assume_role_policy_document(self.trust.to_string())
            .set_tags(Some(self.marks()?))
            .send()
            .await
            .during("iam:CreateRole", &self.name)?;
        step.made();
        futures_util::try_join!(self.put_policy(), self.attach())?;
        Ok(())
    }

    async fn change(&self, _: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[DESCRIPTION]) {
            let update = self.client.update_role().role_name(&self.name);
            let answer = update.description(self.description).send().await;
            answer.during("iam:UpdateRole", &self.name)?;
        }
        if touches(changes, &[TRUST]) {
            let update = self.client.update_assume_role_policy().role_name(&self.name);
            let answer = update.policy_document(self.trust.to_string()).send().await;
            answer.during("iam:UpdateAssumeRolePolicy", &self.name)?;
        }
        if touches(changes, &[POLICY]) {
            self.put_policy().await?;
        }
        if touches(changes, &[MANAGED]) {
            self.attach().await?;
        }
        if touches(changes, &[ownership::FIELD]) {
            let answer = self
                .client
                .tag_role()
                .role_name(&self.name)
                .set_tags(Some(self.marks()?))
                .send()
                .await;
            answer.during("iam:TagRole", &self.name)?;
        }
        Ok(())
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        self.remove_policies().await?;
        let answer = self.client.delete_role().role_name(&self.name).send().await;
        answer.during("iam:DeleteRole", &self.name).unless_gone()?;
        Ok(())
    }
}
