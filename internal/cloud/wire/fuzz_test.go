package wire

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzHandler sends requests of every kind to a cloud that has no service: each must be answered, with an error that says
// something.
func FuzzHandler(f *testing.F) {
	f.Add("POST", "/", "DynamoDB_20120810.PutItem", "application/x-amz-json-1.0", `{"TableName":1}`)
	f.Add("POST", "/", "", "application/x-www-form-urlencoded", "Action=CreateStack&Version=2010-05-15&Tags.member.1=x")
	f.Add("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "", "application/cbor", "\xbf\xff")
	f.Add("PUT", "/bucket/key%2F?partNumber=x&uploadId=%zz", "", "", "body")
	f.Add("GET", "/2015-03-31/functions/%00/invocations/?Qualifier=1&Qualifier=2", "", "", "")
	f.Add("OPTIONS", "//", "", "", "")
	h, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, amzTarget, contentType, body string) {
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		u, err := r.URL.Parse(target)
		if err != nil || u.Host != "" {
			return
		}
		r.Method, r.URL, r.Host, r.RemoteAddr = method, u, "localhost", "127.0.0.1:1"
		r.Header.Set("X-Amz-Target", amzTarget)
		r.Header.Set("Content-Type", contentType)
		if strings.Contains(contentType, "cbor") {
			r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 400 || w.Code > 599 || w.Body.Len() == 0 && method != "HEAD" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}
