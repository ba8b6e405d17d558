package lambda

import (
	"fmt"
	"strconv"
	"time"

	"evo/internal/cloud/store"
)

// function is what all versions of a function share.
type function struct {
	Name        string
	LastVersion int // the highest number ever published; numbers are not used again
	Tags        map[string]string
	Reserved    *int32 // reserved concurrency
}

// version is a function's code and configuration: $LATEST, or an immutable copy of it.
type version struct {
	Function    string
	Number      string // "$LATEST" or a number
	Description string
	Role        string
	Runtime     string
	Handler     string
	Memory      int32
	Timeout     int32
	Storage     int32

	Environment   map[string]string // nil: never given
	Architectures []string
	Layers        []layerUse
	Tracing       string
	DeadLetter    string
	KMSKey        string
	VPC           *vpc
	FileSystems   []fileSystem
	SnapStart     string

	LogFormat, LogGroup, AppLogLevel, SysLogLevel string

	CodeHash string // hex SHA-256 of the zip, the name of its file
	CodeSize int64
	Revision string
	Modified time.Time

	// Of is the fingerprint of the $LATEST that a published version was made of.
	Of string
}

type layerUse struct {
	ARN  string
	Hash string
	Size int64
}

type vpc struct {
	Subnets, SecurityGroups []string
	IPv6                    bool
}

type fileSystem struct{ ARN, Path string }

// alias points to a version, and may send a share of the invocations to another.
type alias struct {
	Function    string
	Name        string
	Description string
	Version     string
	Weights     map[string]float64 // at most one
	Revision    string
}

// policy is the resource policy of a function, a version, an alias, or a layer's version.
type policy struct {
	Statements []statement
	Revision   string
}

type statement struct {
	ID   string
	JSON string
}

type provisioned struct {
	Executions int32
	Modified   time.Time
}

// eventConfig says what becomes of asynchronous invocations.
type eventConfig struct {
	Retries   *int32
	Age       *int32 // in seconds
	OnSuccess string
	OnFailure string
	Modified  time.Time
}

type layerVersion struct {
	Layer         string
	Number        int64
	Description   string
	License       string
	Runtimes      []string
	Architectures []string
	Hash          string
	Size          int64
	Created       time.Time
}

// tables are the service's part of the store.
type tables struct {
	functions   *store.Table[function]
	versions    *store.Table[version]     // by function and padded number
	aliases     *store.Table[alias]       // by function and name
	policies    *store.Table[policy]      // by the ARN's last part
	provisioned *store.Table[provisioned] // by function and qualifier
	events      *store.Table[eventConfig] // by function and qualifier
	layers      *store.Table[layerVersion]
	layerCounts *store.Table[int64] // the highest number ever given
	queue       *store.Table[event]
}

func newTables(db *store.DB, region string) tables {
	p := region + "/lambda/"
	return tables{
		functions:   store.NewTable[function](db, p+"functions"),
		versions:    store.NewTable[version](db, p+"versions"),
		aliases:     store.NewTable[alias](db, p+"aliases"),
		policies:    store.NewTable[policy](db, p+"policies"),
		provisioned: store.NewTable[provisioned](db, p+"provisioned"),
		events:      store.NewTable[eventConfig](db, p+"event-configs"),
		layers:      store.NewTable[layerVersion](db, p+"layers"),
		layerCounts: store.NewTable[int64](db, p+"layer-counts"),
		queue:       store.NewTable[event](db, p+"queue"),
	}
}

// under is the prefix of the keys of what belongs to a function or layer.
func under(owner string) string { return owner + "/" }

// versionKey orders $LATEST before the numbers, and those by their value.
func versionKey(function, number string) string {
	n, _ := strconv.Atoi(number)
	return under(function) + fmt.Sprintf("%010d", n)
}

func layerKey(layer string, number int64) string {
	return under(layer) + fmt.Sprintf("%010d", number)
}

// resolve finds the version that a qualifier names: a number, $LATEST, an alias (its main version), or nothing.
func (s *Service) resolve(tx *store.Tx, n name) (version, error) {
	number := n.qualifier
	switch {
	case number == "":
		number = latest
	case !isVersion(number):
		a, ok := s.tables.aliases.Get(tx, under(n.function)+number)
		if !ok {
			return version{}, s.functionNotFound(n)
		}
		number = a.Version
	}
	v, ok := s.tables.versions.Get(tx, versionKey(n.function, number))
	if !ok {
		return version{}, s.functionNotFound(n)
	}
	return v, nil
}
