package lambda

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestNames(t *testing.T) {
	s := &Service{cfg: Config{Region: "us-east-1"}}
	tests := []struct {
		text, qualifier string
		want            name
	}{
		{"fn", "", name{"fn", ""}},
		{"fn", "live", name{"fn", "live"}},
		{"fn:live", "", name{"fn", "live"}},
		{"fn:live", "live", name{"fn", "live"}},
		{"fn:$LATEST", "", name{"fn", "$LATEST"}},
		{"000000000000:function:fn", "", name{"fn", ""}},
		{"000000000000:function:fn:7", "", name{"fn", "7"}},
		{"us-east-1:000000000000:function:fn", "", name{"fn", ""}},
		{"function:fn", "", name{"fn", ""}},
		{arnPrefix + "fn", "", name{"fn", ""}},
		{arnPrefix + "fn:live", "", name{"fn", "live"}},
	}
	for _, tt := range tests {
		if got, err := s.parse(&tt.text, aws.String(tt.qualifier)); err != nil || got != tt.want {
			t.Errorf("%s, %s: got %+v, %v", tt.text, tt.qualifier, got, err)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"fn", "fn:live", arnPrefix + "fn:1", "arn:", "::::::", "arn:aws:lambda:us-east-1:000000000000:layer:x:1"} {
		f.Add(seed)
	}
	s := &Service{cfg: Config{Region: "us-east-1"}}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := s.parse(&text, nil)
		if err == nil && strings.ContainsAny(n.function+n.qualifier, ":") {
			t.Errorf("%q: %+v", text, n)
		}
	})
}
