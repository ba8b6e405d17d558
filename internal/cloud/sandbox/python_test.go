package sandbox

import (
	"strings"
	"testing"
)

func TestPythonHandlerForms(t *testing.T) {
	s, _ := newSandbox(t)
	tests := []struct {
		name, handler string
		files         map[string]string
		want          string
	}{
		{"plain", "app.handler", map[string]string{"app.py": "def handler(event, context):\n    return {'got': event['a']}"}, `{"got": 1}`},
		{"none", "app.handler", map[string]string{"app.py": "def handler(event, context): pass"}, `null`},
		{"nested with slash", "src/app.handler", map[string]string{"src/app.py": "from src.lib import x\ndef handler(event, context): return x", "src/lib.py": "x = 'nested'"}, `"nested"`},
		{"nested with dot", "src.app.handler", map[string]string{"src/__init__.py": "", "src/app.py": "def handler(event, context): return 'dotted'"}, `"dotted"`},
		{"decimal", "app.handler", map[string]string{"app.py": "from decimal import Decimal\ndef handler(event, context): return Decimal('1.5')"}, `1.5`},
		{"context", "app.handler", map[string]string{"app.py": `
import os
def handler(event, context):
    return [context.function_name, context.function_version, context.memory_limit_in_mb, context.invoked_function_arn,
            len(context.aws_request_id), context.log_group_name, context.get_remaining_time_in_millis() > 5000, context.client_context,
            os.environ['OWN'], os.getcwd() == os.environ['LAMBDA_TASK_ROOT']]`},
			`["fn", "$LATEST", "512", "arn:aws:lambda:us-east-1:000000000000:function:fn", 36, "/aws/lambda/fn", true, null, "own", true]`},
	}
	t.Run("all", func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				fn := python(t, tt.files)
				fn.Handler, fn.Env = tt.handler, map[string]string{"OWN": "own"}
				wantPayload(t, invoke(t, s, fn, `{"a":1}`), tt.want)
				s.Retire(fn.key())
			})
		}
	})
}

func TestPythonErrors(t *testing.T) {
	s, book := newSandbox(t)
	tests := []struct {
		name, handler, code string
		kind, message       string
	}{
		{"raised", "app.handler", "def handler(event, context):\n    raise KeyError('lost')", "KeyError", "'lost'"},
		{"exit", "app.handler", "import sys\ndef handler(event, context): sys.exit(7)", "Runtime.ExitError", "exit status 7"},
		{"unmarshallable", "app.handler", "def handler(event, context): return {1, 2}", "Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"},
		{"no module", "other.handler", "", "Runtime.ImportModuleError", "Unable to import module 'other': No module named 'other'"},
		{"missing dependency", "app.handler", "import nowhere", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nowhere'"},
		{"no handler", "app.missing", "", "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'app'"},
		{"syntax", "app.handler", "def handler(", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"},
		{"malformed", "app", "", "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack (expected 2, got 1)"},
		{"init raises", "app.handler", "raise ValueError('at init')", "ValueError", "at init"},
	}
	t.Run("all", func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				fn := python(t, map[string]string{"app.py": tt.code})
				fn.Handler = tt.handler
				f := failureOf(t, invoke(t, s, fn, `{}`))
				if f.Type != tt.kind || !strings.Contains(f.Message, tt.message) {
					t.Errorf("got %s: %s; want %s: %s", f.Type, f.Message, tt.kind, tt.message)
				}
				if tt.name == "raised" && (len(f.Stack) != 1 || !strings.Contains(f.Stack[0], "app.py")) {
					t.Errorf("stack trace %q", f.Stack)
				}
				s.Retire(fn.key())
			})
		}
	})
	if !strings.Contains(book.text(), "[ERROR] KeyError: 'lost'\nTraceback (most recent call last):\n  File ") {
		t.Errorf("the log does not tell of the error:\n%s", book.text())
	}
}

func TestPythonLog(t *testing.T) {
	s, book := newSandbox(t)
	fn := python(t, map[string]string{"app.py": `
import logging
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    print('multi\nline')
    logging.info('several\nlines')
    return 1`})
	r := invoke(t, s, fn, `{}`)
	wantPayload(t, r, "1")
	for _, want := range []string{"multi\n", "line\n"} {
		if !contains(book.lines, want) {
			t.Errorf("no event %q in %q", want, book.lines)
		}
	}
	found := false
	for _, l := range book.lines {
		found = found || (strings.HasPrefix(l, "[INFO]\t") && strings.HasSuffix(l, "\tseveral\nlines\n"))
	}
	if !found {
		t.Errorf("no event of the logging module in %q", book.lines)
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
