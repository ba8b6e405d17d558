package demo

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"evo/examples/shop"
	"evo/internal/engine"
	"evo/internal/release"
)

// ending is how a release ends.
type ending int

const (
	accepted ending = iota // by the release gate, as it makes the shop fitter
	shifted                // likewise, after two versions had shared the customers
	refused                // by the release gate
	stopped                // by an alarm, while traffic shifts
)

// chapter is one release, and how it is to end.
type chapter struct {
	shop.Release
	number int
	ends   ending
}

var story = chapters(accepted, accepted, shifted, accepted, accepted, refused, stopped)

func chapters(endings ...ending) []chapter {
	out := make([]chapter, len(endings))
	for i, e := range endings {
		out[i] = chapter{shop.Releases[i], i + 1, e}
	}
	return out
}

// release deploys one, and wants it to end as the story tells.
func (d *demo) release(ctx context.Context, c chapter) error {
	next, err := patched(d.template, c.Release)
	if err != nil {
		return err
	}
	x := engine.Deployment{Stack: stack, Template: next, Capabilities: []string{"CAPABILITY_IAM"}, ReleaseName: c.Name}
	q := release.Request{Stack: stack, Name: c.Name, Template: next, Bucket: bucket}
	d.show.release(c)
	d.deployer.Static = c.ends != refused // else the release gate would never see it
	p, err := d.deployer.Plan(ctx, q, x)
	if err != nil {
		return err
	}
	if d.last = p.Release; d.last.Number != c.number {
		return fmt.Errorf("release %s became v%d, not v%d", c.Name, d.last.Number, c.number)
	}
	if d.customers != nil {
		d.customers.begin()
	}
	err = d.deployer.Execute(ctx, p)
	if err := d.asTold(c, err); err != nil {
		return fmt.Errorf("release %s: %w", c.Name, err)
	}
	if c.ends == accepted || c.ends == shifted {
		d.template = next
	}
	return nil
}

// asTold returns what went otherwise than the story tells.
func (d *demo) asTold(c chapter, err error) error {
	var failed *engine.FailedError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	switch c.ends {
	case refused:
		if failed == nil || !release.RefusedByGate(failed) {
			return otherwise("was not rolled back by the release gate", err)
		}
		d.show.refused()
		return nil
	case stopped:
		if failed == nil || !byAlarm(failed) {
			return otherwise("was not stopped by an alarm", err)
		}
		d.show.rolledBack(failed)
		return nil
	}
	if err != nil {
		return err
	}
	if c.ends == shifted && d.customers.versions() < 2 {
		return errors.New("two versions were to share the customers, and one served all")
	}
	return d.rises()
}

func otherwise(what string, err error) error {
	if err != nil {
		return fmt.Errorf("it %s: %w", what, err)
	}
	return errors.New("it " + what)
}

// byAlarm reports whether an alarm stopped one of the deployments.
func byAlarm(failed *engine.FailedError) bool {
	for _, r := range failed.RolledBack {
		if r.ErrorCode == "ALARM_ACTIVE" {
			return true
		}
	}
	return false
}

// rises wants the release that has just been judged to be fitter than the one before.
func (d *demo) rises() error {
	f := d.show.judged
	if f == nil || f.Release != d.last.Number {
		return errors.New("the release gate gave no verdict")
	}
	value, err := strconv.ParseFloat(f.Fitness, 64)
	if err != nil {
		return fmt.Errorf("its fitness is %s, and not one number", f.Fitness)
	}
	if value <= d.fitness {
		return fmt.Errorf("its fitness is %s, and was %.2f before", f.Fitness, d.fitness)
	}
	d.fitness = value
	d.show.deployed()
	return nil
}
