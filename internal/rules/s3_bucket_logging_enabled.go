package rules

var s3BucketLoggingEnabled = Rule{
	Name: "s3-bucket-logging-enabled", Identifier: "S3_BUCKET_LOGGING_ENABLED", Source: Managed,
	Summary: "server access logging is on, and goes to the given bucket and prefix",
	Remedy:  "add LoggingConfiguration with DestinationBucketName (another bucket than this one) and LogFilePrefix",
	Types:   []string{"AWS::S3::Bucket"}, Trigger: OnChange, Scope: Template,
	Parameters: []Parameter{
		{Name: "targetBucket", About: "the bucket that must receive the logs"},
		{Name: "targetPrefix", About: "the prefix that the logs' names must have, exactly"},
	},
	judge:    judgeS3BucketLoggingEnabled,
	registry: &registryReading{nag: []string{"W35"}, judge: func(s *subject) Verdict { return s.wantSet("LoggingConfiguration") }},
}

func judgeS3BucketLoggingEnabled(s *subject) Verdict {
	// Logging without a destination goes to the bucket itself: CloudFormation's default.
	on := s.at("LoggingConfiguration")
	if set := s.isSet(on); set != yes {
		return verdictOf(set, on, "")
	}
	if a := s.arg("targetBucket"); a.set {
		bucket := s.at("LoggingConfiguration.DestinationBucketName")
		if is := s.means(bucket, a.text); is != yes {
			return verdictOf(is, bucket, "should be "+a.text)
		}
	}
	if a := s.arg("targetPrefix"); a.set {
		prefix := s.at("LoggingConfiguration.LogFilePrefix")
		if is := prefix.oneOf(a.text); is != yes {
			return verdictOf(is, prefix, "should be "+a.text)
		}
	}
	return compliant(on)
}
