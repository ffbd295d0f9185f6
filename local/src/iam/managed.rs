//! The AWS-managed policies that the pipeline's roles use, as AWS publishes them.

/// A policy of AWS's own.
pub struct Managed {
    pub arn: &'static str,
    pub name: &'static str,
    pub path: &'static str,
    pub id: &'static str,
    pub document: &'static str,
}

pub const ALL: &[Managed] = &[
    Managed {
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        name: "AWSLambdaBasicExecutionRole",
        path: "/service-role/",
        id: "ANPAJNCQGXC42545SKXIK",
        document: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    Managed {
        arn: "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
        name: "AmazonAPIGatewayPushToCloudWatchLogs",
        path: "/service-role/",
        id: "ANPAIK4GFO7HLKYN64ASK",
        document: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
                "logs:GetLogEvents",
                "logs:FilterLogEvents"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
];

/// The managed policy with this ARN.
pub fn find(arn: &str) -> Option<&'static Managed> {
    ALL.iter().find(|policy| policy.arn == arn)
}
