package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"evo/internal/cloud/call"
	"evo/internal/cloud/model"
	"evo/internal/cloud/wire/sigv4"
)

// A target is the operation that a request asks for, and the form in which it does.
type target struct {
	service  *model.Service
	op       *model.Operation
	protocol model.Protocol
	labels   map[string]string // of the path
	form     url.Values        // of a Query request
	query    url.Values        // of the URL, for REST
}

// route fills the exchange's target and region, in the order in which a request's parts are sure to tell: the name of an RPC
// operation; the signature's scope with the path; the host; the path alone. S3, whose paths may be anything, comes last.
func (x *exchange) route() error {
	x.region = x.requestRegion()
	if !isName(x.region) {
		return &sigv4.Error{Status: http.StatusForbidden, Code: "SignatureDoesNotMatch", Message: "Credential should be scoped to a valid region."}
	}
	h := x.r.Header
	if h.Get("Smithy-Protocol") != "" {
		return x.routeSmithy(h.Get("Smithy-Protocol"))
	}
	if t := h.Get("X-Amz-Target"); t != "" {
		return x.routeTarget(t)
	}
	if err := x.routeAction(); x.target.op != nil || err != nil {
		return err
	}
	return x.routePath()
}

func (x *exchange) requestRegion() string {
	if x.auth != nil && x.auth.Region != "" && x.auth.Region != "*" {
		return x.auth.Region
	}
	if host := hostname(x.r); strings.HasSuffix(host, ".amazonaws.com") {
		for part := range strings.SplitSeq(host, ".") {
			if isRegion(part) {
				return part
			}
		}
	}
	return call.DefaultRegion
}

// isName reports whether s can be the name of a region: AWS's, or one that a client was configured with for a local service.
func isName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 32
}

// isRegion tells names like us-east-1 and us-gov-west-1 from other parts of a host.
func isRegion(s string) bool {
	n := len(s)
	return n >= 9 && s[2] == '-' && s[n-2] == '-' && s[n-1] >= '1' && s[n-1] <= '9' && strings.Count(s, "-") >= 2 && s[0] >= 'a' && s[0] <= 'z'
}

func (x *exchange) set(service string, protocol model.Protocol, op string) error {
	s := model.Load(service)
	x.target.service, x.target.protocol = s, protocol
	o, ok := s.Operations[op]
	if !ok {
		return unknownOperation(s, op)
	}
	x.target.op = o
	return nil
}

// routeSmithy finds an RPC-v2 operation: POST /service/{Service}/operation/{Operation}.
func (x *exchange) routeSmithy(protocol string) error {
	parts := strings.Split(x.r.URL.Path, "/")
	n := len(parts)
	if n < 5 || parts[n-4] != "service" || parts[n-2] != "operation" {
		return call.Errorf("UnknownOperationException", "the path %s names no operation of the Smithy RPC protocol", x.r.URL.Path)
	}
	service, op := parts[n-3], parts[n-1]
	for _, i := range model.Services() {
		if i.TargetPrefix == service && i.Speaks(model.CBOR) {
			if err := x.set(i.Name, model.CBOR, op); err != nil {
				return err
			}
			if protocol != "rpc-v2-cbor" {
				return call.Errorf("UnknownOperationException", "evo does not speak the Smithy protocol %s", protocol)
			}
			return nil
		}
	}
	return x.foreignService(service, op)
}

// routeTarget finds a JSON operation from X-Amz-Target: Prefix.Operation.
func (x *exchange) routeTarget(t string) error {
	dot := strings.LastIndexByte(t, '.')
	if dot < 0 {
		return x.foreignService(t, "")
	}
	prefix, op := t[:dot], t[dot+1:]
	for _, i := range model.Services() {
		if i.TargetPrefix != prefix {
			continue
		}
		protocol := model.JSON10
		if !i.Speaks(model.JSON10) || strings.Contains(x.r.Header.Get("Content-Type"), "1.1") {
			protocol = model.JSON11
		}
		if i.Speaks(model.JSON10) || i.Speaks(model.JSON11) {
			return x.set(i.Name, protocol, op)
		}
	}
	return x.foreignService(prefix, op)
}

// foreignService answers for a service that evo has not even a model of.
func (x *exchange) foreignService(name, op string) error {
	if x.target.protocol == model.NoProtocol {
		x.target.protocol = model.JSON11
	}
	return &call.Error{Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: fmt.Sprintf("evo's cloud has no service %s (asked for its operation %q)", name, op)}
}

// routeAction finds a Query operation from Action, in the form or in the URL. It leaves the target empty for what is no Query
// request.
func (x *exchange) routeAction() error {
	form, err := x.queryForm()
	if err != nil || form == nil {
		return err
	}
	action, version := form.Get("Action"), form.Get("Version")
	signed := ""
	if x.auth != nil {
		signed = x.auth.Service
	}
	name := ""
	for _, i := range model.Services() {
		switch {
		case !i.Speaks(model.Query):
		case signed != "" && i.SigningName == signed:
			name = i.Name
		case signed == "" && i.Version == version && name == "":
			name = i.Name
		}
	}
	if name == "" {
		x.target.protocol = model.Query
		return x.foreignService(orElse(signed, "of version "+version), action)
	}
	x.target.form = form
	return x.set(name, model.Query, action)
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// queryForm returns the parameters of a Query request, nil for another.
func (x *exchange) queryForm() (url.Values, error) {
	q := x.r.URL.RawQuery
	isForm := strings.HasPrefix(x.r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	if x.r.Method == http.MethodPost && isForm && x.r.URL.Path == "/" {
		buf, err := x.peekBody()
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(buf))
		if err != nil {
			return nil, call.Errorf("MalformedQueryString", "The query string contains a syntax error")
		}
		if form.Get("Action") != "" {
			return form, nil
		}
	}
	if strings.Contains(q, "Action=") && x.r.URL.Path == "/" {
		if form, err := url.ParseQuery(q); err == nil && form.Get("Action") != "" {
			return form, nil
		}
	}
	return nil, nil
}

// peekBody reads the body and puts it back.
func (x *exchange) peekBody() ([]byte, error) {
	buf, err := x.body()
	if err != nil {
		return nil, err
	}
	data := bytes.Clone(buf.Bytes())
	release(buf)
	x.r.Body = io.NopCloser(bytes.NewReader(data))
	return data, nil
}

// routePath finds a REST operation.
func (x *exchange) routePath() error {
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		query = x.r.URL.Query() // what of it can be read, as AWS does
	}
	x.target.query = query
	if x.auth != nil && x.auth.Service != "s3" && x.auth.Service != "s3express" {
		return x.routeSigned(x.auth.Service)
	}
	if x.auth == nil {
		if service := serviceOfHost(hostname(x.r)); service != "" && service != "s3" {
			return x.routeSigned(service)
		} else if service == "" && x.routeByPath() {
			return nil
		}
	}
	return x.routeS3()
}

// routeSigned finds the operation in the services of a signing name; API Gateway's two share one.
func (x *exchange) routeSigned(name string) error {
	var last *model.Info
	for _, i := range model.Services() {
		if i.SigningName != name {
			continue
		}
		last = &i
		if !i.Speaks(model.RESTJSON) && !i.Speaks(model.RESTXML) {
			continue
		}
		if x.matchService(i.Name) {
			return nil
		}
	}
	if last == nil {
		x.target.protocol = model.RESTJSON
		return x.foreignService(name, x.r.Method+" "+x.r.URL.Path)
	}
	x.target.service, x.target.protocol = model.Load(last.Name), last.Protocols[0]
	return unknownOperation(x.target.service, x.r.Method+" "+x.r.URL.Path)
}

// routeByPath finds the operation of an unsigned request from its path alone.
func (x *exchange) routeByPath() bool {
	for _, i := range model.Services() {
		if i.Speaks(model.RESTJSON) && x.matchService(i.Name) {
			return true
		}
	}
	return false
}

func (x *exchange) matchService(name string) bool {
	op, labels := x.h.router.match(name, x.r.Method, x.r.URL.EscapedPath(), x.target.query)
	if op == nil {
		return false
	}
	x.target.service = model.Load(name)
	x.target.protocol = x.target.service.Protocols[0]
	x.target.op, x.target.labels = op, labels
	return true
}

// serviceOfHost returns the signing name that a host name of AWS's form tells, or "".
func serviceOfHost(host string) string {
	name, ok := strings.CutSuffix(host, ".amazonaws.com")
	if !ok {
		return ""
	}
	parts := strings.Split(name, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		if isRegion(parts[i]) || parts[i] == "dualstack" {
			continue
		}
		for _, s := range model.Services() {
			if s.EndpointPrefix == parts[i] {
				return s.SigningName
			}
		}
		return parts[i]
	}
	return ""
}

// A router matches methods and paths with the operations of REST services; it compiles each service's when first asked.
type router struct {
	tables sync.Map // service name → *restTable
}

type restTable struct {
	byMethod map[string][]restRoute
}

// A restRoute is an operation's method and path.
type restRoute struct {
	op       *model.Operation
	segments []segment
	literals int
	query    url.Values // that must be there
}

type segment struct {
	text   string // literal, or the label's name
	label  bool
	greedy bool
}

func (rt *router) table(service string) *restTable {
	if t, ok := rt.tables.Load(service); ok {
		return t.(*restTable)
	}
	t := &restTable{byMethod: map[string][]restRoute{}}
	for _, op := range model.Load(service).Operations {
		t.byMethod[op.Method] = append(t.byMethod[op.Method], newRoute(op))
	}
	actual, _ := rt.tables.LoadOrStore(service, t)
	return actual.(*restTable)
}

func newRoute(op *model.Operation) restRoute {
	path, query, _ := strings.Cut(op.URI, "?")
	r := restRoute{op: op}
	r.query, _ = url.ParseQuery(query)
	r.query.Del("x-id")
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		s := segment{text: part}
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			s.text, s.label = part[1:len(part)-1], true
			s.text, s.greedy = strings.CutSuffix(s.text, "+")
		} else {
			r.literals++
		}
		r.segments = append(r.segments, s)
	}
	return r
}

// match returns the operation that fits best, which is the one with most literal parts, and the labels of its path.
func (rt *router) match(service, method, path string, query url.Values) (*model.Operation, map[string]string) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
	var best *restRoute
	routes := rt.table(service).byMethod[method]
	for i := range routes {
		r := &routes[i]
		if r.fits(parts, query) && (best == nil || r.score() > best.score()) {
			best = r
		}
	}
	if best == nil {
		return nil, nil
	}
	return best.op, best.labels(parts)
}

func (r *restRoute) score() int { return 2*r.literals + len(r.query) }

func (r *restRoute) fits(parts []string, query url.Values) bool {
	for i, s := range r.segments {
		if i >= len(parts) {
			return false
		}
		if s.greedy {
			return len(parts)-i >= len(r.segments)-i && suffixFits(r.segments[i+1:], parts) && hasQuery(r.query, query)
		}
		if !s.label && s.text != parts[i] {
			return false
		}
	}
	return len(parts) == len(r.segments) && hasQuery(r.query, query)
}

func suffixFits(segments []segment, parts []string) bool {
	for i, s := range segments {
		if !s.label && s.text != parts[len(parts)-len(segments)+i] {
			return false
		}
	}
	return true
}

// hasQuery reports whether the literal parameters of a URI are all there; one without a value may have any.
func hasQuery(want, have url.Values) bool {
	for k, v := range want {
		got, ok := have[k]
		if !ok || v[0] != "" && got[0] != v[0] {
			return false
		}
	}
	return true
}

func (r *restRoute) labels(parts []string) map[string]string {
	out := map[string]string{}
	for i, s := range r.segments {
		switch {
		case s.greedy:
			rest := len(r.segments) - i - 1
			out[s.text] = unescape(strings.Join(parts[i:len(parts)-rest], "/"))
			for j, t := range r.segments[i+1:] {
				if t.label {
					out[t.text] = unescape(parts[len(parts)-rest+j])
				}
			}
			return out
		case s.label:
			out[s.text] = unescape(parts[i])
		}
	}
	return out
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
