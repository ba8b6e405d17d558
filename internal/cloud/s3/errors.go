package s3

import (
	"fmt"

	"evo/internal/cloud/call"
)

// failure returns S3's error of that code; detail is pairs of member and value.
func failure(status int, code, message string, detail ...string) *call.Error {
	e := &call.Error{Status: status, Code: code, Message: message}
	for i := 0; i+1 < len(detail); i += 2 {
		if e.Detail == nil {
			e.Detail = make(map[string]string, len(detail)/2)
		}
		e.Detail[detail[i]] = detail[i+1]
	}
	return e
}

func noSuchBucket(name string) error {
	return failure(404, "NoSuchBucket", "The specified bucket does not exist", "BucketName", name)
}

func noSuchKey(key string) error {
	return failure(404, "NoSuchKey", "The specified key does not exist.", "Key", key)
}

func noSuchVersion(key, id string) error {
	return failure(404, "NoSuchVersion", "The specified version does not exist.", "Key", key, "VersionId", id)
}

func noSuchUpload(id string) error {
	return failure(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
		"UploadId", id)
}

func malformedXML() error {
	return failure(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func invalidArgument(name, value, message string) error {
	e := failure(400, "InvalidArgument", message, "ArgumentName", name)
	if value != "" {
		e.Detail["ArgumentValue"] = value
	}
	return e
}

func invalidRequest(format string, args ...any) error {
	return failure(400, "InvalidRequest", fmt.Sprintf(format, args...))
}

func preconditionFailed(condition string) error {
	return failure(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition", condition)
}

func notModified() error {
	return failure(304, "NotModified", "Not Modified")
}

// headerNotImplemented refuses a header that S3 knows but does not take here.
func headerNotImplemented(header, why string) error {
	e := failure(501, "NotImplemented", "A header you provided implies functionality that is not implemented", "Header", header)
	if why != "" {
		e.Detail["additionalMessage"] = why
	}
	return e
}

// methodNotAllowed refuses to treat a delete marker as an object.
func methodNotAllowed(method string) error {
	return failure(405, "MethodNotAllowed", "The specified method is not allowed against this resource.",
		"Method", method, "ResourceType", "DeleteMarker")
}

// internalError is the answer to what should not happen; the cause is for the log.
func internalError(doing string, err error) error {
	return failure(500, "InternalError", fmt.Sprintf("We encountered an internal error. Please try again. (%s: %v)", doing, err))
}

// firstOf returns the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
