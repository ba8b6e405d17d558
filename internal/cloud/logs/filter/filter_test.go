package filter

import (
	"maps"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	const (
		event  = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"ThisFlag":true,"status":500,"latency":1.5,"a-b":{"c d":"x"}}`
		access = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	)
	for _, c := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"ERROR", "[ERROR 400] BAD REQUEST", true},
		{"ERROR", "[error 400]", false},
		{"ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", true},
		{"ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", false},
		{"?ERROR ?WARN", "a WARN b", true},
		{"?ERROR ?WARN", "a INFO b", false},
		{"ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", false},
		{"ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", true},
		{`"INTERNAL SERVER"`, "500 INTERNAL SERVER ERROR", true},
		{`"INTERNAL SERVER"`, "500 SERVER INTERNAL", false},
		{`"say \"hi\""`, `they say "hi" to you`, true},
		{`-"a b" c`, "a b c", false},
		{`%E[RX]+OR%`, "an ERROR", true},
		{`{ $.eventType = "UpdateTrail" }`, event, true},
		{`{$.eventType="Update*"}`, event, true},
		{`{ $.sourceIPAddress != 123.123.* }`, event, true},
		{`{ $.sourceIPAddress = 111.111.* }`, event, true},
		{`{ $.arrayKey[0] = "value" }`, event, true},
		{`{ $.arrayKey[2] = "value" }`, event, false},
		{`{ $.objectList[1].id = 2 }`, event, true},
		{`{ $.SomeObject IS NULL }`, event, true},
		{`{ $.SomeOtherObject NOT EXISTS }`, event, true},
		{`{ $.status NOT EXISTS }`, event, false},
		{`{ $.ThisFlag IS TRUE }`, event, true},
		{`{ $.ThisFlag IS FALSE }`, event, false},
		{`{ $.status >= 500 && ($.latency > 2 || $.latency < 1.6) }`, event, true},
		{`{ $.status >= 500 && $.latency > 2 || $.eventType = X }`, event, false},
		{`{ $.status = 5e2 }`, event, true},
		{`{ $.eventType = %^Upd.*l$% }`, event, true},
		{`{ $.['a-b'].['c d'] = "x" }`, event, true},
		{`{ $.eventType = "UpdateTrail" }`, "not json", false},
		{`[ip, user, username, timestamp, request, status_code, bytes]`, access, true},
		{`[ip, user, username, timestamp, request, status_code = 4*, bytes]`, access, true},
		{`[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes > 1000]`, access, true},
		{`[..., status_code = 404 || status_code = 410, bytes]`, access, true},
		{`[ip != 127*, ...]`, access, false},
		{`[ip, ..., bytes < 1000]`, access, false},
		{`[ip, user]`, access, false},
		{`[ip = %127\.[0-9.]+%, ...]`, access, true},
		{`[w1 = ERROR && w1 != "x y", ...]`, "ERROR z", true},
		{`[]`, access, true},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("Parse(%s): %v", c.pattern, err)
			continue
		}
		if _, got := p.Match(c.message); got != c.want {
			t.Errorf("%s on %.40s: %v", c.pattern, c.message, got)
		}
	}
}

func TestFields(t *testing.T) {
	p, err := Parse(`[ip, ..., status, bytes]`)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := p.Match(`1.2.3.4 x [a b] "c d" 200 12`)
	if want := map[string]string{"$ip": "1.2.3.4", "$status": "200", "$bytes": "12"}; !ok || !maps.Equal(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
	if p, err = Parse(`{ $.a.b = 1 || $.c = "*" }`); err != nil {
		t.Fatal(err)
	}
	got, ok = p.Match(`{"a":{"b":1},"c":"x"}`)
	if want := map[string]string{"$.a.b": "1"}; !ok || !maps.Equal(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
	if v, ok := Field(`{"a":[{"b":1.5}]}`, "$.a[0].b"); !ok || v != "1.5" {
		t.Errorf("Field: %q, %v", v, ok)
	}
}

func TestRefused(t *testing.T) {
	for _, pattern := range []string{"{", "{}", "{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $.a = 1", "{ ($.a = 1 }", "{ $.a > x }", "{ $. = 1 }", "[a", "[a, ..., b, ...]", "[a ! b]", `"a`, "%(%", "% ", "?", "a - b", "{" + strings.Repeat("(", 999) + "}"} {
		if _, err := Parse(pattern); err == nil {
			t.Errorf("%.20s: no error", pattern)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{`?a -"b c" d`, `{ $.a[0]['x'] >= 1.5 && ($.b IS NULL || $.c NOT EXISTS) }`, `[a=1*, ..., b!="x" && b!=%y%]`} {
		f.Add(s, `{"a":[{"x":2}],"b":null}`)
	}
	f.Fuzz(func(t *testing.T, pattern, message string) {
		if p, err := Parse(pattern); err == nil {
			p.Match(message)
		}
	})
}
