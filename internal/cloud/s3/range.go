package s3

import (
	"fmt"
	"strconv"
	"strings"

	"evo/internal/cloud/s3/blob"
)

// span is a stretch of an object.
type span struct{ offset, length int64 }

func (r span) contentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", r.offset, r.offset+r.length-1, size)
}

// parseRange reads a Range header for an object of that size. What S3 does not understand, several ranges among it, it ignores: ok
// is false then, and the whole object is meant. A range that lies beyond the object is an error.
func parseRange(header string, size int64) (r span, ok bool, err error) {
	spec, isBytes := strings.CutPrefix(header, "bytes=")
	from, to, hasDash := strings.Cut(spec, "-")
	if !isBytes || !hasDash || strings.ContainsAny(spec, ", ") {
		return span{}, false, nil
	}
	unsatisfiable := failure(416, "InvalidRange", "The requested range is not satisfiable",
		"ActualObjectSize", strconv.FormatInt(size, 10), "RangeRequested", header)
	if from == "" {
		last, err := parseOffset(to)
		if err != nil {
			return span{}, false, nil
		}
		if last == 0 || size == 0 {
			return span{}, false, unsatisfiable
		}
		last = min(last, size)
		return span{size - last, last}, true, nil
	}
	first, err := parseOffset(from)
	if err != nil {
		return span{}, false, nil
	}
	end := size - 1
	if to != "" {
		if end, err = parseOffset(to); err != nil || end < first {
			return span{}, false, nil
		}
	}
	if first >= size {
		return span{}, false, unsatisfiable
	}
	end = min(end, size-1)
	return span{first, end - first + 1}, true, nil
}

func parseOffset(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}

const copyRangeForm = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"

// parseCopyRange reads the range of an UploadPartCopy, which must name both ends and lie within the source.
func parseCopyRange(header string, size int64) (span, error) {
	const name = "x-amz-copy-source-range"
	spec, isBytes := strings.CutPrefix(header, "bytes=")
	from, to, _ := strings.Cut(spec, "-")
	first, err1 := parseOffset(from)
	last, err2 := parseOffset(to)
	switch {
	case !isBytes || err1 != nil || err2 != nil || last < first:
		return span{}, invalidArgument(name, header, copyRangeForm)
	case first >= size:
		return span{}, invalidRequest("The specified copy range is invalid for the source object size")
	case last >= size:
		return span{}, invalidArgument(name, header, fmt.Sprintf("Range specified is not valid for source object of size: %d", size))
	}
	return span{first, last - first + 1}, nil
}

// ranges returns where the bytes of a stretch of the version lie.
func (v *version) ranges(r span) []blob.Range {
	var found []blob.Range
	start := int64(0)
	for _, p := range v.Parts {
		from, to := max(r.offset, start), min(r.offset+r.length, start+p.Size)
		if from < to {
			found = append(found, blob.Range{Ref: p.Ref, Offset: from - start, Length: to - from})
		}
		start += p.Size
	}
	return found
}
