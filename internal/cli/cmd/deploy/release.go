package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/cli/app"
	"evo/internal/cli/findings"
	"evo/internal/engine"
	"evo/internal/fitness/suitefile"
	"evo/internal/hook/program"
	"evo/internal/release"
	"evo/internal/source"
)

// plan makes a release of the deployment, unless there is to be no gate, and a change set of it.
func (o *options) plan(ctx context.Context, d *release.Deployer, x *engine.Deployment, path string) (*release.Planned, error) {
	if o.noGate {
		cs, err := d.Engine.Plan(ctx, *x)
		return &release.Planned{Deployment: *x, ChangeSet: cs}, err
	}
	q, err := o.request(ctx, d.Engine, x, path)
	if err != nil {
		return nil, err
	}
	p, err := d.Plan(ctx, q, *x)
	return p, placed(err, path)
}

// placed gives the template's mistakes the file that they are in.
func placed(err error, path string) error {
	var many source.Diagnostics
	var one *source.Diagnostic
	if errors.As(err, &many) || errors.As(err, &one) {
		return findings.Located(err, path)
	}
	return err
}

// deployer deploys to where cfg leads.
func (o *options) deployer(e *engine.Engine, cfg aws.Config) *release.Deployer {
	return &release.Deployer{Engine: e, Static: !o.noStaticGate,
		Maker: &release.Maker{CloudFormation: e.CloudFormation, S3: e.S3, Region: cfg.Region, Machine: o.machine(), Now: o.app.Now}}
}

// machine is the kind that functions run on: Lambda's, or for the embedded cloud this one.
func (o *options) machine() program.Machine {
	if o.app.Target == app.TargetAWS {
		return program.ForAWS()
	}
	return program.Here()
}

func (o *options) request(ctx context.Context, e *engine.Engine, d *engine.Deployment, path string) (release.Request, error) {
	q := release.Request{Stack: d.Stack, Name: d.ReleaseName, Override: o.override, Template: d.Template, Parameters: d.Parameters, Bucket: d.Bucket.Name, Prefix: d.Bucket.Prefix}
	if q.Bucket == "" {
		var err error
		if q.Bucket, err = e.ManagedBucket(ctx); err != nil {
			return q, err
		}
	}
	if strings.Contains(filepath.ToSlash(path), ".aws-sam/build/") {
		if info, err := os.Stat(path); err == nil {
			q.Built = info.ModTime()
		}
	}
	var err error
	q.SuiteFile, q.Suite, err = o.app.FitnessFile(o.suiteFile, path, suitefile.Name)
	return q, err
}
