package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"evo/bench/command"
	"evo/examples/shop"
	"evo/internal/cfn"
	"evo/internal/engine"
)

// shop measures the example's life through the deployer: created, updated with all its traffic shifted, deleted.
func (b *bench) shop(ctx context.Context) error {
	p, err := b.cloud(ctx, "evo", "--ephemeral", "--speed", fmt.Sprint(b.speed))
	if err != nil {
		return err
	}
	defer p.close()
	e := engine.New(p.patient(), func(engine.Event) {})
	e.Poll = 10 * time.Millisecond
	template, err := b.packagedShop(ctx, e)
	if err != nil {
		return err
	}
	next := template.Clone()
	next.At("Globals", "Function", "Environment", "Variables").Set("RANKING", cfn.Str("popularity"))
	steps := []struct {
		name string
		run  func() error
	}{
		{"create", func() error { return deploy(ctx, e, "shop", template) }},
		{"update, with its canary, its linear deployment and their hooks", func() error { return deploy(ctx, e, "shop", next) }},
		{"delete", func() error { return e.Delete(ctx, "shop") }},
	}
	fmt.Printf("| the shop, at speed %g | ms: least | most | server's processor ms, least |\n|---|--:|--:|--:|\n", b.speed)
	took, spent := make([][]time.Duration, len(steps)), make([][]time.Duration, len(steps))
	for range b.runs {
		for s, step := range steps {
			before, began := p.processor(), time.Now()
			if err := step.run(); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
			took[s], spent[s] = append(took[s], time.Since(began)), append(spent[s], p.processor()-before)
		}
	}
	for s, step := range steps {
		fmt.Printf("| %s | %.0f | %.0f | %.0f |\n", step.name, ms(slices.Min(took[s])), ms(slices.Max(took[s])), ms(slices.Min(spent[s])))
	}
	return nil
}

// packagedShop compiles the shop's functions and uploads them.
func (b *bench) packagedShop(ctx context.Context, e *engine.Engine) (*cfn.Node, error) {
	if _, err := command.Build(ctx, filepath.Join(b.dir, "shop", "bootstrap"), "evo/examples/shop/bootstrap"); err != nil {
		return nil, err
	}
	path := filepath.Join(b.dir, "shop", "template.yaml")
	if err := os.WriteFile(path, shop.Template, 0o644); err != nil {
		return nil, err
	}
	return packaged(ctx, e, path)
}
