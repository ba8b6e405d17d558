package sandbox

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// The real SDKs, installed from the network, find the cloud that the environment names. Set EVO_TEST_SDK to run it.
func TestRealSDKs(t *testing.T) {
	if os.Getenv("EVO_TEST_SDK") == "" {
		t.Skip("EVO_TEST_SDK is not set: nothing is installed from the network")
	}
	var asked []string
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Amz-Target"))
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Write([]byte(`{"TableNames":["here"]}`))
	}))
	defer cloud.Close()
	s, book := newSandbox(t, func(c *Config) { c.Cache = os.Getenv("EVO_TEST_SDK") })
	functions := map[string]*Function{
		"aws-sdk":      node(t, "nodejs12.x", map[string]string{"index.js": `const AWS = require("aws-sdk"); exports.handler = async () => { await new AWS.S3().getBucketAcl({Bucket:"b"}).promise().catch(() => 0); return (await new AWS.DynamoDB().listTables().promise()).TableNames }`}),
		"@aws-sdk":     node(t, "nodejs20.x", map[string]string{"index.js": `const { DynamoDBClient, ListTablesCommand } = require("@aws-sdk/client-dynamodb"); const c = new DynamoDBClient({}); exports.handler = async () => (await c.send(new ListTablesCommand({}))).TableNames`}),
		"@aws-sdk esm": node(t, "nodejs20.x", map[string]string{"index.mjs": `import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb"; const c = new DynamoDBClient({}); export const handler = async () => (await c.send(new ListTablesCommand({}))).TableNames`}),
		"boto3":        python(t, map[string]string{"app.py": "import boto3\ndef handler(event, context): return boto3.client('dynamodb').list_tables()['TableNames']"}),
	}
	for name, fn := range functions {
		fn.Endpoint, fn.Timeout, fn.Env = cloud.URL, 30*time.Second, map[string]string{"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
		r := invoke(t, s, fn, `{}`)
		if string(r.Payload) != `["here"]` || r.FunctionError != "" {
			t.Errorf("%s: %s\n%s", name, r.Payload, book.text())
		}
		t.Logf("%s: init %v, %d MB, %v", name, r.Init, r.MaxMemory, strings.Join(asked, ", "))
		asked = nil
	}
}
