// Package logscmd is `evo logs`: what a stack's functions have written.
package logscmd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/cli/ui"
)

type options struct {
	app    *app.App
	stack  string
	names  []string
	groups []string
	filter string
	start  string
	end    string
	tail   bool
	poll   time.Duration
}

// New returns the command.
func New(a *app.App) *cobra.Command {
	o := &options{app: a, poll: time.Second}
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show what functions have written",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.stack, "stack-name", "", "the stack")
	fs.StringArrayVarP(&o.names, "name", "n", nil, "this function only, by logical id or name (may be repeated)")
	fs.StringArrayVar(&o.groups, "cw-log-group", nil, "this log group (may be repeated)")
	fs.StringVar(&o.filter, "filter", "", "only events that match this CloudWatch Logs filter pattern")
	fs.StringVarP(&o.start, "start-time", "s", "10m ago", "from when: a time, or such as '5mins ago'")
	fs.StringVarP(&o.end, "end-time", "e", "", "until when")
	fs.BoolVarP(&o.tail, "tail", "t", false, "go on with what is written")
	fs.BoolP("include-traces", "i", false, "has no effect: there are no traces yet")
	return cmd
}

// event is one line of a log.
type event struct {
	Group   string    `json:"log_group_name"`
	Stream  string    `json:"log_stream_name"`
	Time    time.Time `json:"timestamp"`
	Message string    `json:"message"`
	id      string
}

func (o *options) run(ctx context.Context) error {
	if o.stack == "" && len(o.names) == 0 && len(o.groups) == 0 {
		return app.Usagef("whose logs? name a stack with --stack-name, a function with --name, or a log group with --cw-log-group")
	}
	since, err := Moment(o.start, o.app.Now())
	if err != nil {
		return &app.UsageError{Err: err}
	}
	var until time.Time
	if o.end != "" && !o.tail {
		if until, err = Moment(o.end, o.app.Now()); err != nil {
			return &app.UsageError{Err: err}
		}
	}
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return err
	}
	groups, err := o.logGroups(ctx, cfg)
	if err != nil {
		return err
	}
	return o.follow(ctx, cloudwatchlogs.NewFromConfig(cfg), groups, since, until)
}

// logGroups returns the log groups that are asked for.
func (o *options) logGroups(ctx context.Context, cfg aws.Config) ([]string, error) {
	groups := slices.Clone(o.groups)
	functions, err := o.functions(ctx, cfg)
	if err != nil {
		return nil, err
	}
	for _, name := range o.names {
		if physical, ok := functions[name]; ok {
			name = physical
		} else if o.stack != "" && !slices.Contains(slices.Collect(maps.Values(functions)), name) {
			return nil, fmt.Errorf("stack %s has no function %s", o.stack, name)
		}
		groups = append(groups, "/aws/lambda/"+name)
	}
	if len(groups) == 0 {
		for _, name := range slices.Sorted(maps.Values(functions)) {
			groups = append(groups, "/aws/lambda/"+name)
		}
	}
	return groups, nil
}

// functions returns the stack's functions, logical id to name.
func (o *options) functions(ctx context.Context, cfg aws.Config) (map[string]string, error) {
	found := map[string]string{}
	if o.stack == "" {
		return found, nil
	}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), &cloudformation.ListStackResourcesInput{StackName: &o.stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the resources of stack %s: %w", o.stack, err)
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == "AWS::Lambda::Function" {
				found[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
			}
		}
	}
	return found, nil
}

// lateness is how long after another event one may come to light that is older.
const lateness = time.Minute

// follow prints the events of all groups in the order of their times, again and again where the tail is wanted.
func (o *options) follow(ctx context.Context, client *cloudwatchlogs.Client, groups []string, since, until time.Time) error {
	seen := map[string]bool{}
	for {
		var events []event
		for _, g := range groups {
			found, err := o.read(ctx, client, g, since, until)
			if err != nil {
				return err
			}
			events = append(events, found...)
		}
		slices.SortStableFunc(events, func(a, b event) int { return a.Time.Compare(b.Time) })
		for _, e := range events {
			if seen[e.id] {
				continue
			}
			seen[e.id] = true
			if next := e.Time.Add(-lateness); next.After(since) {
				since = next
			}
			if err := o.print(e, len(groups) > 1); err != nil {
				return err
			}
		}
		if !o.tail {
			if len(seen) == 0 {
				fmt.Fprintf(o.app.Err, "Nothing was written since %s to %s; --start-time looks further back\n", since.UTC().Format(time.RFC3339), strings.Join(groups, ", "))
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(o.poll):
		}
	}
}

func (o *options) read(ctx context.Context, client *cloudwatchlogs.Client, group string, since, until time.Time) ([]event, error) {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, StartTime: aws.Int64(since.UnixMilli())}
	if !until.IsZero() {
		in.EndTime = aws.Int64(until.UnixMilli())
	}
	if o.filter != "" {
		in.FilterPattern = &o.filter
	}
	var events []event
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if strings.Contains(err.Error(), "ResourceNotFoundException") {
				return nil, nil // nothing has been written yet
			}
			return nil, fmt.Errorf("read log group %s: %w", group, err)
		}
		for _, e := range page.Events {
			events = append(events, event{Group: group, Stream: aws.ToString(e.LogStreamName), id: aws.ToString(e.EventId),
				Time: time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC(), Message: strings.TrimRight(aws.ToString(e.Message), "\n")})
		}
	}
	return events, nil
}

func (o *options) print(e event, several bool) error {
	if o.app.JSON() {
		enc := json.NewEncoder(o.app.Out)
		enc.SetEscapeHTML(false)
		return enc.Encode(e)
	}
	style := ui.NewStyle(o.app.Color() && o.app.OutTTY)
	from := e.Stream
	if several {
		from = strings.TrimPrefix(e.Group, "/aws/lambda/") + " " + from
	}
	_, err := fmt.Fprintf(o.app.Out, "%s %s %s\n", style.Dim(from), style.Yellow(e.Time.Format("2006-01-02T15:04:05.000Z")), e.Message)
	return err
}

// units of relative times.
var units = map[string]time.Duration{"s": time.Second, "sec": time.Second, "second": time.Second, "m": time.Minute, "min": time.Minute,
	"minute": time.Minute, "h": time.Hour, "hour": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour}

// Moment reads a time as a person writes it: "10m ago", "5 mins ago", "yesterday", "now", or a date and time.
func Moment(text string, now time.Time) (time.Time, error) {
	switch text = strings.TrimSpace(text); text {
	case "now":
		return now, nil
	case "today":
		return now.Truncate(24 * time.Hour), nil
	case "yesterday":
		return now.Add(-24 * time.Hour), nil
	}
	if amount, ok := strings.CutSuffix(text, "ago"); ok {
		amount = strings.ReplaceAll(amount, " ", "")
		digits := strings.TrimRight(amount, "abcdefghijklmnopqrstuvwxyz")
		n, err := strconv.ParseFloat(digits, 64)
		name := amount[len(digits):]
		if len(name) > 1 {
			name = strings.TrimSuffix(name, "s")
		}
		if unit, ok := units[name]; ok && err == nil && n >= 0 {
			return now.Add(-time.Duration(n * float64(unit))), nil
		}
		return time.Time{}, fmt.Errorf("%q is no time: write such as \"10m ago\" or \"2 hours ago\"", text)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write such as \"10m ago\" or \"2026-01-31T12:00:00\"", text)
}
