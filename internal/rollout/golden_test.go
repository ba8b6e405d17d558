package rollout

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestGolden runs the scenarios of testdata: each paragraph is a command, a line of dashes, and what it shows.
//
//	deployment TYPE PERCENT MINUTES [before=HOOK] [after=HOOK] [alarms=A,B] [ignore] [rollback]
//	+DURATION [FACT …]     time goes on, and something is observed
//	undo                   go on with the deployment that rolls this one back
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no scenarios")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(text) {
				t.Errorf("%s differs; what came:\n%s", file, got)
			}
		})
	}
}

func run(t *testing.T, text string) string {
	var out strings.Builder
	sc := &scenario{t: t, now: epoch}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		command, _, _ := strings.Cut(paragraph, "\n")
		if strings.HasPrefix(command, "#") {
			fmt.Fprintf(&out, "%s\n\n", paragraph)
			continue
		}
		fmt.Fprintf(&out, "%s\n----\n%s\n", command, sc.do(strings.Fields(command)))
	}
	return strings.TrimSuffix(out.String(), "\n")
}

var epoch = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

type scenario struct {
	t     *testing.T
	now   time.Time
	state State
}

func (sc *scenario) do(words []string) string {
	switch {
	case words[0] == "deployment":
		sc.state = New(sc.spec(words[1:]))
		return sc.state.String()
	case words[0] == "undo":
		sc.state = Undo(sc.state, "d-B", sc.now)
		return sc.state.String()
	}
	d, err := time.ParseDuration(strings.TrimPrefix(words[0], "+"))
	if err != nil {
		sc.t.Fatalf("command %q: %v", words, err)
	}
	sc.now = sc.now.Add(d)
	next, actions, reason := Decide(sc.state, Observation{sc.now, sc.fact(words[1:])})
	sc.state = next
	text := "because " + reason + "\n"
	if reason == "" {
		text = "nothing changes\n"
	}
	for _, a := range actions {
		text += "do " + a.String() + "\n"
	}
	return text + next.String()
}

func (sc *scenario) spec(words []string) Spec {
	s := Spec{ID: "d-A", Function: "fn", Alias: "live", Current: "1", Target: "2", Role: "arn:aws:iam::0:role/deploy", Created: sc.now}
	s.Config = Config{ConfigType(words[0]), number(words[1]), number(words[2])}
	for _, w := range words[3:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "before":
			s.Before, s.BeforeID = value, "id-before"
		case "after":
			s.After, s.AfterID = value, "id-after"
		case "alarms":
			s.Alarms.Names = strings.Split(value, ",")
		case "ignore":
			s.Alarms.IgnoreUnreadable = true
		case "rollback":
			s.RollBackOn = []Cause{OnFailure, OnAlarm, OnRequest}
		case "current":
			s.Current = value
		default:
			sc.t.Fatalf("deployment: %q is unknown", w)
		}
	}
	return s
}

func (sc *scenario) fact(words []string) Fact {
	if len(words) == 0 {
		return nil
	}
	rest := words[1:]
	switch words[0] {
	case "seen":
		return AliasSeen{routing(rest), "r" + strconv.Itoa(sc.state.Step)}
	case "set":
		return AliasSet{"r" + strconv.Itoa(sc.state.Step+1)}
	case "taken":
		return AliasTaken{routing(rest)}
	case "invoked":
		return HookInvoked{number(rest[0])}
	case "answered":
		return HookAnswered{number(rest[0]), rest[1] == "Succeeded"}
	case "alarms":
		return AlarmsRead{rest}
	case "unreadable":
		return AlarmsUnreadable{strings.Join(rest, " ")}
	case "stop":
		return StopAsked{RollBack: len(rest) > 0}
	case "gone":
		return GroupGone{Application: len(rest) > 0}
	case "fault":
		return ActionFailed{Fault(rest[0]), strings.Join(rest[1:], " ")}
	}
	sc.t.Fatalf("fact %q is unknown", words)
	return nil
}

func routing(words []string) Routing {
	switch len(words) {
	case 0:
		return Routing{}
	case 1:
		return Wholly(words[0])
	}
	weight, _ := strconv.ParseFloat(words[2], 64)
	return Routing{words[0], words[1], weight}
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
