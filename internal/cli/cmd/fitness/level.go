package fitness

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"evo/internal/appraisal"
	"evo/internal/appraisal/desired"
	"evo/internal/diagnose"
	"evo/internal/fitness"
	"evo/internal/fitness/suitefile"
	"evo/internal/view"
)

// shownLosses is how many losses are shown without --explain.
const shownLosses = 10

// level shows how fit the template at hand is by itself.
func (o *options) level() error {
	v, err := o.appraise()
	if err != nil {
		return err
	}
	if o.app.JSON() {
		return o.app.WriteJSON(v)
	}
	p := o.page()
	by := "evo's own suite"
	if v.Suite != "" {
		by = v.Suite
	}
	p.printf("%s\n", p.style.Bold(fmt.Sprintf("%s: fitness %s, by %s; %s of what counts is known", v.Template, v.Fitness, by, v.Coverage)))
	p.characteristics(v.Characteristics)
	p.printf("\n")
	most := shownLosses
	if o.explain {
		most = 0
	}
	p.sum(&v.Explanation, most)
	for _, problem := range v.Problems {
		p.printf("could not be evaluated: %s\n", problem)
	}
	if len(v.Unsized) > 0 {
		p.printf("code counts 0 until it is packaged: %s\n", strings.Join(v.Unsized, ", "))
	}
	return p.err
}

func (o *options) appraise() (*view.Level, error) {
	path, err := o.app.Template(o.template, false)
	if err != nil {
		return nil, err
	}
	t, err := o.read(path)
	if err != nil {
		return nil, err
	}
	name, suite, err := o.app.Suite(o.suiteFile, path)
	if err != nil {
		return nil, err
	}
	o.note(name, suite.File, t)
	made := suite.Appraise(o.app.Short(path), t.Architecture, suite.Unmeasured(), o.app.Now())
	a, err := fitness.Assess(suite.Suite, made.Release)
	if err != nil {
		return nil, err
	}
	if name != "" {
		name = o.app.Short(name)
	}
	v := view.LevelOf(o.app.Short(path), name, a, suite.Suite, made.Excepted)
	v.Problems, v.Unsized = made.Problems, appraisal.Unsized(t.Architecture)
	v.Explanation.Locate(v.Template, lines(t))
	return &v, nil
}

// note tells what is valid in the fitness file, and yet wants attention.
func (o *options) note(name string, file *suitefile.File, t *desired.Template) {
	if name == "" {
		return
	}
	var ids []string
	for _, r := range t.Transformed.Resources {
		ids = append(ids, r.ID)
	}
	text, _ := os.ReadFile(name) // for the lines only
	for _, d := range slices.Concat(file.Notes, file.Unused(ids), file.Misnamed(diagnose.KnownType)) {
		shown := *d
		shown.File = o.app.Short(name)
		fmt.Fprint(o.app.Err, shown.Text(text))
	}
}
