//! What principals may do: permissions, and assuming roles.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use super::managed;
use super::policy::{Decision, Document, Kind, Request, TrustedPrincipal};
use super::roles::role_arn;
use crate::cloud::{ACCOUNT, Cloud, PARTITION};
use crate::credentials::RoleSession;
use crate::error::AwsError;
use crate::principal::{AssumedRole, Principal};
use crate::realism::Change;

/// How long a service's session of a role lasts.
const SERVICE_SESSION: SignedDuration = SignedDuration::from_hours(1);

/// What IAM keeps in memory: the roles that were asked about, their documents read.
#[derive(Default)]
pub struct Iam {
    roles: Mutex<HashMap<String, Option<Arc<Role>>>>,
}

/// A role as decisions need it.
struct Role {
    name: String,
    id: String,
    arn: String,
    trust: Document,
    permissions: Vec<Document>,
    max_session: i64,
}

impl Role {
    /// What its policies say together.
    fn decide(&self, request: &Request<'_>) -> Decision {
        let mut decision = Decision::Silent;
        for document in &self.permissions {
            match document.decide(request, |_| false) {
                Decision::ExplicitDeny => return Decision::ExplicitDeny,
                Decision::Allow => decision = Decision::Allow,
                Decision::Silent => {}
            }
        }
        decision
    }
}

impl Iam {
    /// Forgets what was read; called after every committed change.
    pub fn forget(&self) {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The lock is held while a role is read, so that a [`Iam::forget`] after a commit comes after what was read before it.
    fn role(&self, cloud: &Cloud, name: &str) -> Result<Option<Arc<Role>>, AwsError> {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(role) = roles.get(name) {
            return Ok(role.clone());
        }
        let role = cloud.store.read(|db| load(db, name))?.map(Arc::new);
        // Names that no role has are not kept: a caller could make up any number of them.
        if role.is_some() {
            roles.insert(name.to_owned(), role.clone());
        }
        Ok(role)
    }
}

fn load(db: &Connection, name: &str) -> Result<Option<Role>, AwsError> {
    let found = db
        .prepare_cached("SELECT name, role_id, path, trust, max_session FROM roles WHERE name = ?1")?
        .query_row([name], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get(4)?,
            ))
        })
        .optional()?;
    let Some((name, id, path, trust, max_session)) = found else {
        return Ok(None);
    };
    let mut permissions = Vec::new();
    let mut inline = db.prepare_cached("SELECT document FROM role_policies WHERE role = ?1")?;
    for document in inline.query_map([&name], |row| row.get::<_, String>(0))? {
        permissions.push(Document::read(&document?, Kind::Identity)?);
    }
    let mut attached = db.prepare_cached("SELECT arn FROM attached_policies WHERE role = ?1")?;
    for arn in attached.query_map([&name], |row| row.get::<_, String>(0))? {
        if let Some(policy) = managed::find(&arn?) {
            permissions.push(Document::read(policy.document, Kind::Identity)?);
        }
    }
    let arn = role_arn(&path, &name);
    Ok(Some(Role {
        arn,
        name,
        id,
        trust: Document::read(&trust, Kind::Trust)?,
        permissions,
        max_session,
    }))
}

/// Whether `principal` may do `action` (`s3:PutObject`) on `resource` (an ARN, or `*`). `context` holds condition keys
/// beyond those that follow from the principal, such as `("iam:PassedToService", "lambda.amazonaws.com")`.
pub fn authorize(
    cloud: &Cloud,
    principal: &Principal,
    action: &str,
    resource: &str,
    context: &[(&str, &str)],
) -> Result<(), AwsError> {
    let Principal::Role(session) = principal else {
        return Ok(());
    };
    let role = cloud
        .iam
        .role(cloud, &session.role_name)?
        .filter(|role| role.id == session.role_id)
        .filter(|role| {
            cloud
                .conditions
                .is_over(|| Change::Permissions(role.name.clone()))
        });
    let decision = role.map_or(Decision::Silent, |role| {
        permission(cloud, &role, action, resource, context)
    });
    let why = match decision {
        Decision::Allow => return Ok(()),
        Decision::ExplicitDeny => "with an explicit deny in an identity-based policy".to_owned(),
        Decision::Silent => format!("because no identity-based policy allows the {action} action"),
    };
    Err(denied(&principal.arn(), action, resource, &why))
}

/// Whether `principal` may give `tags` to what it makes: where there are any, `action` is needed beside the one that makes it.
pub fn authorize_tags(
    cloud: &Cloud,
    principal: &Principal,
    action: &str,
    resource: &str,
    tags: &Value,
) -> Result<(), AwsError> {
    let has_none = match tags {
        Value::Array(tags) => tags.is_empty(),
        Value::Object(tags) => tags.is_empty(),
        _ => true,
    };
    if has_none {
        return Ok(());
    }
    authorize(cloud, principal, action, resource, &[])
}

fn permission(
    cloud: &Cloud,
    role: &Role,
    action: &str,
    resource: &str,
    context: &[(&str, &str)],
) -> Decision {
    let context = [context, &context_of(cloud, role)].concat();
    role.decide(&Request {
        action,
        resource,
        context: &context,
    })
}

/// The condition keys that follow from the principal.
fn context_of<'a>(cloud: &'a Cloud, role: &'a Role) -> [(&'static str, &'a str); 4] {
    [
        ("aws:PrincipalArn", role.arn.as_str()),
        ("aws:PrincipalAccount", ACCOUNT),
        ("aws:ResourceAccount", ACCOUNT),
        ("aws:RequestedRegion", cloud.region.as_str()),
    ]
}

/// What a role's policies would say, and the condition keys that the answer may depend on.
pub struct Simulated {
    pub decision: Decision,
    pub missing_keys: Vec<String>,
}

/// What the policies of the role `arn` would say to each of `actions` on each of `resources`, in that order; nothing where
/// there is no such role.
pub fn simulate(
    cloud: &Cloud,
    arn: &str,
    actions: &[String],
    resources: &[String],
) -> Result<Option<Vec<Vec<Simulated>>>, AwsError> {
    let Some(role) = find(cloud, arn)? else {
        return Ok(None);
    };
    let context = context_of(cloud, &role);
    let of = |action: &String, resource: &String| {
        let request = Request {
            action,
            resource,
            context: &context,
        };
        let documents = role.permissions.iter();
        let missing: BTreeSet<&str> = documents
            .flat_map(|document| document.missing_keys(&request))
            .collect();
        Simulated {
            decision: role.decide(&request),
            missing_keys: missing.into_iter().map(str::to_owned).collect(),
        }
    };
    let on_each = |action| resources.iter().map(|resource| of(action, resource)).collect();
    Ok(Some(actions.iter().map(on_each).collect()))
}

fn denied(who: &str, action: &str, resource: &str, why: &str) -> AwsError {
    let message =
        format!("User: {who} is not authorized to perform: {action} on resource: \"{resource}\" {why}");
    AwsError::new(403, "AccessDenied", message)
}

/// A session of a role for a service (`lambda.amazonaws.com`) which acts for the resource `source_arn`, if the role's
/// trust policy lets it.
pub fn assume_for_service(
    cloud: &Cloud,
    role_arn: &str,
    service: &str,
    source_arn: &str,
    session_name: &str,
) -> Result<RoleSession, AwsError> {
    let cannot = || {
        denied(
            service,
            "sts:AssumeRole",
            role_arn,
            "because the role's trust policy does not allow it",
        )
    };
    let role = find(cloud, role_arn)?.ok_or_else(cannot)?;
    let context = [("aws:SourceAccount", ACCOUNT), ("aws:SourceArn", source_arn)];
    let request = Request {
        action: "sts:AssumeRole",
        resource: role_arn,
        context: &context,
    };
    // `*` is everyone, services too.
    let trusted = [
        TrustedPrincipal::Service(service.to_owned()),
        TrustedPrincipal::Aws("*".to_owned()),
    ];
    let is_known = cloud.conditions.is_over(|| Change::Trust(role.name.clone()));
    if !is_known || role.trust.decide(&request, |named| trusted.contains(named)) != Decision::Allow {
        return Err(cannot());
    }
    cloud
        .sessions
        .issue(session(&role, session_name), SERVICE_SESSION)
}

/// A session of a role for another principal, if the role's trust policy names it, or names the account and the
/// principal's own policies allow it.
pub fn assume(
    cloud: &Cloud,
    caller: &Principal,
    role_arn: &str,
    session_name: &str,
    lifetime: SignedDuration,
) -> Result<RoleSession, AwsError> {
    let why = "because no resource-based policy allows the sts:AssumeRole action";
    let cannot = || denied(&caller.arn(), "sts:AssumeRole", role_arn, why);
    let role = find(cloud, role_arn)?.ok_or_else(cannot)?;
    if lifetime.as_secs() > role.max_session {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(AwsError::bad_request("ValidationError", message));
    }
    let caller_role = match caller {
        Principal::Root => None,
        Principal::Role(session) => cloud
            .iam
            .role(cloud, &session.role_name)?
            .map(|role| role.arn.clone()),
    };
    let caller_arn = caller.arn();
    let account_root = format!("arn:{PARTITION}:iam::{ACCOUNT}:root");
    let of_account = |name: &str| name == "*" || name == ACCOUNT || name == account_root;
    let by_name = |name: &str| name == caller_arn || caller_role.as_deref() == Some(name);
    let context = [
        ("aws:PrincipalArn", caller_role.as_deref().unwrap_or(&caller_arn)),
        ("aws:PrincipalAccount", ACCOUNT),
    ];
    let request = Request {
        action: "sts:AssumeRole",
        resource: role_arn,
        context: &context,
    };
    let named = role.trust.decide(
        &request,
        |trusted| matches!(trusted, TrustedPrincipal::Aws(name) if by_name(name)),
    );
    let any = role.trust.decide(
        &request,
        |trusted| matches!(trusted, TrustedPrincipal::Aws(name) if by_name(name) || of_account(name)),
    );
    match (named, any) {
        (_, Decision::ExplicitDeny | Decision::Silent) => return Err(cannot()),
        (Decision::Allow, _) => {}
        _ => authorize(cloud, caller, "sts:AssumeRole", role_arn, &[])?,
    }
    cloud.sessions.issue(session(&role, session_name), lifetime)
}

/// The role with this ARN: the name alone is not enough, its path must be the role's too.
fn find(cloud: &Cloud, arn: &str) -> Result<Option<Arc<Role>>, AwsError> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    Ok(cloud.iam.role(cloud, name)?.filter(|role| role.arn == arn))
}

fn session(role: &Role, session_name: &str) -> AssumedRole {
    AssumedRole {
        role_name: role.name.clone(),
        role_id: role.id.clone(),
        session_name: session_name.to_owned(),
    }
}
