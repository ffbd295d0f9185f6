//! Who is told when something goes wrong.

use serde::Deserialize;

use crate::names::is_region;

/// Whom the alarms tell; there are alarms where there is anyone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct AlarmSettings {
    /// An e-mail address, told by a topic of the stack's own.
    pub email: Option<String>,
    /// The ARN of a topic that is there.
    pub topic: Option<String>,
}

impl AlarmSettings {
    /// # Errors
    /// What nobody could be told by.
    pub fn validate(&self) -> Result<(), String> {
        match (&self.email, &self.topic) {
            (None, None) => Err("alarms says whom to tell: it needs an email, a topic, or both".to_owned()),
            (Some(email), _) if !is_email(email) => {
                Err("alarms.email is an address such as ops@example.org".to_owned())
            }
            (_, Some(topic)) if region_of(topic).is_none() => Err(
                "alarms.topic is the ARN of a standard SNS topic, such as arn:aws:sns:eu-central-1:123456789012:ops"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

/// Whether mail can go there, and a tag's value be it: of the characters that an address may have those of a tag.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-tags.html>
fn is_email(address: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "+-=._/@".contains(c);
    address.len() <= 256
        && address.chars().all(is_allowed)
        && address.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && !host.contains('@')
                && host.split('.').all(|part| !part.is_empty())
                && host.contains('.')
        })
}

/// The region in the ARN of a standard topic; CloudWatch publishes to no other kind.
pub fn region_of(topic: &str) -> Option<&str> {
    let parts: Vec<&str> = topic.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts[..] else {
        return None;
    };
    let is_account = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    let is_name = (1..=256).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let is_partition = ["aws", "aws-cn", "aws-us-gov"].contains(&partition);
    (is_partition && is_region(region) && is_account && is_name).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_told_is_taken() {
        let alarms = |email: Option<&str>, topic: Option<&str>| AlarmSettings {
            email: email.map(str::to_owned),
            topic: topic.map(str::to_owned),
        };
        let topic = "arn:aws:sns:eu-central-1:123456789012:ops";
        for good in [
            alarms(Some("ops@example.org"), None),
            alarms(Some("a.b+c@mail.example.org"), Some(topic)),
            alarms(None, Some(topic)),
        ] {
            assert_eq!(good.validate(), Ok(()), "{good:?}");
        }
        for email in [
            "",
            "ops",
            "@example.org",
            "ops@",
            "ops@host",
            "a@b@c.de",
            "o ps@example.org",
            "ö@a.de",
            "a@.de",
        ] {
            assert!(alarms(Some(email), None).validate().is_err(), "{email}");
        }
        for topic in [
            "",
            "ops",
            "arn:aws:sqs:eu-central-1:123456789012:ops",
            "arn:aws:sns:eu-central-1:1234:ops",
            "arn:aws:sns:eu-central-1:123456789012:ops.fifo",
            "arn:aws:sns:eu-central-1:123456789012:ops:5f2c",
            "arn:else:sns:eu-central-1:123456789012:ops",
        ] {
            assert!(alarms(None, Some(topic)).validate().is_err(), "{topic}");
        }
        assert!(alarms(None, None).validate().is_err());
    }
}
