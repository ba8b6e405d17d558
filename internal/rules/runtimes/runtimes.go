// Package runtimes answers: which of Lambda's runtimes does AWS support, and until when?
package runtimes

// AsOf is the day of which the table tells.
const AsOf = "2026-11-25"

// Runtime is one of Lambda's runtimes, and the day on which AWS deprecates it, as YYYY-MM-DD.
type Runtime struct{ Name, Deprecated string }

// Table is Lambda's managed runtimes by AWS's page "Lambda runtimes" (docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html). Of those
// that are deprecated the latest are here, so that it can be seen what has become of them. Previews are no supported runtimes (nodejs26.x
// and python3.15 were previews then), and the OS-only ones are for no rule: they have no language that could be out of date.
//
// The dates are those of cfn-lint 1.58.0's table of the same page too, which lacks the three that came in July 2026: Java 8, 11 and 17 on
// Amazon Linux 2023. The names are those of botocore 1.44.8's API model.
var Table = []Runtime{
	{"nodejs24.x", "2028-04-30"}, {"nodejs22.x", "2027-04-30"}, {"nodejs20.x", "2026-04-30"},
	{"python3.14", "2029-06-30"}, {"python3.13", "2029-06-30"}, {"python3.12", "2028-10-31"}, {"python3.11", "2027-06-30"},
	{"python3.10", "2026-10-31"}, {"python3.9", "2025-12-15"},
	{"java25", "2029-06-30"}, {"java21", "2029-06-30"}, {"java17.al2023", "2029-06-30"}, {"java11.al2023", "2029-06-30"},
	{"java8.al2023", "2029-06-30"}, {"java17", "2027-06-30"}, {"java11", "2027-06-30"}, {"java8.al2", "2027-06-30"},
	{"dotnet10", "2028-11-14"}, {"dotnet8", "2026-11-10"},
	{"ruby4.0", "2029-03-31"}, {"ruby3.4", "2028-03-31"}, {"ruby3.3", "2027-03-31"}, {"ruby3.2", "2026-03-31"},
}

// Supported are the names of the table's runtimes that AWS supports on its day, in the table's order. They do not follow the clock: a
// release must not become less fit overnight without anybody having changed what it is held to.
func Supported() (names []string) {
	for _, r := range Table {
		if r.Deprecated >= AsOf {
			names = append(names, r.Name)
		}
	}
	return names
}
