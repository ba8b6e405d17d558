package sandbox

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// environ is the environment of a function's process: what AWS sets, with this machine's folders, then the function's own.
func (e *environment) environ(pl *plan, cred Credentials) []string {
	fn := e.fn
	vars := map[string]string{
		"AWS_REGION": fn.region(), "AWS_DEFAULT_REGION": fn.region(),
		"AWS_EXECUTION_ENV":               "AWS_Lambda_" + fn.Runtime,
		"AWS_LAMBDA_FUNCTION_NAME":        fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     fn.version(),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(fn.memory()),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       fn.logGroup(),
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream,
		"AWS_LAMBDA_RUNTIME_API":          e.api.address(),
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":         "127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS":        "127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"LAMBDA_TASK_ROOT":                fn.Code,
		"LAMBDA_RUNTIME_DIR":              filepath.Join(pl.runtime, pl.family),
		"_HANDLER":                        fn.Handler,
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
		"PWD":                             fn.Code,
		"TMPDIR":                          filepath.Join(e.dir, "tmp"),
	}
	if fn.JSONLogs {
		vars["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
	}
	if pl.family == "node" { // the SDKs that AWS's own runtimes bring do not tell a function's log what Node.js to move to
		vars["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"], vars["AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE"] = "true", "1"
	}
	if fn.Endpoint != "" {
		vars["AWS_ENDPOINT_URL"] = fn.Endpoint
	}
	if cred.AccessKey != "" {
		vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"] = cred.AccessKey, cred.Secret
		if cred.Token != "" {
			vars["AWS_SESSION_TOKEN"] = cred.Token
		}
	}
	e.inherit(vars)
	for name, value := range fn.Env {
		vars[name] = value
	}
	for name, value := range pl.searchPaths(e.pool.box.cfg.Getenv("PATH")) {
		if own := fn.Env[name]; own != "" {
			value = own + string(filepath.ListSeparator) + value
		}
		vars[name] = value
	}
	if pl.wrapper != "" {
		vars["AWS_LAMBDA_EXEC_WRAPPER"] = pl.wrapper
	}
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		if !strings.ContainsRune(value, 0) { // the operating system knows no such value, and would refuse all
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}

// inherit passes on how this machine reaches the network, and nothing else of its environment.
func (e *environment) inherit(vars map[string]string) {
	names := []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"}
	if runtime.GOOS == "windows" {
		names = append(names, "SystemRoot", "TEMP", "TMP")
	}
	for _, name := range names {
		if v := e.pool.box.cfg.Getenv(name); v != "" {
			vars[name] = v
		}
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		vars[name] = strings.TrimPrefix(e.pool.box.cfg.Getenv(name)+",localhost,127.0.0.1", ",")
	}
}

// searchPaths are the variables that lead a process to its layers, its SDK and its tools. What AWS unpacks to /opt in one
// folder lies in one folder for each layer here, the last layer first.
func (pl *plan) searchPaths(path string) map[string]string {
	fn := pl.fn
	lists := map[string][]string{}
	add := func(name string, dirs ...string) { lists[name] = append(lists[name], dirs...) }
	if pl.family != "provided" {
		add("PATH", filepath.Dir(pl.path))
	}
	add("PATH", filepath.SplitList(path)...)
	add("LD_LIBRARY_PATH", fn.Code, filepath.Join(fn.Code, "lib"))
	for _, l := range slices.Backward(fn.Layers) {
		add("PATH", filepath.Join(l, "bin"))
		add("LD_LIBRARY_PATH", filepath.Join(l, "lib"))
		switch pl.family {
		case "node":
			add("NODE_PATH", filepath.Join(l, "nodejs", fmt.Sprintf("node%d", pl.major), "node_modules"), filepath.Join(l, "nodejs", "node_modules"))
		case "python":
			add("PYTHONPATH", filepath.Join(l, "python", "lib", fmt.Sprintf("python3.%d", pl.minor), "site-packages"), filepath.Join(l, "python"))
		}
	}
	switch pl.family {
	case "node":
		if pl.sdk != "" {
			add("NODE_PATH", filepath.Join(pl.sdk, "node_modules"))
		}
		add("NODE_PATH", fn.Code, filepath.Join(pl.runtime, "node", "modules"))
	case "python":
		if pl.sdk != "" {
			add("PYTHONPATH", pl.sdk)
		}
		add("PYTHONPATH", filepath.Join(pl.runtime, "python", "modules"))
	}
	vars := map[string]string{}
	if pl.family == "python" {
		vars["PYTHONDONTWRITEBYTECODE"] = "1" // AWS's code folders cannot be written to; here they may be somebody's sources
	}
	for name, dirs := range lists {
		vars[name] = strings.Join(dirs, string(filepath.ListSeparator))
	}
	return vars
}
