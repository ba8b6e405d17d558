package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"evo/bench/corpus"
	"evo/internal/cfn"
	"evo/internal/sam"
)

// conformance is where the cases of AWS's transform are, seen from the project's root.
func conformance(root string) string {
	if dir := os.Getenv("EVO_CONFORMANCE"); dir != "" {
		return filepath.Join(dir, "sam")
	}
	return filepath.Join(root, "..", "shared", "conformance", "sam")
}

// cases are the conformance cases that succeed, or made-up templates where the folder is not there. Those with nested applications are left
// out: the reference looks them up on AWS.
func cases(dir string) ([]corpus.Template, error) {
	expected, err := filepath.Glob(filepath.Join(dir, "expected", "*.json"))
	if err != nil {
		return nil, err
	}
	var all []corpus.Template
	for _, path := range expected {
		name := strings.TrimSuffix(filepath.Base(path), ".json") + ".yaml"
		text, err := os.ReadFile(filepath.Join(dir, "input", name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read a case: %w", err)
		}
		if !bytes.Contains(text, []byte("AWS::Serverless::Application")) {
			all = append(all, corpus.Template{Name: name, Text: text})
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	for _, t := range corpus.Templates(1, 400) {
		if bytes.Contains(t.Text, []byte("AWS::Serverless-2016-10-31")) {
			all = append(all, t)
		}
	}
	return all, nil
}

// A step is what is done with each template, all that comes before it included.
type step struct {
	name string
	do   func(corpus.Template) error
}

var options = sam.Options{Region: "ap-southeast-1", Parameters: map[string]string{"param1": "value1", "param2": "value2"}, Now: time.Unix(0, 0)}

var steps = []step{
	{"parse", func(t corpus.Template) error {
		_, err := cfn.Parse(t.Name, t.Text)
		return err
	}},
	{"transform", func(t corpus.Template) error {
		_, err := transformed(t)
		return err
	}},
	{"print", func(t corpus.Template) error {
		root, err := transformed(t)
		if err == nil {
			_, err = root.JSON()
		}
		return err
	}},
}

func transformed(t corpus.Template) (*cfn.Node, error) {
	root, err := cfn.Parse(t.Name, t.Text)
	if err != nil {
		return nil, err
	}
	return sam.Transform(root, options)
}

// write puts templates into a folder, and returns their paths.
func write(dir string, templates []corpus.Template) ([]string, error) {
	var paths []string
	for _, t := range templates {
		path := filepath.Join(dir, t.Name)
		if err := os.WriteFile(path, t.Text, fs.FileMode(0o644)); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
