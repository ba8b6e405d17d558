package publish

import (
	"slices"
	"strings"

	"evo/internal/cfn"
	"evo/internal/source"
)

// Section is where a template's Metadata describes the application that it is to be published as.
const Section = "AWS::ServerlessRepo::Application"

// Application is a packaged template and what its Metadata say of it.
type Application struct {
	Name, Description, Author      string
	SemanticVersion, SourceCodeURL string
	HomePageURL, SPDXLicense       string
	LicenseURL, LicenseBody        string
	ReadmeURL, ReadmeBody          string
	Labels                         []string
	Details                        *cfn.Node // the section, as it is published
	Template                       string    // without the section
}

// Read takes the description out of a template. A semantic version that is given counts in the place of the template's. The error is
// a source.Diagnostics: all that keeps the application from being published.
func Read(file string, root *cfn.Node, semanticVersion string) (*Application, error) {
	section := root.At("Metadata", Section)
	if !section.Is(cfn.Map) {
		d := source.Errorf(root.Where(), "the template's Metadata have no %s, which says what the application is called and does", Section)
		d.File, d.Hint = file, "it needs a Name, a Description and an Author: see docs/publish.md"
		return nil, d
	}
	section = section.Clone()
	if semanticVersion != "" {
		section.Set("SemanticVersion", cfn.Str(semanticVersion))
	}
	a := &Application{Details: section, Template: strip(root)}
	if problems := a.fill(section); len(problems) > 0 {
		for _, d := range problems {
			d.File = file
		}
		return nil, problems
	}
	return a, nil
}

// strip returns the template's text without the section, and without Metadata that hold nothing else.
func strip(root *cfn.Node) string {
	root = root.Clone()
	metadata := root.Get("Metadata")
	metadata.Delete(Section)
	if len(metadata.Entries()) == 0 {
		root.Delete("Metadata")
	}
	return string(root.YAML())
}

func (a *Application) fill(section *cfn.Node) (problems source.Diagnostics) {
	for name, to := range map[string]*string{
		"Name": &a.Name, "Description": &a.Description, "Author": &a.Author, "SemanticVersion": &a.SemanticVersion, "SourceCodeUrl": &a.SourceCodeURL,
		"HomePageUrl": &a.HomePageURL, "SpdxLicenseId": &a.SPDXLicense, "LicenseUrl": &a.LicenseURL, "LicenseBody": &a.LicenseBody,
		"ReadmeUrl": &a.ReadmeURL, "ReadmeBody": &a.ReadmeBody,
	} {
		value := section.Get(name)
		text, ok := value.Scalar()
		if value != nil && !value.IsNull() && !ok {
			problems = append(problems, source.Errorf(value.Where(), "%s's %s must be a text: functions are not worked out there", Section, name))
		}
		*to = text
	}
	for _, l := range section.Get("Labels").List() {
		text, _ := l.Scalar()
		a.Labels = append(a.Labels, text)
	}
	problems = append(problems, a.check(section)...)
	slices.SortFunc(problems, func(a, b *source.Diagnostic) int { return strings.Compare(a.Message, b.Message) })
	return problems
}

// check tells what is missing, given twice, or not uploaded yet.
func (a *Application) check(section *cfn.Node) (problems source.Diagnostics) {
	var missing []string
	for _, name := range []string{"Author", "Description", "Name"} {
		value := section.Get(name)
		if text, ok := value.Scalar(); text == "" && (ok || value.IsNull()) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		problems = append(problems, source.Errorf(section.Where(), "%s lacks %s", Section, strings.Join(missing, ", ")))
	}
	for _, what := range []string{"License", "Readme"} {
		location := section.Get(what + "Url")
		if location != nil && section.Has(what+"Body") {
			problems = append(problems, source.Errorf(location.Where(), "%s has both %sUrl and %[2]sBody: one of them is enough", Section, what))
		}
		if text, _ := location.Scalar(); text != "" && !strings.Contains(text, "://") {
			d := source.Errorf(location.Where(), "%s's %sUrl is the local path %s", Section, what, text)
			d.Hint = PackageFirst
			problems = append(problems, d)
		}
	}
	return problems
}

// PackageFirst says what to do with a template that names what is on this machine only.
const PackageFirst = "package the template first, and publish what that writes: evo package --output-template-file packaged.yaml && evo publish -t packaged.yaml"
