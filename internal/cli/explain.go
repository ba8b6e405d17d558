package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"evo/internal/awserr"
	"evo/internal/cli/app"
	"evo/internal/cli/localcloud"
	"evo/internal/engine"
	"evo/internal/source"
)

// explain puts an SDK client's error into words, with a hint that fits the cloud that was asked.
func explain(ctx context.Context, a *app.App, err error) error {
	err = awserr.Explain(err)
	var sdk *awserr.Error
	var none *engine.NoStackError
	switch hasSDK := errors.As(err, &sdk); {
	case errors.As(err, &none):
		return &app.HintedError{Err: err, HintText: otherStacks(ctx, a, none.Stack)}
	case !hasSDK:
		return err
	case sdk.Kind == awserr.NoStack:
		return &app.HintedError{Err: err, HintText: otherStacks(ctx, a, sdk.Stack)}
	case strings.Contains(err.Error(), "] must have values (ValidationError)"):
		return &app.HintedError{Err: err, HintText: "give them with --parameter-overrides Name=Value …"}
	case sdk.Kind == awserr.NotAPI && a.Target == app.TargetLocal:
		return &app.HintedError{Err: err, HintText: "what answers there is perhaps no embedded cloud: see --endpoint-url and EVO_ENDPOINT_URL"}
	case sdk.Kind == awserr.Unreachable && a.Target == app.TargetLocal:
		return &app.HintedError{Err: err, HintText: startThere(sdk.Host)}
	}
	return err
}

// startThere says how to have an embedded cloud answer at a host.
func startThere(host string) string {
	u := url.URL{Host: host}
	if "http://"+host == localcloud.DefaultURL || u.Port() == "" {
		return "the embedded cloud has ended meanwhile: `evo cloud start` starts it again"
	}
	return fmt.Sprintf("`evo cloud start --port %s` starts an embedded cloud there; without --endpoint-url and EVO_ENDPOINT_URL, evo uses the one at %s",
		u.Port(), localcloud.DefaultURL)
}

// maxNamed bounds how many stacks a hint names.
const maxNamed = 8

// otherStacks says which stacks there are in the place of one that there is not.
func otherStacks(ctx context.Context, a *app.App, missing string) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	cfg, err := a.AWS(ctx)
	if err != nil {
		return ""
	}
	stacks, err := engine.New(cfg, func(engine.Event) {}).Stacks(ctx)
	if err != nil {
		return ""
	}
	var names []string
	for _, s := range stacks {
		if name := aws.ToString(s.StackName); name != engine.ManagedStack {
			names = append(names, name)
		}
	}
	where := cfg.Region
	if a.Target == app.TargetLocal {
		where += " of the embedded cloud"
	}
	near, ok := source.Nearest(missing, names)
	switch {
	case len(names) == 0:
		return fmt.Sprintf("there are no stacks in %s: `evo deploy` makes one", where)
	case ok:
		return fmt.Sprintf("did you mean %s? `evo list` shows the stacks in %s", near, where)
	case len(names) > maxNamed:
		return fmt.Sprintf("there are %d stacks in %s: `evo list` shows them", len(names), where)
	}
	slices.Sort(names)
	return fmt.Sprintf("the stacks in %s are: %s", where, strings.Join(names, ", "))
}
