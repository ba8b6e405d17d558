package serverlessrepo

import (
	"net/url"
	"regexp"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// metadata is what a publisher may say of an application: to be checked where it is given.
type metadata struct {
	name, author, description, homePage, sourceCode, license *string
	labels                                                   []string
}

var (
	validName    = regexp.MustCompile(`^[a-zA-Z0-9-]+$`)
	validAuthor  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	validLabel   = regexp.MustCompile(`^[a-zA-Z0-9+\-_:/@]+$`)
	validLicense = regexp.MustCompile(`^[a-zA-Z0-9.+-]+$`)
)

const maxLabels = 10

// check holds what is given against the repository's limits.
func (m metadata) check() error {
	for _, f := range []struct {
		what  string
		value *string
		most  int
		form  *regexp.Regexp
	}{
		{"name", m.name, 140, validName}, {"author", m.author, 127, validAuthor}, {"description", m.description, 256, nil}, {"spdxLicenseId", m.license, 64, validLicense},
	} {
		if f.value == nil {
			continue
		}
		if n := utf8.RuneCountInString(*f.value); n < 1 || n > f.most {
			return badRequest("%s must have a length between 1 and %d", f.what, f.most)
		}
		if f.form != nil && !f.form.MatchString(*f.value) {
			return badRequest("%s '%s' must match pattern %s", f.what, *f.value, f.form)
		}
	}
	for what, u := range map[string]*string{"homePageUrl": m.homePage, "sourceCodeUrl": m.sourceCode} {
		if u != nil && !isURL(*u) {
			return badRequest("%s '%s' is not a valid URL", what, *u)
		}
	}
	return m.checkLabels()
}

func (m metadata) checkLabels() error {
	if len(m.labels) > maxLabels {
		return badRequest("There are %d labels, the maximum is %d", len(m.labels), maxLabels)
	}
	for _, l := range m.labels {
		if len(l) > 127 || !validLabel.MatchString(l) {
			return badRequest("Label '%s' must have a length between 1 and 127 and match pattern %s", l, validLabel)
		}
	}
	return nil
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// oneOf refuses two members of which only one may be given.
func oneOf(body *string, bodyName string, location *string, locationName string) error {
	if aws.ToString(body) != "" && aws.ToString(location) != "" {
		return badRequest("Provide either %s or %s, not both", bodyName, locationName)
	}
	return nil
}
