// Package localcloud answers: does an embedded cloud run on this machine, and how is one started and stopped? It talks to it
// over HTTP, as another process.
package localcloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// DefaultURL is where the embedded cloud listens unless told otherwise.
const DefaultURL = "http://127.0.0.1:4566"

// Status is what a running cloud says of itself.
type Status struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	URL     string    `json:"url"`
	State   string    `json:"state"` // directory; empty: in memory
	Speed   float64   `json:"speed"`
	Time    time.Time `json:"time"` // the cloud's
	Started time.Time `json:"started"`
}

// ErrNone says that no cloud answers.
var ErrNone = errors.New("no embedded cloud runs")

// Get asks the cloud at url for its status. The error wraps ErrNone if nothing listens there.
func Get(ctx context.Context, url string) (*Status, error) {
	body, err := call(ctx, http.MethodGet, url+"/_evo/status")
	if err != nil {
		return nil, err
	}
	var s Status
	if err := json.Unmarshal(body, &s); err != nil || s.PID == 0 {
		return nil, fmt.Errorf("something else than evo answers at %s", url)
	}
	return &s, nil
}

// Stop asks the cloud at url to end, and waits until it has.
func Stop(ctx context.Context, url string) error {
	if _, err := call(ctx, http.MethodPost, url+"/_evo/stop"); err != nil {
		return err
	}
	for {
		if _, err := Get(ctx, url); errors.Is(err, ErrNone) {
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("wait for the embedded cloud to end: %w", err)
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(20 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func call(ctx context.Context, method, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Evo", "1") // no page of another origin can send this unasked
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w at %s: %w", ErrNone, strings.TrimSuffix(url, "/_evo/status"), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return body, err
}

// StateDir returns where a cloud keeps its state unless told otherwise.
func StateDir() (string, error) {
	if dir := os.Getenv("EVO_STATE"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "evo"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the embedded cloud's state: %w", err)
	}
	if runtime.GOOS == "linux" {
		return filepath.Join(home, ".local", "state", "evo"), nil
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the embedded cloud's state: %w", err)
	}
	return filepath.Join(config, "evo"), nil
}

// Ensure returns the URL of a cloud that runs at url, which it starts in the background if there is none, telling so.
func Ensure(ctx context.Context, url string, tell func(string)) (string, error) {
	if _, err := Get(ctx, url); err == nil {
		return url, nil
	} else if !errors.Is(err, ErrNone) {
		return "", err
	}
	s, err := StartBackground(ctx, url, nil)
	if err != nil {
		return "", err
	}
	tell(fmt.Sprintf("started the embedded cloud at %s (state in %s; `evo cloud stop` ends it)", s.URL, s.State))
	return url, nil
}

// StartBackground starts `evo cloud` with further arguments as a process that outlives this one, and waits until it answers
// at url.
func StartBackground(ctx context.Context, url string, args []string) (*Status, error) {
	dir, err := StateDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start the embedded cloud: %w", err)
	}
	logPath := filepath.Join(dir, "cloud.log")
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start the embedded cloud: %w", err)
	}
	defer logFile.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the embedded cloud: %w", err)
	}
	cmd := exec.Command(self, append([]string{"cloud"}, args...)...) //nolint:noctx // it outlives this process on purpose
	cmd.Stdout, cmd.Stderr = logFile, logFile
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded cloud: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the child, or with this process
	return await(ctx, url, ended, logPath)
}

// startTimeout bounds the wait for a cloud that has much state to read.
const startTimeout = 30 * time.Second

func await(ctx context.Context, url string, ended <-chan error, logPath string) (*Status, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if s, err := Get(ctx, url); err == nil {
			return s, nil
		}
		select {
		case err := <-ended:
			if s, getErr := Get(ctx, url); getErr == nil {
				return s, nil // another command's cloud was quicker
			}
			text, _ := os.ReadFile(logPath)
			return nil, endedAtOnce(err, string(text))
		default:
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("the embedded cloud does not answer at %s (its log: %s): %w", url, logPath, err)
		}
	}
}

// endedAtOnce says why a cloud did not stay, in the words of its log.
func endedAtOnce(err error, log string) error {
	var said, hint string
	for line := range strings.Lines(log) {
		if text, ok := strings.CutPrefix(line, "evo: error: "); ok {
			said = strings.TrimSpace(text)
		} else if text, ok := strings.CutPrefix(line, "evo: hint: "); ok {
			hint = strings.TrimSpace(text)
		}
	}
	if said == "" {
		said = strings.TrimSpace(fmt.Sprintf("%v: %s", err, log))
	}
	return &StartError{"the embedded cloud ended at once: " + said, hint}
}

// StartError says why a cloud could not be started.
type StartError struct{ text, hint string }

func (e *StartError) Error() string { return e.text }

// Hint says what a person can do.
func (e *StartError) Hint() string { return e.hint }
