package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A foreign is another project's server of the same API, measured beside evo where peers.sh has installed it.
type foreign struct {
	name string
	file string // in the folder of peers
	args func(port, dir string) []string
}

var (
	foreignTables = []foreign{
		{"dynalite", "node_modules/.bin/dynalite", func(port, _ string) []string {
			return []string{"--host", "127.0.0.1", "--port", port, "--createTableMs", "0"}
		}},
	}
	foreignBuckets = []foreign{
		{"gofakes3, in memory", "gofakes3", func(port, _ string) []string {
			return []string{"-host", "127.0.0.1:" + port, "-backend", "memory", "-quiet"}
		}},
		{"gofakes3, bbolt", "gofakes3", func(port, dir string) []string {
			return []string{"-host", "127.0.0.1:" + port, "-backend", "bolt", "-bolt.db", filepath.Join(dir, "gofakes3.db"), "-quiet"}
		}},
	}
)

// others starts those of the servers that are installed.
func (b *bench) others(ctx context.Context, all []foreign) (ps []*process, err error) {
	for _, f := range all {
		path := filepath.Join(b.peers, f.file)
		if _, err := os.Stat(path); b.peers == "" || err != nil {
			continue
		}
		p, err := f.start(ctx, path, b.dir)
		if err != nil {
			closeAll(ps)
			return nil, fmt.Errorf("start %s: %w", f.name, err)
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// start starts the server on a free port, and waits until something answers there.
func (f foreign) start(ctx context.Context, path, dir string) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	p := &process{name: f.name, url: "http://" + address, cmd: exec.CommandContext(ctx, path, f.args(port, dir)...)}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	for ctx.Err() == nil {
		if answer, err := http.Get(p.url); err == nil {
			return p, answer.Body.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.close()
	return nil, ctx.Err()
}
