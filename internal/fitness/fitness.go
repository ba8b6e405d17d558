// Package fitness answers: how fit is a release, and may it go out?
//
// A release is a set of scored pairs: a fitness function and a resource that it applies to, with a score in [0, 1] (an
// interval where the score is not known), and a [Size]. Over the pairs p = (f, r) of a characteristic k, with v the function's
// severity and c the resource's criticality,
//
//	T = Σ v·c              what could be lost in k: the basis
//	D = Σ v·c·(1 − s)      what is lost: the debt of k
//	φ = 1 − D/T            the score of k
//	L = Σ Ŵ·D/T            loss; Ŵ are the weights of the characteristics with T > 0, divided by their sum
//	Ω = Σ v·x/B            regularization: size over budgets
//	J = L + λ·Ω            the objective, to be minimized
//
// and fitness is 100·max(0, 1 − J). Everything is linear in the pairs and in the size, so a release's points are a sum that a
// person can check ([Assessment.Lost]), and so is the difference of two releases ([Compare]). Differences are valued with T
// frozen in the history ([Basis]): adding perfect resources then gains nothing, and differences add up along any path.
//
// [Decide] is the verdict. It knows nothing of rules, metrics or clouds: who scores the pairs is not its business.
package fitness

import (
	"evo/internal/fitness/exact"
)

// Breadth says what a function looks at.
type Breadth string

// Atomic functions score each resource by itself; holistic ones give one score to the stack.
const (
	Atomic   Breadth = "atomic"
	Holistic Breadth = "holistic"
)

// Target says whether what a function asks for moves with its surroundings.
type Target string

// A static function's score is exact and repeatable; a dynamic one's comes from live data and carries an interval.
const (
	Static  Target = "static"
	Dynamic Target = "dynamic"
)

// Cadence says when a function is evaluated.
type Cadence string

// Triggered functions are evaluated with a release, continual ones between releases as well.
const (
	Triggered Cadence = "triggered"
	Continual Cadence = "continual"
)

// Invocation says who evaluates a function.
type Invocation string

// A manual function's score is an attestation that a person has recorded.
const (
	Automated Invocation = "automated"
	Manual    Invocation = "manual"
)

// The severities that have names. They are OSSF Scorecard's; any other positive number will do as well.
const (
	Critical = 10 * exact.One
	High     = 75 * exact.One / 10
	Medium   = 5 * exact.One
	Low      = 25 * exact.One / 10
)

// Function is a fitness function, as the objective sees it.
type Function struct {
	ID             string        `json:"id"`
	Characteristic string        `json:"characteristic"`
	Severity       exact.Decimal `json:"severity"`
	Breadth        Breadth       `json:"breadth"`
	Target         Target        `json:"target"`
	Cadence        Cadence       `json:"cadence"`
	Invocation     Invocation    `json:"invocation"`

	// Required makes the function a gate: every pair of it must score Minimum or more.
	Required bool          `json:"required,omitempty"`
	Minimum  exact.Decimal `json:"minimum,omitempty"`

	// Definition says how it is measured, in whatever words its evaluator uses: with the same one, scores mean the same.
	Definition string `json:"definition,omitempty"`
	Title      string `json:"title,omitempty"`
}

// Characteristic is an "-ility" and its part in the loss.
type Characteristic struct {
	Name   string        `json:"name"`
	Weight exact.Decimal `json:"weight"`          // relative to the others'
	Floor  exact.Decimal `json:"floor,omitempty"` // the least φ that a release may have; 0 is none
}

// Policy says how a release's difference to the reference is judged.
type Policy string

// Improve asks for Δ > 0; Hold for Δ ≥ −tolerance; Off does not ask.
const (
	Improve Policy = "improve"
	Hold    Policy = "hold"
	Off     Policy = "off"
)

// Additions says how the debt of what is new counts for the decision.
type Additions string

// Clean counts it in full. Average forgives what growth brings at the characteristic's present score.
const (
	Average Additions = "average"
	Clean   Additions = "clean"
)

// Regressions says what becomes of a release in which a pair that scored 1 scores less.
type Regressions string

// Deny refuses it. Compensate lists it, and asks that the release make up for it: Δ ≥ 0, without tolerance. Allow lists it.
const (
	Deny       Regressions = "deny"
	Compensate Regressions = "compensate"
	Allow      Regressions = "allow"
)

// ReferencePolicy says which earlier release a new one is compared with.
type ReferencePolicy string

// The references: the last release that succeeded, or the fittest one.
const (
	LastSucceeded ReferencePolicy = "last-succeeded"
	Best          ReferencePolicy = "best"
)

// UnknownPolicy says what becomes of a release of which it cannot be told whether it may go out.
type UnknownPolicy string

// The policies for what is inconclusive.
const (
	AcceptWithWarning UnknownPolicy = "accept-with-warning"
	Fail              UnknownPolicy = "fail"
)

// Ratchet is how a release is held to the ones before it.
type Ratchet struct {
	Policy      Policy          `json:"policy"`
	Tolerance   exact.Decimal   `json:"tolerance"` // points
	Additions   Additions       `json:"additions"`
	Regressions Regressions     `json:"regressions"`
	Reference   ReferencePolicy `json:"reference"`
	Unknown     UnknownPolicy   `json:"unknown"`
	Coverage    exact.Decimal   `json:"coverage"` // the least part of the weight that must be known
}

// Suite is everything that releases are held to.
type Suite struct {
	Characteristics []Characteristic `json:"characteristics"` // in the order to show them
	Functions       []Function       `json:"functions"`
	Complexity      Complexity       `json:"complexity"`
	Ratchet         Ratchet          `json:"ratchet"`
	Exceptions      []Exception      `json:"exceptions,omitempty"`

	// Criticality of resources by logical id. Suite.CriticalityOf has the defaults.
	Criticality map[string]exact.Decimal `json:"criticality,omitempty"`
}

// Function returns the function with that id, or nil.
func (s *Suite) Function(id string) *Function {
	for i := range s.Functions {
		if s.Functions[i].ID == id {
			return &s.Functions[i]
		}
	}
	return nil
}

// Characteristic returns the characteristic of that name, or nil.
func (s *Suite) Characteristic(name string) *Characteristic {
	for i := range s.Characteristics {
		if s.Characteristics[i].Name == name {
			return &s.Characteristics[i]
		}
	}
	return nil
}
