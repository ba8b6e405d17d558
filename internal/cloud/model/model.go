package model

import "sync"

// Protocol is one of the forms in which AWS's APIs are spoken.
type Protocol uint8

// The protocols.
const (
	NoProtocol Protocol = iota
	JSON10
	JSON11
	Query
	RESTJSON
	RESTXML
	CBOR
)

// JSON reports whether p is one of the two RPC protocols in JSON.
func (p Protocol) JSON() bool { return p == JSON10 || p == JSON11 }

// REST reports whether the operation is told from method and path.
func (p Protocol) REST() bool { return p == RESTJSON || p == RESTXML }

// XML reports whether answers are XML.
func (p Protocol) XML() bool { return p == RESTXML || p == Query }

func (p Protocol) String() string {
	return [...]string{"none", "AWS JSON 1.0", "AWS JSON 1.1", "AWS Query", "REST-JSON", "REST-XML", "RPC-v2-CBOR"}[p]
}

// Info is what the index says of a service, without its table.
type Info struct {
	Name           string // evo's, and in most cases the signing, name
	ID             string // the SDK's, as "DynamoDB"
	SigningName    string // in a signature's scope; two services may share one
	EndpointPrefix string // before the region in AWS's host names
	TargetPrefix   string // in X-Amz-Target, before the operation
	Version        string // as Query clients send it
	XMLNamespace   string
	Protocols      []Protocol // that the service understands, the newest clients' first
}

// Speaks reports whether the service understands p.
func (i *Info) Speaks(p Protocol) bool {
	for _, q := range i.Protocols {
		if p == q {
			return true
		}
	}
	return false
}

// Service is one API.
type Service struct {
	Info
	Operations map[string]*Operation
	Shapes     map[string]*Shape // the named ones
}

// Operation is one call of an API.
type Operation struct {
	Name       string
	Method     string
	URI        string // labels in braces, a greedy one with a plus; literal query parameters after a question mark
	Status     int
	Input      *Shape // nil: none
	Output     *Shape // nil: none
	HostPrefix string // that clients put before the host's name
}

// Kind is a shape's kind.
type Kind uint8

// The kinds. Which Go number a Number is, only the SDK's types say.
const (
	String Kind = iota
	Number
	Boolean
	Blob
	Timestamp
	Document
	List
	Map
	Structure
	Union
)

// Shape is a type of the API.
type Shape struct {
	Name      string
	Kind      Kind
	Streaming bool      // a blob that is not held in memory, or a union of events
	Sparse    bool      // a list or map with null elements
	Members   []*Member // of a structure or union
	Key       *Member   // of a map
	Elem      *Member   // of a list, or a map's value
	XMLName   string
	Error     *Error // for an error's structure

	Constraint *Constraint // nil: none
}

// Member returns the member of that name, or nil.
func (s *Shape) Member(name string) *Member {
	for _, m := range s.Members {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Error says how an error is sent.
type Error struct {
	Status      int    // 0: by fault
	Server      bool   // the service's fault, not the client's
	QueryCode   string // the code in Query answers, where it differs from the shape's name
	QueryStatus int
}

// Constraint limits a value: a string's or blob's length, a list's or map's size, a number's value.
type Constraint struct {
	Min, Max       float64
	HasMin, HasMax bool
	Pattern        string // in Java's syntax, for the whole string
}

// TimestampFormat is how a moment is written.
type TimestampFormat uint8

// The formats; DefaultFormat is the protocol's, or the place's.
const (
	DefaultFormat TimestampFormat = iota
	ISO8601
	HTTPDate
	EpochSeconds
)

// Member is a structure's or collection's member.
type Member struct {
	Name   string
	Target *Shape

	Required         bool
	Label            bool // in the path
	Payload          bool // the whole body
	StatusCode       bool // the HTTP status
	QueryParams      bool // all query parameters that no other member has
	IdempotencyToken bool
	Sensitive        bool
	HostLabel        bool
	Flattened        bool // in XML and Query: no element around the list
	Attribute        bool // in XML
	EventPayload     bool

	Header       string
	PrefixHeader string // before the keys of a map; "*": none, so that all headers are meant
	Query        string
	JSONName     string
	XMLName      string
	XMLPrefix    string // and namespace, which the member's element declares
	XMLNamespace string
	Timestamp    TimestampFormat
}

// InBody reports whether an input's member travels in the body's document, rather than in the path, query or headers.
func (m *Member) InBody() bool {
	return m.InAnswer() && !m.Label && !m.QueryParams && m.Query == ""
}

// InAnswer is InBody for an output's member. Answers have no path or query: where the model puts a member of an output
// there (API Gateway's positions), it is in the document.
func (m *Member) InAnswer() bool {
	return !m.StatusCode && m.Header == "" && m.PrefixHeader == ""
}

// JSON returns the member's name in JSON.
func (m *Member) JSON() string {
	if m.JSONName != "" {
		return m.JSONName
	}
	return m.Name
}

// XML returns the member's name in XML and Query, without what flattening may change.
func (m *Member) XML() string {
	if m.XMLName != "" {
		return m.XMLName
	}
	return m.Name
}

type entry struct {
	Info
	table *string
}

// Services returns what is known of all services without loading any; callers must not change it.
func Services() []Info { return infos() }

var infos = sync.OnceValue(func() []Info {
	out := make([]Info, len(index))
	for i := range index {
		out[i] = index[i].Info
	}
	return out
})

var loaded sync.Map // service name → func() *Service

// Load returns the service's model, which it parses once, or nil if there is none of that name.
func Load(name string) *Service {
	if f, ok := loaded.Load(name); ok {
		return f.(func() *Service)()
	}
	for i := range index {
		if index[i].Name == name {
			f, _ := loaded.LoadOrStore(name, sync.OnceValue(func() *Service { return mustParse(index[i].Info, *index[i].table) }))
			return f.(func() *Service)()
		}
	}
	return nil
}
