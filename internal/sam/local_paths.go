package sam

import "strings"

// localImage stands for the image of a function that is still to be built.
const localImage = "local/image"

// takeLocalPaths makes places in S3 of the paths of a template that is not packaged yet, so that it can be transformed.
func takeLocalPaths(template *value) {
	for _, e := range template.get("Globals").entries() {
		takeLocalPathsOf(e.value)
	}
	for _, e := range template.get("Resources").entries() {
		if !strings.HasPrefix(e.value.get("Type").str(), "AWS::Serverless::") {
			continue
		}
		props := e.value.get("Properties")
		takeLocalPathsOf(props)
		if props.get("PackageType").isText("Image") && props.given("ImageUri") == nil {
			props.set("ImageUri", str(localImage))
		}
	}
}

func takeLocalPathsOf(properties *value) {
	for _, name := range []string{"CodeUri", "ContentUri", "DefinitionUri"} {
		path := properties.get(name)
		if !path.isString() || strings.Contains(path.text, "://") {
			continue
		}
		key := strings.TrimLeft(path.text, "./")
		if key == "" {
			key = "."
		}
		properties.set(name, path.like("s3://local/"+key))
	}
}
