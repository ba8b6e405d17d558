package main

// api2 is what we read of the older SDK's model format.
type api2 struct {
	Metadata   metadata
	Operations map[string]struct {
		HTTP struct {
			Method, RequestURI string
			ResponseCode       int
		}
		Input, Output *ref
	}
	Shapes map[string]*shape
}

type metadata struct {
	APIVersion     string `json:"apiVersion"`
	EndpointPrefix string `json:"endpointPrefix"`
	ServiceID      string `json:"serviceId"`
	SigningName    string `json:"signingName"`
	TargetPrefix   string `json:"targetPrefix"`
	XMLNamespace   any    `json:"xmlNamespace"` // a string, or an object with the uri
}

func (m metadata) namespace() string {
	switch v := m.XMLNamespace.(type) {
	case string:
		return v
	case map[string]any:
		s, _ := v["uri"].(string)
		return s
	}
	return unpublished[m.ServiceID]
}

// unpublished are the namespaces of services that write XML, and whose models do not say so.
var unpublished = map[string]string{
	"S3":  "http://s3.amazonaws.com/doc/2006-03-01/",
	"SQS": "http://queue.amazonaws.com/doc/2012-11-05/",
}

type ref struct{ Shape, Location, LocationName string }

type shape struct {
	Type       string
	Members    map[string]*ref
	Member     *ref
	Key, Value *ref
	Required   []string
	Min, Max   *float64
	Pattern    string
	Sensitive  bool
	Exception  bool
	Error      struct {
		HTTPStatusCode int `json:"httpStatusCode"`
	}
}

func (a *api2) shape(name string) *shape {
	if s, ok := a.Shapes[name]; ok {
		return s
	}
	return &shape{}
}

// correct brings up to date what the older models say, where AWS has since allowed more.
func (a *api2) correct() {
	// A global secondary index has up to four partition and four sort keys; of a table's own schema the service makes sure.
	if s := a.Shapes["KeySchema"]; s != nil && s.Member.name() == "KeySchemaElement" {
		eight := 8.0
		s.Max = &eight
	}
}

func (s *shape) constrained() bool {
	return s.Min != nil || s.Max != nil || s.Pattern != ""
}

func (r *ref) name() string {
	if r == nil {
		return ""
	}
	return r.Shape
}
