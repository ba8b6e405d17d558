package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newTestOutput() (*output, *[]string) {
	var got []string
	o := newOutput(time.Now, func(events []Event) {
		for _, e := range events {
			got = append(got, e.Message)
		}
	})
	return o, &got
}

func TestOutputMakesEventsOfLines(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string
		want   string
	}{
		{"lines", []string{"a\nb\n"}, `["a\n" "b\n"]`},
		{"in pieces", []string{"a", "b\nc", "\n"}, `["ab\n" "c\n"]`},
		{"no end", []string{"a\nb"}, `["a\n" "b"]`},
		{"empty line", []string{"\n\n"}, `["\n" "\n"]`},
		{"one event of lines", []string{"a\x00\nb\x00", "\nc\n"}, `["a\nb\nc\n"]`},
		{"carriage return", []string{"another\rline\n"}, `["another\rline\n"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, got := newTestOutput()
			for _, p := range tt.pieces {
				o.write([]byte(p))
			}
			o.finish()
			if s := fmt.Sprintf("%q", *got); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

// However the bytes come, they come out as they are, in events that are not too long.
func TestOutputKeepsEveryByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, got := newTestOutput()
		var printed strings.Builder
		for range rapid.IntRange(0, 6).Draw(t, "pieces") {
			p := rapid.StringMatching(`[a-c\n]{0,9}`).Draw(t, "piece")
			p = strings.Repeat(p, rapid.SampledFrom([]int{1, 1, 1, 1, 40_000}).Draw(t, "times"))
			printed.WriteString(p)
			o.write([]byte(p))
		}
		o.finish()
		all := printed.String()
		if len(all) > maxOutput {
			return
		}
		if strings.Join(*got, "") != all {
			t.Fatalf("%d bytes printed, %d kept", len(all), len(strings.Join(*got, "")))
		}
		for _, m := range *got {
			if len(m) > maxLine {
				t.Fatalf("an event of %d bytes", len(m))
			}
		}
	})
}
