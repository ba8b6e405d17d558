package rollout

import (
	"fmt"
	"strings"
	"time"
)

// String shows the state as a few lines of text, with moments as the time since the deployment was created.
func (s State) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s:%s %s -> %s (%s)", s.ID, s.Status, s.Function, s.Alias, s.Current, s.Target, s.Config)
	if s.IsRollback() {
		fmt.Fprintf(&b, " rolls back %s", s.Undoes)
	}
	b.WriteByte('\n')
	for i, e := range s.Events {
		s.writeEvent(&b, i, e)
	}
	if s.Routing != (Routing{}) {
		fmt.Fprintf(&b, "  alias: %s, revision %s\n", s.Routing, s.Revision)
	}
	if s.Pending != nil {
		fmt.Fprintf(&b, "  pending: %s\n", s.pendingText())
	}
	if s.Failure != nil {
		fmt.Fprintf(&b, "  error: %s: %s\n", s.Failure.Code, s.Failure.Message)
	}
	if s.Undoable {
		fmt.Fprintf(&b, "  to be rolled back from: %s\n", routings(s.Left))
	}
	if s.Status.Terminal() {
		fmt.Fprintf(&b, "  ended at %s\n", s.since(s.Completed))
	} else {
		fmt.Fprintf(&b, "  wakes at %s\n", s.since(s.Wake()))
	}
	return b.String()
}

func (s State) writeEvent(b *strings.Builder, i int, e Event) {
	fmt.Fprintf(b, "  %s: %s", EventName(i), e.Status)
	if e.Hook != "" {
		fmt.Fprintf(b, " hook %s", e.Hook)
	}
	if !e.Start.IsZero() {
		fmt.Fprintf(b, " from %s", s.since(e.Start))
	}
	if !e.End.IsZero() {
		fmt.Fprintf(b, " to %s", s.since(e.End))
	}
	if e.Diagnostic != nil {
		fmt.Fprintf(b, " (%s: %s)", e.Diagnostic.Code, e.Diagnostic.Message)
	}
	b.WriteByte('\n')
}

func (s State) pendingText() string {
	text := s.Pending.String()
	if s.Attempts > 0 {
		text += fmt.Sprintf(", %d failed, again at %s", s.Attempts, s.since(s.Retry))
	}
	return text
}

func (s State) since(t time.Time) string {
	if t.IsZero() {
		return "once"
	}
	return t.Sub(s.Created).String()
}

// String shows the action on one line.
func (a Action) String() string {
	switch {
	case a.Kind == InvokeHook:
		return fmt.Sprintf("%s %s for %s", a.Kind, a.Hook, EventName(a.Event))
	case a.WritesAlias():
		return fmt.Sprintf("%s to %s from %s", a.Kind, a.Routing, routings(a.From))
	}
	return string(a.Kind)
}

func routings(list []Routing) string {
	var texts []string
	for _, r := range list {
		texts = append(texts, r.String())
	}
	return strings.Join(texts, " or ")
}
