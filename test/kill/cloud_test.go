package kill

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// process is `evo cloud` as a child of the test.
type process struct {
	*testing.T
	binary, state string
	speed         float64
	port          string // "0" until it is known
	cmd           *exec.Cmd
	out           io.ReadCloser
	errors        bytes.Buffer
}

// begin starts the program, and does not wait until it is ready.
func (p *process) begin() {
	p.Helper()
	p.cmd = exec.Command(p.binary, "cloud", "--state", p.state, "--port", p.port, "--speed", fmt.Sprint(p.speed), "--output", "json")
	p.cmd.Env = append(os.Environ(), "EVO_CACHE="+filepath.Join(p.state, "..", "cache"))
	p.errors.Reset()
	p.cmd.Stderr = &p.errors
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.out = out
		err = p.cmd.Start()
	}
	if err != nil {
		p.Fatal(err)
	}
}

// ready waits for the line that says where the cloud listens.
func (p *process) ready() {
	p.Helper()
	line, err := bufio.NewReader(p.out).ReadBytes('\n')
	var said struct{ URL string }
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	var u *url.URL
	if err == nil {
		u, err = url.Parse(said.URL)
	}
	if err != nil {
		p.cmd.Wait()
		p.Fatalf("the cloud does not start: %v\n%s", err, p.errors.String())
	}
	p.port = u.Port()
}

// kill ends the program as the machine's end would, and waits until it is gone.
func (p *process) kill() {
	p.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.Fatal(err)
	}
	p.cmd.Wait()
}

// stop ends the program as a person would.
func (p *process) stop() {
	p.Helper()
	p.cmd.Process.Signal(os.Interrupt)
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.Error(err)
	}
}

// config leads clients to the cloud. They try once: what fails was not acknowledged.
func (p *process) config() aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:" + p.port),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
}

// clock returns the cloud's time.
func (p *process) clock() time.Time {
	p.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+p.port+"/_evo/status", nil)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("X-Evo", "1")
	out, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer out.Body.Close()
	var status struct{ Time time.Time }
	if err := json.NewDecoder(out.Body).Decode(&status); err != nil {
		p.Fatal(err)
	}
	return status.Time
}

// own returns the processes that have to do with the state directory, the cloud itself excepted: a function's environment
// names it. Without /proc there is nothing to see.
func (p *process) own() (pids []int) {
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil || pid == os.Getpid() || pid == p.cmd.Process.Pid {
			continue
		}
		if environ, err := os.ReadFile("/proc/" + d.Name() + "/environ"); err == nil && bytes.Contains(environ, []byte("="+p.state+"/")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// wantGone fails if one of the processes is still there after a while.
func (p *process) wantGone(ctx context.Context, pids []int) {
	p.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var left []string
		for _, pid := range pids {
			if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && len(line) > 0 {
				left = append(left, fmt.Sprint(pid)+" "+strings.ReplaceAll(string(line), "\x00", " "))
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) || ctx.Err() != nil {
			p.Errorf("processes of a killed cloud are left: %s", left)
			return
		}
	}
}
