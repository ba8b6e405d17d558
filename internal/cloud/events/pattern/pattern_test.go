package pattern

import "testing"

func TestMatch(t *testing.T) {
	const event = `{"source":"shop","detail-type":"Order Placed","time":"2026-01-01T00:00:00Z","resources":["arn:1","arn:2"],"account":"000000000000",
		"detail":{"state":"placed","total":12.50,"big":3.0e2,"paid":true,"coupon":null,"empty":[],"ip":"10.0.0.7","file":"a*b/c.png",
		"customer":{"name":"Ada"},"items":[{"sku":"x","n":1},{"sku":"y","n":2}],"nested":[[1,[2]],3]}}`
	for pattern, want := range map[string]bool{
		`{"source":["shop"]}`:                                                       true,
		`{"source":["other","shop"]}`:                                               true,
		`{"source":["Shop"]}`:                                                       false,
		`{"source":["shop"],"account":["1"]}`:                                       false,
		`{"resources":["arn:2"]}`:                                                   true,
		`{"detail":{"state":["placed"],"paid":[true]}}`:                             true,
		`{"detail":{"paid":["true"]}}`:                                              false,
		`{"detail":{"coupon":[null]}}`:                                              true,
		`{"detail":{"state":[null]}}`:                                               false,
		`{"detail":{"total":[12.5]}}`:                                               true,
		`{"detail":{"big":[300]}}`:                                                  true,
		`{"detail":{"nested":[2]}}`:                                                 true,
		`{"detail":{"customer":{"name":["Ada"]}}}`:                                  true,
		`{"detail":{"customer":["Ada"]}}`:                                           false,
		`{"detail":{"items":{"sku":["y"],"n":[2]}}}`:                                true,
		`{"detail":{"items":{"sku":["x"],"n":[2]}}}`:                                false, // of one element
		`{"detail":{"state":[{"prefix":"pl"}]}}`:                                    true,
		`{"detail":{"state":[{"prefix":"PL"}]}}`:                                    false,
		`{"detail":{"state":[{"prefix":{"equals-ignore-case":"PL"}}]}}`:             true,
		`{"detail":{"file":[{"suffix":".png"}]}}`:                                   true,
		`{"detail":{"file":[{"suffix":{"equals-ignore-case":".PNG"}}]}}`:            true,
		`{"detail":{"state":[{"equals-ignore-case":"PLACED"}]}}`:                    true,
		`{"detail":{"state":[{"anything-but":"placed"}]}}`:                          false,
		`{"detail":{"state":[{"anything-but":["new","gone"]}]}}`:                    true,
		`{"detail":{"total":[{"anything-but":[12.5,1]}]}}`:                          false,
		`{"detail":{"state":[{"anything-but":{"prefix":"pl"}}]}}`:                   false,
		`{"detail":{"state":[{"anything-but":{"prefix":["x","y"]}}]}}`:              true,
		`{"detail":{"file":[{"anything-but":{"suffix":[".jpg",".png"]}}]}}`:         false,
		`{"detail":{"state":[{"anything-but":{"equals-ignore-case":["PLACED"]}}]}}`: false,
		`{"detail":{"file":[{"anything-but":{"wildcard":"*/lib/*"}}]}}`:             true,
		`{"detail":{"gone":[{"anything-but":"x"}]}}`:                                false,
		`{"detail":{"total":[{"numeric":[">",10,"<=",12.5]}]}}`:                     true,
		`{"detail":{"total":[{"numeric":["<",12.5]}]}}`:                             false,
		`{"detail":{"total":[{"numeric":["=",12.5]}]}}`:                             true,
		`{"detail":{"state":[{"numeric":[">",0]}]}}`:                                false,
		`{"detail":{"state":[{"exists":true}]}}`:                                    true,
		`{"detail":{"gone":[{"exists":true}]}}`:                                     false,
		`{"detail":{"gone":[{"exists":false}]}}`:                                    true,
		`{"detail":{"coupon":[{"exists":true}]}}`:                                   true,
		`{"detail":{"empty":[{"exists":true}]}}`:                                    false,
		`{"other":{"gone":[{"exists":false}]}}`:                                     true,
		`{"detail":{"gone":[{"exists":false},"x"],"state":["placed"]}}`:             true,
		`{"detail":{"ip":[{"cidr":"10.0.0.0/24"}]}}`:                                true,
		`{"detail":{"ip":[{"cidr":"10.0.1.0/24"}]}}`:                                false,
		`{"detail":{"state":[{"cidr":"::/0"}]}}`:                                    false,
		`{"detail":{"file":[{"wildcard":"a*/*.png"}]}}`:                             true,
		`{"detail":{"file":[{"wildcard":"a\\**.png"}]}}`:                            true,
		`{"detail":{"file":[{"wildcard":"a\\*.png"}]}}`:                             false,
		`{"detail":{"file":[{"wildcard":"*"}]}}`:                                    true,
		`{"detail":{"file":[{"wildcard":"*.png*g"}]}}`:                              false, // no letter twice
		`{"$or":[{"source":["x"]},{"detail":{"total":[{"numeric":[">",1]}]}}]}`:     true,
		`{"$or":[{"source":["x"]},{"source":["y"]}]}`:                               false,
		`{"detail":{"state":["placed"],"$or":[{"paid":[false]},{"total":[12.5]}]}}`: true,
		`{"detail":{"state":["x"],"$or":[{"paid":[true]},{"total":[12.5]}]}}`:       false,
	} {
		p, err := Parse(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
		} else if got := p.Match([]byte(event)); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, pattern := range []string{
		``, `[]`, `"x"`, `{}`, `{"source":"shop"}`, `{"source":[]}`, `{"source":{}}`, `{"source":[["x"]]}`, `{"source":1}`, `{"source":["x"]} {}`, `{"source":["x"]`,
		`{"a":[{}]}`, `{"a":[{"prefix":"x","suffix":"y"}]}`, `{"a":[{"like":"x"}]}`, `{"a":[{"prefix":1}]}`, `{"a":[{"prefix":{"wildcard":"x"}}]}`, `{"a":[{"suffix":["x"]}]}`,
		`{"a":[{"equals-ignore-case":{"equals-ignore-case":"x"}}]}`, `{"a":[{"numeric":[]}]}`, `{"a":[{"numeric":["~",1]}]}`, `{"a":[{"numeric":[">","1"]}]}`,
		`{"a":[{"numeric":["<",1,">",5]}]}`, `{"a":[{"numeric":[">",5,"<",1]}]}`, `{"a":[{"numeric":[">",6e9]}]}`, `{"a":[6000000000]}`, `{"a":[{"exists":"yes"}]}`, `{"a":[{"cidr":"10.0.0.0"}]}`,
		`{"a":[{"cidr":1}]}`, `{"a":[{"wildcard":"a**b"}]}`, `{"a":[{"wildcard":"a\\b"}]}`, `{"a":[{"wildcard":1}]}`, `{"a":[{"anything-but":[]}]}`, `{"a":[{"anything-but":{"numeric":["=",1]}}]}`,
		`{"a":[{"anything-but":{"prefix":[1]}}]}`, `{"a":[{"anything-but":null}]}`, `{"$or":[{"a":["x"]},{"b":[]}]}`, `{"$or":[{"a":["x"]}]}`,
	} {
		if _, err := Parse(pattern); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(`{"a":[{"wildcard":"x*y"},{"numeric":[">",1]}],"$or":[{"b":["1"]},{"c":{"d":[{"exists":false}]}}]}`, `{"a":["xzy",2],"b":[1]}`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		if p, err := Parse(pattern); err == nil {
			p.Match([]byte(event))
		}
	})
}
