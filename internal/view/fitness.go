package view

// Fitness is what a release's fitness was judged to be.
type Fitness struct {
	Stage   string   `json:"stage"` // StagePredicted or StageGate
	Stack   string   `json:"stack"`
	Release int      `json:"release"`
	Name    string   `json:"name,omitempty"`
	Fitness string   `json:"fitness"`         // 0 to 100; an interval where something is unknown
	Delta   string   `json:"delta,omitempty"` // against Reference, with its sign; empty for a first release
	Against string   `json:"against,omitempty"`
	Verdict string   `json:"verdict"` // accepted, rejected or inconclusive
	Proceed bool     `json:"proceed"`
	Why     []string `json:"why"`                // the number, the biggest gain, the biggest loss
	Because []string `json:"because,omitempty"`  // what is not accepted
	Warning []string `json:"warnings,omitempty"` // what a person should know
	Report  string   `json:"report,omitempty"`   // where the whole can be read
}

// The stages at which a release is judged.
const (
	StagePredicted = "predicted"    // from the template, before anything is touched
	StageGate      = "release gate" // from the stack, when all of it has been deployed
)
