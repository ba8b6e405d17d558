package sandbox

import (
	"strings"
	"testing"
)

func TestNodeHandlerForms(t *testing.T) {
	s, _ := newSandbox(t)
	tests := []struct {
		name, runtime, handler string
		files                  map[string]string
		want                   string
	}{
		{"async", "nodejs20.x", "index.handler", map[string]string{"index.js": `exports.handler = async (e) => ({ got: e.a })`}, `{"got":1}`},
		{"promise", "nodejs20.x", "index.handler", map[string]string{"index.js": `exports.handler = (e) => new Promise(r => setTimeout(() => r("later"), 5))`}, `"later"`},
		{"callback", "nodejs8.10", "index.handler", map[string]string{"index.js": `exports.handler = function (e, c, cb) { cb(null, { n: e.a }) }`}, `{"n":1}`},
		{"callback waits for the loop", "nodejs16.x", "index.handler", map[string]string{"index.js": `let n = 0; exports.handler = (e, c, cb) => { setTimeout(() => n++, 30); cb(null, { get n() { return n } }) }`}, `{"n":1}`},
		{"callback does not wait", "nodejs16.x", "index.handler", map[string]string{"index.js": `let n = 0; exports.handler = (e, c, cb) => { c.callbackWaitsForEmptyEventLoop = false; setTimeout(() => n++, 300); cb(null, { get n() { return n } }) }`}, `{"n":0}`},
		{"never calls back", "nodejs16.x", "index.handler", map[string]string{"index.js": `exports.handler = (e, c, cb) => {}`}, `null`},
		{"context.succeed", "nodejs12.x", "index.handler", map[string]string{"index.js": `exports.handler = (e, c) => { c.succeed("old") }`}, `"old"`},
		{"context.done", "nodejs12.x", "index.handler", map[string]string{"index.js": `exports.handler = (e, c) => { c.done(null, "done") }`}, `"done"`},
		{"undefined", "nodejs20.x", "index.handler", map[string]string{"index.js": `exports.handler = async () => {}`}, `null`},
		{"mjs", "nodejs20.x", "index.handler", map[string]string{"index.mjs": `export const handler = async (e) => "module"`}, `"module"`},
		{"type module", "nodejs22.x", "index.handler", map[string]string{"index.js": `import path from "path"; export const handler = async () => path.basename("/a/b")`, "package.json": `{"type":"module"}`}, `"b"`},
		{"top-level await", "nodejs20.x", "index.handler", map[string]string{"index.mjs": `const v = await Promise.resolve(7); export const handler = async () => v`}, `7`},
		{"cjs", "nodejs20.x", "index.handler", map[string]string{"index.cjs": `exports.handler = async () => "cjs"`, "package.json": `{"type":"module"}`}, `"cjs"`},
		{"nested path", "nodejs20.x", "src/app.handler", map[string]string{"src/app.js": `exports.handler = async () => require("./lib/x")`, "src/lib/x.js": `module.exports = "nested"`}, `"nested"`},
		{"nested name", "nodejs20.x", "index.routes.get", map[string]string{"index.js": `exports.routes = { get: async () => "got" }`}, `"got"`},
		{"streaming", "nodejs20.x", "index.handler", map[string]string{"index.js": `exports.handler = awslambda.streamifyResponse(async (e, out) => { out.write("a"); out.write("b"); out.end() })`}, `ab`},
		{"environment", "nodejs20.x", "index.handler", map[string]string{"index.js": `exports.handler = async (e, c) => [process.env.OWN, process.env.AWS_LAMBDA_FUNCTION_NAME, process.env.TZ, process.env._HANDLER, process.cwd() === process.env.LAMBDA_TASK_ROOT, c.functionName, c.memoryLimitInMB, c.getRemainingTimeInMillis() > 5000, c.invokedFunctionArn, c.awsRequestId.length, process.env._X_AMZN_TRACE_ID.slice(0, 5)]`},
			`["own","fn",":UTC","index.handler",true,"fn","512",true,"arn:aws:lambda:us-east-1:000000000000:function:fn",36,"Root="]`},
	}
	t.Run("all", func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				fn := node(t, tt.runtime, tt.files)
				fn.Handler, fn.Env = tt.handler, map[string]string{"OWN": "own"}
				r := invoke(t, s, fn, `{"a":1}`)
				wantPayload(t, r, tt.want)
				if !r.Cold || r.Init == 0 {
					t.Errorf("first invocation: cold %v, init %v", r.Cold, r.Init)
				}
				s.Retire(fn.key())
			})
		}
	})
}

func TestNodeErrors(t *testing.T) {
	s, book := newSandbox(t)
	tests := []struct {
		name, handler, code string
		kind, message       string
	}{
		{"thrown", "index.handler", `exports.handler = async () => { throw new TypeError("bad") }`, "TypeError", "bad"},
		{"thrown at once", "index.handler", `exports.handler = () => { throw new Error("sync") }`, "Error", "sync"},
		{"callback", "index.handler", `exports.handler = (e, c, cb) => cb("words")`, "string", "words"},
		{"context.fail", "index.handler", `exports.handler = (e, c) => c.fail(new Error("failed"))`, "Error", "failed"},
		{"rejection", "index.handler", `exports.handler = async () => { Promise.reject(new Error("lost")); await new Promise(r => setTimeout(r, 1000)) }`, "Runtime.UnhandledPromiseRejection", "Error: lost"},
		{"uncaught", "index.handler", `exports.handler = async () => { setTimeout(() => { throw new RangeError("far") }, 5); await new Promise(r => setTimeout(r, 1000)) }`, "RangeError", "far"},
		{"exit", "index.handler", `exports.handler = async () => process.exit(3)`, "Runtime.ExitError", "Runtime exited with error: exit status 3"},
		{"good exit", "index.handler", `exports.handler = async () => process.exit(0)`, "Runtime.ExitError", "Runtime exited without providing a reason"},
		{"circular", "index.handler", `exports.handler = async () => { const a = {}; a.a = a; return a }`, "Error", "Unable to stringify response body"},
		{"no module", "other.handler", `exports.handler = async () => 1`, "Runtime.ImportModuleError", "Error: Cannot find module 'other'"},
		{"missing dependency", "index.handler", `require("nowhere"); exports.handler = async () => 1`, "Runtime.ImportModuleError", "Error: Cannot find module 'nowhere'"},
		{"no handler", "index.missing", `exports.handler = async () => 1`, "Runtime.HandlerNotFound", "index.missing is undefined or not exported"},
		{"no function", "index.handler", `exports.handler = 5`, "Runtime.HandlerNotFound", "index.handler is not a function"},
		{"syntax", "index.handler", `exports.handler = async () => {`, "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected end of input"},
		{"malformed", "index", `exports.handler = async () => 1`, "Runtime.MalformedHandlerName", "Bad handler"},
		{"init throws", "index.handler", `throw new Error("at init")`, "Error", "at init"},
		{"init exits", "index.handler", `process.exit(4)`, "Runtime.ExitError", "Runtime exited with error: exit status 4"},
	}
	t.Run("all", func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				fn := node(t, "nodejs20.x", map[string]string{"index.js": tt.code})
				fn.Handler = tt.handler
				f := failureOf(t, invoke(t, s, fn, `{}`))
				if f.Type != tt.kind || !strings.Contains(f.Message, tt.message) {
					t.Errorf("got %s: %s; want %s: %s", f.Type, f.Message, tt.kind, tt.message)
				}
				if !strings.HasPrefix(tt.kind, "Runtime.") && tt.kind != "string" && len(f.Trace) == 0 {
					t.Error("no trace")
				}
				s.Retire(fn.key())
			})
		}
	})
	if !strings.Contains(book.text(), "ERROR\tInvoke Error \t{\"errorType\":\"TypeError\"") {
		t.Errorf("the log does not tell of the error:\n%s", book.text())
	}
}
