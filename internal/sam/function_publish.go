package sam

import (
	"regexp"
	"strings"
	"sync"
)

// publish makes a version of the function and the alias that points at it, and returns the alias's name.
func (f *function) publish() string {
	name := f.t.params.resolve(f.get("AutoPublishAlias"))
	if !name.isString() {
		f.owner().fail(name, "AutoPublishAlias", "'AutoPublishAlias' must be a string or a Ref to a template parameter")
	}
	sha := f.codeSha256()
	f.version = f.newVersion(sha)
	f.alias = f.newAlias(name)
	return name.text
}

// codeSha256 is the hash of the code that the user gives, if any. It also goes into the description, so that a new one changes
// the function, without which no version could be published.
func (f *function) codeSha256() *value {
	given := f.get("AutoPublishCodeSha256")
	if !given.truthy() {
		return nil
	}
	sha := f.t.params.resolve(given)
	if !sha.isString() {
		f.owner().fail(sha, "AutoPublishCodeSha256", "AutoPublishCodeSha256 must be a string")
	}
	description := f.t.params.resolve(f.get("Description"))
	switch {
	case !description.truthy():
		description = sha
	case description.isString():
		description = str(description.text + " " + sha.text)
	default:
		description = object("Fn::Join", list(str(" "), list(description, sha)))
	}
	f.lambda.set("Description", description)
	return sha
}

// newVersion makes the version. Its id changes with the code and what Lambda starts it with, as a version is immutable: a
// version with another id is another version.
func (f *function) newVersion(sha *value) *resource {
	code := f.t.params.resolve(f.lambda.get("Code"))
	prefix := f.id + "Version"
	id := ""
	switch {
	case sha.truthy():
		id = prefix + string([]rune(sha.text)[:min(hashLength, len([]rune(sha.text)))])
	case f.get("AutoPublishAliasAllProperties").truthy():
		id = hashedID(prefix, f.allProperties())
	default:
		id = hashedID(prefix, f.versionData(code))
	}
	attributes := f.passthrough()
	if !attributes.has("DeletionPolicy") {
		policy := f.get("VersionDeletionPolicy")
		if policy == nil {
			policy = str("Retain")
			if f.get("CapacityProviderConfig") != nil {
				policy = str("Delete")
			}
		}
		attributes.set("DeletionPolicy", policy)
	}
	version := newResource(id, "AWS::Lambda::Version", attributes).with(
		"FunctionName", f.lambda.ref(), "Description", f.get("VersionDescription"))
	if f.get("CapacityProviderConfig") != nil {
		version.set("FunctionScalingConfig", f.get("FunctionScalingConfig"))
	}
	return version
}

func (f *function) versionData(code *value) *value {
	data := code.copy()
	if env := f.lambda.get("Environment"); env.isMap() {
		data.update(env)
	}
	if memory := f.lambda.get("MemorySize"); memory.truthy() {
		data.set("MemorySize", memory)
	}
	if snap := f.lambda.get("SnapStart"); snap.truthy() {
		if on := snap.get("ApplyOn"); on != nil && !on.isText("None") {
			data.set("SnapStart", snap)
		}
	}
	return data
}

// allProperties are the function's properties, and those of its layers that ask for it.
func (f *function) allProperties() *value {
	data := f.lambda.properties.copy()
	layers := f.lambda.get("Layers")
	if !layers.isList() {
		return data
	}
	for _, layer := range layers.items {
		id := referredID(layer)
		properties := f.t.out.get("Resources").get(id).get("Properties")
		if id != "" && properties.get("PublishLambdaVersion").truthy() {
			data.set(id, properties)
		}
	}
	return data
}

var (
	aliasName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9\-_]+$`) })
	allDigits = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]+$`) })

	// aliasWords write an alias's name in letters and digits.
	aliasWords = strings.NewReplacer("-", "D", "_", "U")
)

func (f *function) newAlias(name *value) *resource {
	if name.text == "" {
		failResource(f.id, "Alias name is required to create an alias")
	}
	if !aliasName().MatchString(name.text) || allDigits().MatchString(name.text) {
		f.owner().fail(name, "AutoPublishAlias", "AutoPublishAlias name ('"+name.text+"') must contain only alphanumeric characters, hyphens, "+
			"or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.")
	}
	id := f.id + "Alias" + aliasWords.Replace(name.text)
	alias := newResource(id, "AWS::Lambda::Alias", f.passthrough()).with(
		"Name", name, "FunctionName", f.lambda.ref(), "FunctionVersion", getAtt(f.version.id, "Version"))
	if config := f.get("ProvisionedConcurrencyConfig"); config.truthy() {
		alias.set("ProvisionedConcurrencyConfig", config)
	}
	return alias
}

func joinLines(lines []string) string { return strings.Join(lines, "\n") }
