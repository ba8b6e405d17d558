package fitness

import "strings"

// runtimesAsOf is the day of which the runtimes' table tells.
const runtimesAsOf Date = "2026-11-25"

// runtimes are Lambda's managed runtimes and the last day on which AWS supports each, by AWS's page "Lambda runtimes". Of those that are
// over, the latest are here, so that it can be seen what has become of them. Previews are no supported runtimes (nodejs26.x and python3.15 were
// previews then), and the OS-only ones are for no rule: they have no language that could be out of date.
var runtimes = []struct {
	name string
	last Date
}{
	{"nodejs24.x", "2028-04-30"}, {"nodejs22.x", "2027-04-30"}, {"nodejs20.x", "2026-04-30"},
	{"python3.14", "2029-06-30"}, {"python3.13", "2029-06-30"}, {"python3.12", "2028-10-31"}, {"python3.11", "2027-06-30"},
	{"python3.10", "2026-10-31"}, {"python3.9", "2025-12-15"},
	{"java25", "2029-06-30"}, {"java21", "2029-06-30"}, {"java17.al2023", "2029-06-30"}, {"java11.al2023", "2029-06-30"},
	{"java8.al2023", "2029-06-30"}, {"java17", "2027-06-30"}, {"java11", "2027-06-30"}, {"java8.al2", "2027-06-30"},
	{"dotnet10", "2028-11-14"}, {"dotnet8", "2026-11-10"},
	{"ruby4.0", "2029-03-31"}, {"ruby3.4", "2028-03-31"}, {"ruby3.3", "2027-03-31"}, {"ruby3.2", "2026-03-31"},
}

// supportedRuntimes are those of the table that AWS supports on its day, with commas between them. They do not follow the clock: a release
// must not become less fit overnight without anybody having changed what it is held to.
func supportedRuntimes() string {
	var names []string
	for _, r := range runtimes {
		if r.last >= runtimesAsOf {
			names = append(names, r.name)
		}
	}
	return strings.Join(names, ",")
}

// Parameters are those that the default suite gives a rule of the catalogue; nil for most, which need none.
func Parameters(rule string) map[string]string {
	if rule == "lambda-function-settings-check" {
		return map[string]string{"runtime": supportedRuntimes()}
	}
	return nil
}
