package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// A process is a server that is measured.
type process struct {
	name string
	cmd  *exec.Cmd
	url  string
}

// spawn starts a server, and waits until it says where it listens.
func spawn(ctx context.Context, name, path string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.CommandContext(ctx, path, args...)}
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct{ URL string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.url = ready.URL
	return p, nil
}

// cloud starts an embedded cloud.
func (b *bench) cloud(ctx context.Context, name string, args ...string) (*process, error) {
	return spawn(ctx, name, b.evo, append([]string{"cloud", "--port", "0", "--output", "json"}, args...)...)
}

// keepers are servers by what an acknowledged write has behind it, with the null server as the floor before them and the others' after them.
func (b *bench) keepers(ctx context.Context, others []foreign) (ps []*process, err error) {
	defer func() {
		if err != nil {
			closeAll(ps)
		}
	}()
	null, err := spawn(ctx, "null server", b.peer, "null")
	if err != nil {
		return nil, err
	}
	ps = append(ps, null)
	for _, k := range []struct {
		name string
		args []string
	}{
		{"in memory", []string{"--ephemeral"}},
		{"state directory", []string{"--state", filepath.Join(b.dir, "state")}},
		{"--sync", []string{"--state", filepath.Join(b.dir, "synced"), "--sync"}},
	} {
		p, err := b.cloud(ctx, k.name, k.args...)
		if err != nil {
			return ps, err
		}
		ps = append(ps, p)
	}
	theirs, err := b.others(ctx, others)
	return append(ps, theirs...), err
}

// close ends the server.
func (p *process) close() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	gone := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer gone.Stop()
	_ = p.cmd.Wait() // how it ends is not what is measured
}

func closeAll(ps []*process) {
	for _, p := range ps {
		p.close()
	}
}

// ticks a second, in which Linux tells processes' times.
const ticks = 100

// processor returns the time that the server has computed until now; 0 where it cannot be told.
func (p *process) processor() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks
}

// memory returns a line of the server's status, such as VmRSS, in MiB.
func (p *process) memory(line string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), line+":")
	kib, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return float64(kib) / 1024
}

// patient is config with the SDK's own retries, as evo's deployer has them. The SDK closes a request's body as soon as the answer
// begins; where that is so soon that net/http has not noticed the body's end, net/http gives up the connection, and what was
// not read yet of the answer is lost.
func (p *process) patient() aws.Config {
	cfg := p.config()
	cfg.Retryer = nil
	return cfg
}

// config is a client's: no retries, so that a failure is seen, and as many connections as workers.
func (p *process) config() aws.Config {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = 64 })
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(p.url), HTTPClient: client,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("local", "local", "")),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		// As config.LoadDefaultConfig has them.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
}
