package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// A function is one that answers at once, in one line.
type function struct {
	name    string
	runtime types.Runtime
	handler string
	file    string
	text    []byte
}

func (b *bench) functions() ([]function, error) {
	peer, err := os.ReadFile(b.peer)
	if err != nil {
		return nil, err
	}
	return []function{
		{"node", types.RuntimeNodejs20x, "index.handler", "index.js", []byte("exports.handler = async (event) => ({ hello: 'world' })\n")},
		{"python", types.RuntimePython311, "app.handler", "app.py", []byte("def handler(event, context):\n    return {'hello': 'world'}\n")},
		{"go", types.RuntimeProvidedal2023, "bootstrap", "bootstrap", peer},
	}, nil
}

// invoke measures warm functions, asked directly.
func (b *bench) invoke(ctx context.Context) error {
	p, err := b.cloud(ctx, "evo", "--ephemeral")
	if err != nil {
		return err
	}
	defer p.close()
	null, err := spawn(ctx, "null server", b.peer, "null")
	if err != nil {
		return err
	}
	defer null.close()
	c, floor := lambda.NewFromConfig(p.config()), lambda.NewFromConfig(null.config())
	functions, err := b.functions()
	if err != nil {
		return err
	}
	workers := []int{1, 8}
	rows := []row{{"null", workers, []*process{null}, func(*process) work { return invoke(floor, "null") }}}
	for _, f := range functions {
		first, err := create(ctx, c, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Printf("First invoke, %s: %.0f ms\n\n", f.name, ms(first))
		rows = append(rows, row{"warm invoke, " + f.name, workers, []*process{p}, func(*process) work { return invoke(c, f.name) }})
	}
	return b.measure(ctx, rows)
}

// create makes a function, and returns how long its first invoke takes.
func create(ctx context.Context, c *lambda.Client, f function) (time.Duration, error) {
	code, err := zipped(f.file, f.text)
	if err != nil {
		return 0, err
	}
	_, err = c.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String(f.name), Runtime: f.runtime, Handler: aws.String(f.handler),
		Role: aws.String("arn:aws:iam::000000000000:role/bench"), Code: &types.FunctionCode{ZipFile: code}, Timeout: aws.Int32(30)})
	if err != nil {
		return 0, err
	}
	in := &lambda.GetFunctionInput{FunctionName: aws.String(f.name)}
	if err := lambda.NewFunctionActiveV2Waiter(c).Wait(ctx, in, time.Minute); err != nil {
		return 0, err
	}
	began := time.Now()
	err = invoke(c, f.name)(ctx, 0, 0)
	return time.Since(began), err
}

func zipped(name string, text []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(0o755)
	entry, err := w.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := entry.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return buf.Bytes(), err
}

func invoke(c *lambda.Client, name string) work {
	return func(ctx context.Context, _, _ int) error {
		out, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(name), Payload: []byte(`{"key":"value"}`)})
		if err == nil && out.FunctionError != nil {
			err = errors.New(string(out.Payload))
		}
		return err
	}
}
