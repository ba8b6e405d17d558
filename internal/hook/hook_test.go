package hook_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/google/go-cmp/cmp"

	"evo/internal/hook"
)

// judge answers as the test says, and notes what it is asked.
type judge struct {
	answer  *hook.Answer
	err     error
	hang    bool // until it is given up, and longer
	panics  bool
	back    bool
	backErr error
	asked   []hook.Question
	taken   []int // back
	given   *hook.Answer
}

func (j *judge) Judge(ctx context.Context, q hook.Question) (*hook.Answer, error) {
	j.asked = append(j.asked, q)
	if j.hang {
		<-ctx.Done()
		time.Sleep(time.Second) // it does not even look at its context at once
		return nil, ctx.Err()
	}
	if j.panics {
		panic("index out of range")
	}
	return j.answer, j.err
}

func (j *judge) TakenBack(_ context.Context, r hook.Release) error {
	j.taken = append(j.taken, r.Number)
	return errors.New("which keeps nobody from going back")
}

func (j *judge) Given(context.Context, hook.Release) *hook.Answer { return j.given }

func (j *judge) RollingBack(context.Context) (bool, error) { return j.back, j.backErr }

// caller takes requests in the place of a network, and answers each with what comes next; the last answer stays.
type caller struct {
	mu       sync.Mutex
	statuses []int // 0: never
	bodies   []string
	headers  []http.Header
}

func (c *caller) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	status := c.statuses[min(len(c.bodies), len(c.statuses)-1)]
	c.bodies, c.headers = append(c.bodies, string(body)), append(c.headers, r.Header)
	c.mu.Unlock()
	if status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// last is the answer that CloudFormation has in the end.
func (c *caller) last(t *testing.T) map[string]any {
	t.Helper()
	if len(c.bodies) == 0 {
		t.Fatal("there is no answer")
	}
	body := c.bodies[len(c.bodies)-1]
	if len(body) > 4096 {
		t.Errorf("the answer has %d bytes: CloudFormation takes 4096", len(body))
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

const properties = `{"ServiceToken": "arn", "Release": "3", "Name": "Encryption", "Digest": "d", "Bucket": "b", "Prefix": "evo/shop", "Suite": "s.yaml"}`

// gateEvent is an event of the release gate; old properties are those before an Update.
func gateEvent(kind, new, old string) json.RawMessage {
	physical := ""
	if kind != "Create" {
		physical = `"PhysicalResourceId": "release-gate",`
	}
	if old != "" {
		old = `"OldResourceProperties": ` + old + `,`
	}
	return json.RawMessage(`{"RequestType": "` + kind + `", "ResponseURL": "http://cloudformation/answer", "StackId": "arn:stack", "RequestId": "r1",
		"LogicalResourceId": "EvoReleaseGate", ` + physical + old + ` "ResourceProperties": ` + new + `}`)
}

func yes() *hook.Answer {
	return &hook.Answer{Proceed: true, Fitness: "81.20", Report: "s3://b/report.json", Lines: []string{"fine"}}
}

func no() *hook.Answer {
	return &hook.Answer{Fitness: "40.00", Report: "s3://b/report.json", Threshold: "39.5", Lines: []string{"security is below its floor", "biggest loss: Data"}}
}

func TestCloudFormation(t *testing.T) {
	at := func(release string) string { return strings.Replace(properties, `"3"`, `"`+release+`"`, 1) }
	for _, c := range []struct {
		name   string
		event  json.RawMessage
		judge  judge
		status string
		reason string // what it says
		asked  bool
	}{
		{"create, yes", gateEvent("Create", properties, ""), judge{answer: yes()}, "SUCCESS", "", true},
		{"create, no", gateEvent("Create", properties, ""), judge{answer: no()}, "FAILED", "v3 Encryption is less fit than it must be: security is below its floor; biggest loss: Data", true},
		{"no judgement", gateEvent("Create", properties, ""), judge{err: errors.New("access denied")}, "FAILED", "judge the release: access denied", true},
		{"crash", gateEvent("Create", properties, ""), judge{panics: true}, "FAILED", "the fitness hook failed: index out of range", true},
		{"update", gateEvent("Update", properties, at("2")), judge{answer: no()}, "FAILED", "less fit", true},
		{"update backwards", gateEvent("Update", at("2"), properties), judge{answer: no()}, "SUCCESS", "", false},
		{"update backwards from what cannot be read", gateEvent("Update", at("2"), at("x")), judge{answer: no(), back: true}, "SUCCESS", "", false},
		{"rollback", gateEvent("Update", properties, at("2")), judge{answer: no(), back: true}, "SUCCESS", "", false},
		{"nobody knows whether it is a rollback", gateEvent("Update", properties, at("2")), judge{answer: no(), backErr: errors.New("denied")}, "FAILED", "less fit", true},
		{"delete", gateEvent("Delete", properties, ""), judge{answer: no()}, "SUCCESS", "", false},
		{"delete what is malformed", gateEvent("Delete", `{"Release": [1]}`, ""), judge{answer: no()}, "SUCCESS", "", false},
		{"no number", gateEvent("Create", at("next"), ""), judge{answer: yes()}, "FAILED", `Release is "next"`, false},
		{"number zero", gateEvent("Create", at("0"), ""), judge{answer: yes()}, "FAILED", `Release is "0"`, false},
		{"a list for a string", gateEvent("Create", `{"Release": ["3"]}`, ""), judge{answer: yes()}, "FAILED", "read the release gate's properties", false},
		{"no object", gateEvent("Create", `"3"`, ""), judge{answer: yes()}, "FAILED", "read the release gate's properties", false},
		{"no properties", gateEvent("Create", `null`, ""), judge{answer: yes()}, "FAILED", `Release is ""`, false},
		{"a long reason", gateEvent("Create", properties, ""), judge{err: errors.New(strings.Repeat("ä", 5000))}, "FAILED", "ä...", true},
		{"a reason that grows when it is written", gateEvent("Create", properties, ""), judge{err: errors.New(strings.Repeat("\x01<&>\"\\\xff", 700))}, "FAILED", "...", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller := &caller{statuses: []int{200}}
			h := &hook.Hook{Judge: &c.judge, HTTP: &http.Client{Transport: caller}}
			if _, err := h.Handle(t.Context(), c.event); err != nil {
				t.Fatal(err)
			}
			answer := caller.last(t)
			reason, _ := answer["Reason"].(string)
			if answer["Status"] != c.status || !strings.Contains(reason, c.reason) || c.status == "SUCCESS" && reason != "" {
				t.Errorf("the answer is %v: %q", answer["Status"], reason)
			}
			if asked := len(c.judge.asked) > 0; asked != c.asked {
				t.Errorf("asked is %v", asked)
			}
			if took := len(c.judge.taken) == 1; took != (c.name == "update backwards") {
				t.Errorf("taken back: %v", c.judge.taken)
			}
			for field, want := range map[string]string{"StackId": "arn:stack", "RequestId": "r1", "LogicalResourceId": "EvoReleaseGate", "PhysicalResourceId": "release-gate"} {
				if answer[field] != want {
					t.Errorf("%s is %v", field, answer[field])
				}
			}
			if h := caller.headers[0]; h.Get("Content-Type") != "" {
				t.Errorf("a Content-Type, which the URL is not signed for: %v", h)
			}
		})
	}
}

func TestGateQuestionAndData(t *testing.T) {
	j := &judge{answer: no()}
	caller := &caller{statuses: []int{200}}
	h := &hook.Hook{Judge: j, HTTP: &http.Client{Transport: caller}}
	if _, err := h.Handle(t.Context(), gateEvent("Update", properties, "")); err != nil {
		t.Fatal(err)
	}
	want := []hook.Question{{Occasion: hook.Gate, Release: hook.Release{Number: 3, Name: "Encryption", Digest: "d", Bucket: "b", Prefix: "evo/shop", Suite: "s.yaml"}}}
	if diff := cmp.Diff(want, j.asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"Fitness": "40.00", "Report": "s3://b/report.json", "Threshold": "39.5"}, caller.last(t)["Data"]); diff != "" {
		t.Error(diff)
	}
}

// TestAttributesOfARollback: the alarm needs the threshold of the release that the stack goes back to, or at least one.
func TestAttributesOfARollback(t *testing.T) {
	for _, c := range []struct {
		name  string
		old   string
		judge judge
		want  map[string]any
	}{
		{"an earlier release", strings.Replace(properties, `"3"`, `"4"`, 1), judge{given: no()}, map[string]any{"Fitness": "40.00", "Report": "s3://b/report.json", "Threshold": "39.5"}},
		{"the same", properties, judge{given: no(), back: true}, map[string]any{"Fitness": "40.00", "Report": "s3://b/report.json", "Threshold": "39.5"}},
		{"one that nobody remembers", strings.Replace(properties, `"3"`, `"4"`, 1), judge{}, map[string]any{"Fitness": "", "Report": "", "Threshold": "0"}},
	} {
		caller := &caller{statuses: []int{200}}
		h := &hook.Hook{Judge: &c.judge, HTTP: &http.Client{Transport: caller}}
		if _, err := h.Handle(t.Context(), gateEvent("Update", properties, c.old)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, caller.last(t)["Data"]); diff != "" || caller.last(t)["Status"] != "SUCCESS" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestAnswerIsRepeated is about a response URL that fails, hangs and then takes the answer, or never does.
func TestAnswerIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller := &caller{statuses: []int{500, 0, 403, 200}}
		h := &hook.Hook{Judge: &judge{answer: yes()}, HTTP: &http.Client{Transport: caller, Timeout: 4 * time.Second}, Margin: 15 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if _, err := h.Handle(ctx, gateEvent("Create", properties, "")); err != nil {
			t.Fatal(err)
		}
		if len(caller.bodies) != 4 || caller.last(t)["Status"] != "SUCCESS" {
			t.Errorf("%d requests: %v", len(caller.bodies), caller.bodies)
		}
		caller.statuses = []int{500}
		_, err := h.Handle(ctx, gateEvent("Create", properties, ""))
		if err == nil || !strings.Contains(err.Error(), "answer CloudFormation") {
			t.Errorf("the error is %v", err)
		}
	})
}

// TestJudgeHangs has everything that the hook depends on hang, for as long as the function may run.
func TestJudgeHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller := &caller{statuses: []int{200}}
		h := &hook.Hook{Judge: &judge{hang: true}, HTTP: &http.Client{Transport: caller}, Margin: 15 * time.Second}
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if _, err := h.Handle(ctx, gateEvent("Create", properties, "")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 105*time.Second {
			t.Errorf("answered after %v", took)
		}
		reason, _ := caller.last(t)["Reason"].(string)
		if !strings.Contains(reason, "before there was a verdict") {
			t.Errorf("the reason is %q", reason)
		}
		time.Sleep(2 * time.Second) // the judge ends as well
	})
}

// TestCodeDeployHangs is about a CodeDeploy that does not tell what is deployed: it is answered all the same.
func TestCodeDeployHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answered string
		client := codedeploy.NewFromConfig(aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
			Retryer: func() aws.Retryer { return aws.NopRetryer{} },
			HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "ListDeploymentTargets") {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				body, err := io.ReadAll(r.Body)
				answered = string(body)
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, err
			})})
		h := &hook.Hook{Judge: &judge{answer: yes()}, CodeDeploy: client, Margin: 15 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if _, err := h.Handle(ctx, json.RawMessage(`{"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}`)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(answered, `"Failed"`) {
			t.Errorf("CodeDeploy is told %s", answered)
		}
	})
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// fakeCodeDeploy says that a deployment of a function is at an event, and keeps what it is told.
func fakeCodeDeploy(t *testing.T, target string, told *string) *codedeploy.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch operation := r.Header.Get("X-Amz-Target"); {
		case strings.HasSuffix(operation, "ListDeploymentTargets") && target == "":
			_, _ = io.WriteString(w, `{"targetIds": []}`)
		case strings.HasSuffix(operation, "ListDeploymentTargets"):
			_, _ = io.WriteString(w, `{"targetIds": ["t-1"]}`)
		case strings.HasSuffix(operation, "GetDeploymentTarget"):
			_, _ = io.WriteString(w, target)
		default:
			*told = string(body)
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	t.Cleanup(server.Close)
	return codedeploy.NewFromConfig(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
}

func TestCodeDeploy(t *testing.T) {
	at := func(before, after string) string {
		return `{"deploymentTarget": {"deploymentTargetType": "LambdaFunction", "lambdaTarget": {"lifecycleEvents": [
			{"lifecycleEventName": "BeforeAllowTraffic", "status": "` + before + `"}, {"lifecycleEventName": "AllowTraffic", "status": "Succeeded"},
			{"lifecycleEventName": "AfterAllowTraffic", "status": "` + after + `"}]}}}`
	}
	for _, c := range []struct {
		name, target string
		judge        judge
		occasion     hook.Occasion
		status       string
	}{
		{"before", at("InProgress", "Pending"), judge{answer: yes()}, hook.PreTraffic, "Succeeded"},
		{"after", at("Succeeded", "InProgress"), judge{answer: yes()}, hook.PostTraffic, "Succeeded"},
		{"refused", at("InProgress", "Pending"), judge{answer: no()}, hook.PreTraffic, "Failed"},
		{"no reason", at("InProgress", "Pending"), judge{answer: &hook.Answer{}}, hook.PreTraffic, "Failed"},
		{"no judgement", at("InProgress", "Pending"), judge{err: errors.New("denied")}, hook.PreTraffic, "Failed"},
		{"no target", "", judge{answer: yes()}, hook.PreTraffic, "Succeeded"},
		{"rollback", at("InProgress", "Pending"), judge{answer: no(), back: true}, "", "Succeeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told string
			h := &hook.Hook{Judge: &c.judge, CodeDeploy: fakeCodeDeploy(t, c.target, &told), Release: hook.Release{Number: 4}}
			if _, err := h.Handle(t.Context(), json.RawMessage(`{"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}`)); err != nil {
				t.Fatal(err)
			}
			var answer struct{ DeploymentID, LifecycleEventHookExecutionID, Status string }
			if err := json.Unmarshal([]byte(told), &answer); err != nil {
				t.Fatal(err)
			}
			if answer.DeploymentID != "d-1" || answer.LifecycleEventHookExecutionID != "e-1" || answer.Status != c.status {
				t.Errorf("CodeDeploy is told %s", told)
			}
			var want []hook.Question
			if c.occasion != "" {
				want = []hook.Question{{Occasion: c.occasion, Release: hook.Release{Number: 4}, Deployment: "d-1"}}
			}
			if diff := cmp.Diff(want, c.judge.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDirectInvoke(t *testing.T) {
	j := &judge{answer: no()}
	h := &hook.Hook{Judge: j}
	got, err := h.Handle(t.Context(), json.RawMessage(`{}`))
	if err != nil || got != any(j.answer) {
		t.Errorf("%v, %v", got, err)
	}
	if diff := cmp.Diff([]hook.Question{{Occasion: hook.OnRequest}}, j.asked); diff != "" {
		t.Error(diff)
	}
	if _, err := h.Handle(t.Context(), json.RawMessage(`[]`)); err == nil || !strings.Contains(err.Error(), "read the event") {
		t.Errorf("the error is %v", err)
	}
}

// TestSchedule: what is measured once a day is no release, and its caller reads no answer. An error has Lambda try again.
func TestSchedule(t *testing.T) {
	const due = `{"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "1", "time": "2030-01-01T00:00:00Z",
		"region": "eu-west-1", "resources": ["arn:aws:events:eu-west-1:1:rule/r"], "detail": {}}`
	j := &judge{answer: no()}
	h := &hook.Hook{Judge: j, Release: hook.Release{Number: 4}}
	if got, err := h.Handle(t.Context(), json.RawMessage(due)); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	if diff := cmp.Diff([]hook.Question{{Occasion: hook.Scheduled}}, j.asked); diff != "" {
		t.Error(diff)
	}
	h.Judge = &judge{err: errors.New("access denied")}
	if _, err := h.Handle(t.Context(), json.RawMessage(due)); err == nil || !strings.Contains(err.Error(), "access denied") {
		t.Errorf("the error is %v", err)
	}
}
