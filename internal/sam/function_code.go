package sam

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// code is where the function's code is: in the template, in S3, or in an image.
func (f *function) code() *value {
	kind := f.get("PackageType")
	isImage := kind.isText("Image")
	if kind.truthy() && !isImage && !kind.isText("Zip") {
		failResource(f.id, "invalid 'PackageType' : %s", kind.display())
	}
	inline, uri, image := f.get("InlineCode"), f.get("CodeUri"), f.get("ImageUri")
	var code *value
	switch {
	case isImage && image == nil:
		failResource(f.id, "'ImageUri' must be set.")
	case isImage && !image.truthy():
		failResource(f.id, "'ImageUri' requires that a image hosted at a registry be specified.")
	case isImage:
		return object("ImageUri", image)
	case inline != nil:
		code = object("ZipFile", inline)
	case uri != nil:
		code = s3Location(f.id, uri, "CodeUri")
	default:
		failResource(f.id, "Only one of 'InlineCode' or 'CodeUri' can be set.")
	}
	if key := f.get("SourceKMSKeyArn"); key.truthy() {
		code.set("SourceKMSKeyArn", key)
	}
	return code
}

var secretReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{\{resolve:(ssm|ssm-secure|secretsmanager):[a-zA-Z0-9_.\-/]+(:\d+)?\}\}`)
})

// s3Location is a place in S3 as Lambda's Code and Content have it.
func s3Location(id string, uri *value, property string) *value {
	who := resourceOwner(id)
	var bucket, key, version *value
	switch {
	case uri.isMap():
		bucket, key, version = uri.get("Bucket"), uri.get("Key"), uri.get("Version")
		if !bucket.truthy() || !key.truthy() {
			who.fail(uri, property, "'"+property+"' requires Bucket and Key properties to be specified.")
		}
	case uri.isString():
		if strings.Contains(secretReference().FindString(uri.text), "/") {
			who.fail(uri, property, "Unsupported dynamic reference detected in '"+property+"'. Please consider using alternative 'FunctionCode' object format.")
		}
		var ok bool
		if bucket, key, version, ok = parseS3URI(uri); !ok {
			who.failWithHint(uri, property,
				"'"+property+"' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.", packageFirst)
		}
	default:
		who.fail(uri, property, "'"+property+"' must be of type dict or string.")
	}
	code := object("S3Bucket", bucket, "S3Key", key)
	if uri.has("Version") || version != nil {
		code.set("S3ObjectVersion", orNone(version))
	}
	return code
}

// parseS3URI takes s3://bucket/key?versionId=… apart. The parts are marked and placed as the whole.
func parseS3URI(uri *value) (bucket, key, version *value, ok bool) {
	scheme, rest, found := strings.Cut(uri.str(), "://")
	if !found || !strings.EqualFold(scheme, "s3") {
		return nil, nil, nil, false
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	slash := strings.Index(rest, "/")
	if slash <= 0 || strings.ContainsAny(rest[:slash], "[]") {
		return nil, nil, nil, false
	}
	bucket, key = uri.like(rest[:slash]), uri.like(strings.TrimLeft(rest[slash:], "/"))
	if values, err := url.ParseQuery(query); err == nil && len(values["versionId"]) == 1 && values["versionId"][0] != "" {
		version = uri.like(values["versionId"][0])
	}
	return bucket, key, version, true
}

var capacityProviderConfigShape = structOf(must("Arn", intrinsicOr(shapeText)),
	may("PerExecutionEnvironmentMaxConcurrency", intrinsicOr(shapeInteger)), may("ExecutionEnvironmentMemoryGiBPerVCpu", intrinsicOr(inTurn(shapeInteger, shapeNumber))))

// capacityProvider is where the function runs, if not on Lambda's own machines.
func (f *function) capacityProvider(config *value) *value {
	if errs := capacityProviderConfigShape.check(config, nil, nil); len(errs) > 0 {
		f.owner().fail(config, "CapacityProviderConfig", "Invalid CapacityProviderConfig: "+report("CapacityProviderConfig", errs))
	}
	config = capacityProviderConfigShape.read(config)
	return object("LambdaManagedInstancesCapacityProviderConfig", picked(config, "Arn", "CapacityProviderArn",
		"PerExecutionEnvironmentMaxConcurrency", "PerExecutionEnvironmentMaxConcurrency",
		"ExecutionEnvironmentMemoryGiBPerVCpu", "ExecutionEnvironmentMemoryGiBPerVCpu"))
}
