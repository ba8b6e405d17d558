package hook

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"evo/internal/cfn"
	"evo/internal/fitness"
	"evo/internal/fitness/exact"
	"evo/internal/fitness/report"
	"evo/internal/gate"
)

// Namespace is where the fitness is published; the hook's role may publish nowhere else.
const Namespace = gate.Namespace

// Publisher makes a judgement visible beside the business's own metrics.
type Publisher struct {
	CloudWatch *cloudwatch.Client
	Namespace  string
	Stack      string
	Dashboards func(ctx context.Context) ([]string, error) // the stack's, by name
}

// Publish sends the metrics Fitness, Loss, Regularization, FitnessDelta and Coverage of the stack, and Fitness and Loss of each
// characteristic, all as of now by CloudWatch's clock. Where a score is unknown the worse end counts.
func (p *Publisher) Publish(ctx context.Context, r *report.Report) error {
	datum := func(name string, value exact.Rat, characteristic string) types.MetricDatum {
		d := types.MetricDatum{MetricName: &name, Value: aws.Float64(float(value)), Unit: types.StandardUnitNone,
			Dimensions: []types.Dimension{{Name: aws.String("Stack"), Value: &p.Stack}}}
		if characteristic != "" {
			d.Dimensions = append(d.Dimensions, types.Dimension{Name: aws.String("Characteristic"), Value: &characteristic})
		}
		return d
	}
	v := &r.Verdict
	data := []types.MetricDatum{
		datum(gate.Metric, v.Level.Fitness.Lo, ""), datum("Loss", v.Level.Loss.Hi, ""), datum("Regularization", v.Level.Regularization, ""),
		datum("Coverage", v.Level.Coverage, ""),
	}
	if v.Delta != nil {
		data = append(data, datum("FitnessDelta", v.Delta.Delta.Lo, ""))
	}
	if r.Release.Size.Cost > 0 {
		data = append(data, datum("MonthlyCost", r.Release.Size.Amount(fitness.Cost), ""))
	}
	hundred := exact.Whole(100)
	for _, c := range v.Level.Characteristics {
		data = append(data, datum(gate.Metric, hundred.Mul(c.Score.Lo), c.Name), datum("Loss", exact.Whole(1).Sub(c.Score.Lo), c.Name))
	}
	_, err := p.CloudWatch.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: &p.Namespace, MetricData: data})
	if err != nil {
		return fmt.Errorf("publish the fitness of stack %s: %w", p.Stack, err)
	}
	return nil
}

// publishedDigits is how many digits of a metric count, after the point.
const publishedDigits = 9

// float is only for metrics: no verdict depends on it.
func float(r exact.Rat) float64 {
	f, err := strconv.ParseFloat(r.Text(publishedDigits), 64)
	if err != nil {
		return 0
	}
	return f
}

// markLabel begins the labels of evo's annotations, which are told from the authors' by it.
const markLabel = "evo: "

// maxMarks is how many releases stay marked.
const maxMarks = 20

// Annotate marks the release on the stack's dashboards, with a vertical line on every graph that has a time axis.
func (p *Publisher) Annotate(ctx context.Context, r *report.Report) error {
	if !r.Verdict.Proceed {
		return nil
	}
	names, err := p.Dashboards(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range names {
		problems = append(problems, p.annotate(ctx, name, r))
	}
	return errors.Join(problems...)
}

func (p *Publisher) annotate(ctx context.Context, name string, r *report.Report) error {
	out, err := p.CloudWatch.GetDashboard(ctx, &cloudwatch.GetDashboardInput{DashboardName: &name})
	if err != nil {
		return fmt.Errorf("read dashboard %s: %w", name, err)
	}
	body, err := mark(aws.ToString(out.DashboardBody), r)
	if err != nil {
		return fmt.Errorf("mark the release on dashboard %s: %w", name, err)
	}
	if body == aws.ToString(out.DashboardBody) {
		return nil
	}
	if _, err := p.CloudWatch.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: &name, DashboardBody: &body}); err != nil {
		return fmt.Errorf("write dashboard %s: %w", name, err)
	}
	return nil
}

// mark adds the release to a dashboard's body. Everything else in it stays as its authors wrote it, their own annotations among it; a
// dashboard that nothing is marked on is returned as it is.
func mark(body string, r *report.Report) (string, error) {
	dashboard, err := cfn.Parse("dashboard", []byte(body)) // which keeps the order of keys, and numbers as they are written
	if err != nil {
		return "", err
	}
	marked := false
	for _, widget := range dashboard.Get("widgets").List() {
		properties := widget.Get("properties")
		if widget.Get("type").Str() != "metric" || !properties.Is(cfn.Map) || !hasTimeAxis(properties.Get("view")) {
			continue
		}
		annotations := properties.Get("annotations")
		if !annotations.Is(cfn.Map) {
			annotations = cfn.Obj()
			properties.Set("annotations", annotations)
		}
		annotations.Set("vertical", cfn.Arr(withMark(annotations.Get("vertical").List(), r)...))
		marked = true
	}
	if !marked {
		return body, nil
	}
	text, err := dashboard.MarshalJSON()
	return string(text), err
}

func hasTimeAxis(view *cfn.Node) bool { return view.IsNull() || view.Str() == "timeSeries" }

// withMark adds the release's line after the others, in place of one that it has already, and drops evo's oldest.
func withMark(vertical []*cfn.Node, r *report.Report) []*cfn.Node {
	release := fmt.Sprintf("%sv%d", markLabel, r.Number)
	label := strings.TrimSpace(release + " " + r.Title)
	line := cfn.Obj(cfn.P("label", cfn.Str(label)), cfn.P("value", cfn.Str(r.Time.UTC().Format(time.RFC3339))))
	others := slices.DeleteFunc(slices.Clone(vertical), func(n *cfn.Node) bool {
		text := n.Get("label").Str() // of a band, which is a list of two, there is none
		return text == release || strings.HasPrefix(text, release+" ")
	})
	excess := 1 - maxMarks
	for _, n := range others {
		if own(n) {
			excess++
		}
	}
	others = slices.DeleteFunc(others, func(n *cfn.Node) bool {
		if excess <= 0 || !own(n) {
			return false
		}
		excess--
		return true
	})
	return append(others, line)
}

// ownMark is a label that evo writes, and a person hardly does.
var ownMark = regexp.MustCompile("^" + regexp.QuoteMeta(markLabel) + `v[1-9][0-9]*( |$)`)

func own(annotation *cfn.Node) bool { return ownMark.MatchString(annotation.Get("label").Str()) }
