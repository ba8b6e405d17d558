package vtl

import (
	"strings"
	"testing"
)

func TestExecute(t *testing.T) {
	const body = `{"name":"Ann","tags":["a","b"],"n":3,"deep":{"x":[{"y":"z"}]},"none":null}`
	for template, want := range map[string]string{
		`plain $ text 5$ #1 #tag`:                                                `plain $ text 5$ #1 #tag`,
		`$b.name ${b.name}s $!b.name $!{b.name}`:                                 `Ann Anns Ann Ann`,
		`[$missing][$b.missing.deeper][$b.none]`:                                 `[][][]`,
		`\$b \#set`:                                                              `$b #set`,
		"a## comment\nb#* block\n *#c":                                           "abc",
		`#set($x = 1 + 2 * 3)$x`:                                                 `7`,
		`#set( $x = ($b.n - 1) / 2 )$x`:                                          `1`,
		`#set($s = "Hi $b.name!")$s`:                                             `Hi Ann!`,
		`#set($s = 'Hi $b.name!')$s`:                                             `Hi $b.name!`,
		"#if($b.n == 3)\nyes\n#else\nno\n#end":                                   "yes\n",
		`#if($b.n > 3)a#elseif($b.n >= 3 && !$b.none)b#{else}c#end`:              `b`,
		`#if($missing || "")x#end`:                                               `x`,
		`#foreach($t in $b.tags)$foreach.index:$t#if($foreach.hasNext),#end#end`: `0:a,1:b`,
		`#foreach($i in [3..1])$i#if($i == 2)#break#end#end`:                     `32`,
		`#set($m = {"k": [1, "2", null]})$m.k $m $m.k[1] $m["k"][0]`:             `[1,"2",null] {k=[1,"2",null]} 2 1`,
		`#set($m = {})#set($m.a = 1)$m.put("b", true)$m.keySet()`:                `["a","b"]`,
		`#foreach($e in $b.deep.entrySet())$e.key=$e.value#end`:                  `x=[{"y":"z"}]`,
		`$b.deep $b.tags`:                                                        `{x=[{"y":"z"}]} ["a","b"]`,
		`$b.name.toUpperCase().replace("N","M") $b.name.length()`:                `AMM 3`,
		`$b.name.replaceAll("(n)", "<$1>") $b.name.substring(1)`:                 `A<n><n> nn`,
		`#set($l = [])$l.add(1)#stop never`:                                      `true`,
		`#set($q = "say ""hi""")$q`:                                              `say "hi"`,
		"#define( $loop )\n{#foreach($k in $m.keySet())$k#end}\n#end\n#set($m = {\"a\": 1})$loop#set($m = {\"b\": 1})${loop}": "{a}\n{b}\n",
		`#define($d)$x#end#set($x = "1")"$d" #set($s = "<$d>")$s $d.length()`:                                                 `"1" <1> 1`,
		`#macro(pair $k, $v)"$k":"$v"#end#pair("a" $b.n), #pair('b', "c")[$k]`:                                                `"a":"3", "b":"c"[]`,
		`#macro(down $n)$n#if($n > 0)#set($less = $n - 1)#down($less)#end#end#down(3)`:                                        `3210`,
		`#[[$b #set(]]#`: `$b #set(`,
		`#foreach($a in [1, 2])#foreach($c in ["x", "y"])$foreach.parent.count$c#end$velocityCount #end`: `1x1y1 2x2y2 `,
		`#set($s = "häuser")$s.indexOf("u") $s.lastIndexOf("z") $s.substring($s.indexOf("u"))`:           `2 -1 user`,
		`#set($Integer = 0)#set($n = $Integer.parseInt("41") + 1)$n`:                                     `42`,
		`#set($j = [1.0, 12.50, 10000000.0, 0.00015, 0.001])$j`:                                          `[1.0,12.5,1.0E7,1.5E-4,0.001]`,
	} {
		v, err := ParseJSON(body)
		if err != nil {
			t.Fatal(err)
		}
		tm, err := Parse(template)
		if err != nil {
			t.Errorf("%q: %v", template, err)
			continue
		}
		if got, err := tm.Execute(map[string]any{"b": v}); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", template, got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for template, want := range map[string]string{
		"a\n#if($x)":                           "line 2: an #if has no #end",
		"#end":                                 "#end without its beginning",
		"#parse(x)":                            "#parse is not there",
		"#macro(x":                             "a variable is expected",
		"#macro(x)a":                           "a #macro has no #end",
		"#define($x)a":                         "a #define has no #end",
		"#define(x)a#end":                      "a variable is expected",
		"#[[a":                                 "#[[ has no ]]#",
		"#set($x 1)":                           `"=" is expected`,
		"#set($x = ":                           "a value is expected",
		"#foreach($x of $y)#end":               "#foreach is written",
		`#set($x = "a)`:                        "a string has no end",
		"${x":                                  "no }",
		strings.Repeat("#if(true)", 200):       "nested more than",
		"#set($x=" + strings.Repeat("(", 2000): "nested more than",
		"#if(true)a#else b#elseif(true)c#end":  "after #else",
		"#set($x=" + strings.Repeat("!", 5000) + "1)": "nested more than",
	} {
		if _, err := Parse(template); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want …%s…", template, err, want)
		}
	}
	for template, want := range map[string]string{
		`$s.explode()`: "method explode with 0 arguments is not there",
		`#set($l=[1..1000])#foreach($a in $l)#foreach($b in $l)#foreach($c in $l)x#end#end#end`: "steps",
		`#foreach($i in [1..100])#set($s = $s + $s)#end`:                                        "bytes",
		`#break`:                       "#break",
		`$s.matches("(")`:              "matches",
		`#define($d)$d#end$d`:          "nested more than",
		`#macro(m)#m()#end#m()`:        "nested more than",
		`#set($i = 0)$i.parseInt("x")`: "not a whole number",
		`#set($l=[])$l.add($l)$l`:      "",
	} {
		tm, err := Parse(template)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tm.Execute(map[string]any{"s": "text"})
		if want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…", template, err, want)
		}
	}
}

func TestPath(t *testing.T) {
	v, err := ParseJSON(`{"a":{"b":[{"c":1},{"c":2}]},"x-y":"z"}`)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"$": `{"a":{"b":[{"c":1},{"c":2}]},"x-y":"z"}`, "$.a.b[1].c": "2", "$['x-y']": `"z"`, "$.a.b[*].c": "[1,2]", "$.no.where": "null", "a.b[0]": `{"c":1}`,
	} {
		if got, err := Path(v, path); err != nil || JSON(got) != want {
			t.Errorf("%s: %s, %v, want %s", path, JSON(got), err, want)
		}
	}
	for _, path := range []string{"$..c", "$.a[?(@.c)]", "$x"} {
		if _, err := Path(v, path); err == nil {
			t.Errorf("%s is taken", path)
		}
	}
}

func FuzzVTL(f *testing.F) {
	f.Add(`#set($x = {"a": [1..3]})#foreach($i in $x.a)$i#if($foreach.hasNext),#end#end`, `{"a":1}`)
	f.Add(`$input.path('$.a') ${b.name.replaceAll("a","b")} #if($b == "x" || !$b)#{else}y#end`, `[1,"x",null]`)
	f.Fuzz(func(t *testing.T, template, body string) {
		tm, err := Parse(template)
		if err != nil {
			return
		}
		v, _ := ParseJSON(body)
		out, err := tm.Execute(map[string]any{"b": v, "input": NewMap()})
		if err == nil && len(out) > maxOutput {
			t.Errorf("%d bytes", len(out))
		}
	})
}
