package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// starts is how often each server is started.
const starts = 15

// idle is how long a server does nothing before its memory is looked at.
const idle = 2 * time.Second

// start measures from the fork to the first good answer, and what a server takes that does nothing.
func (b *bench) start(ctx context.Context) error {
	state := filepath.Join(b.dir, "restarted")
	fmt.Println("| server | start to first good answer, ms: least | median | idle RSS MiB | of which its own | of which the program's file |")
	fmt.Println("|---|--:|--:|--:|--:|--:|")
	for _, s := range []struct {
		name string
		args []string
	}{{"evo cloud --ephemeral", []string{"--ephemeral"}}, {"evo cloud --state", []string{"--state", state}}} {
		var took []time.Duration
		var own, file []float64
		for range starts {
			d, p, err := b.firstAnswer(ctx, s.args)
			if err != nil {
				return err
			}
			if took = append(took, d); len(took) <= b.runs {
				time.Sleep(idle)
				own, file = append(own, p.memory("RssAnon")), append(file, p.memory("RssFile"))
			}
			p.close()
		}
		slices.Sort(took)
		a, f := slices.Min(own), slices.Min(file)
		fmt.Printf("| %s | %.0f | %.0f | %.0f | %.0f | %.0f |\n", s.name, ms(took[0]), ms(took[len(took)/2]), a+f, a, f)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// firstAnswer starts a cloud and asks it for its tables until it answers.
func (b *bench) firstAnswer(ctx context.Context, args []string) (time.Duration, *process, error) {
	port, err := freePort()
	if err != nil {
		return 0, nil, err
	}
	p := &process{url: "http://" + port}
	_, number, _ := net.SplitHostPort(port)
	p.cmd = exec.CommandContext(ctx, b.evo, append([]string{"cloud", "--port", number}, args...)...)
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return 0, nil, err
	}
	for time.Since(began) < 10*time.Second {
		if listTables(ctx, p.url) == nil {
			return time.Since(began), p, nil
		}
		time.Sleep(200 * time.Microsecond)
	}
	p.close()
	return 0, nil, errors.New("the cloud does not answer")
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func listTables(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}
