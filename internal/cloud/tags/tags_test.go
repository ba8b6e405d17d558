package tags

import (
	"maps"
	"testing"
)

func TestChangeLeavesTheOldSetAlone(t *testing.T) {
	old := map[string]string{"a": "1", "b": "2"}
	for name, c := range map[string]struct {
		change Change
		old    map[string]string
		want   map[string]string
	}{
		"add":             {Add(map[string]string{"b": "3", "c": "4"}), old, map[string]string{"a": "1", "b": "3", "c": "4"}},
		"remove":          {Remove([]string{"a", "x"}), old, map[string]string{"b": "2"}},
		"add to none":     {Add(map[string]string{"a": "1"}), nil, map[string]string{"a": "1"}},
		"remove the last": {Remove([]string{"a"}), map[string]string{"a": "1"}, map[string]string{}},
	} {
		if got := c.change.To(c.old); got == nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if !maps.Equal(old, map[string]string{"a": "1", "b": "2"}) {
		t.Errorf("the old set became %v", old)
	}
}
