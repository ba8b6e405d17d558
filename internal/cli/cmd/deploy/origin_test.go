package deploy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"evo/internal/cli/app"
	"evo/internal/engine"
	"evo/internal/view"
)

// Events of resources that only SAM makes lead to what in the template brought them about.
func TestEventsLeadToTheTemplate(t *testing.T) {
	const text = `Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: x
      Handler: a.b
      Runtime: python3.13
      AutoPublishAlias: live
      DeploymentPreference: {Type: AllAtOnce}
      Events:
        Get: {Type: Api, Properties: {Path: /, Method: get}}
        Records: {Type: Kinesis, Properties: {Stream: "arn:stream", StartingPosition: LATEST}}
`
	dir := t.TempDir()
	path := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &options{app: &app.App{Dir: dir, Now: time.Now}, stack: "shop"}
	var got *view.StackEvent
	emit := o.located(func(e engine.Event) { got = e.Stack }, path, nil)
	for id, want := range map[string]int{
		"Shop": 3, "ShopRole": 3, "ShopAliaslive": 9, "ShopDeploymentGroup": 10, "CodeDeployServiceRole": 10,
		"ServerlessRestApi": 12, "ServerlessRestApiProdStage": 12, "ShopGetPermissionProd": 12, "ShopRecords": 13, "Nothing": 0,
	} {
		emit(engine.Event{Type: engine.TypeEvent, Stack: &view.StackEvent{Stack: "shop", LogicalID: id}})
		if got.Line != want || (got.File != "") != (want > 0) {
			t.Errorf("%s leads to %s:%d, want line %d", id, got.File, got.Line, want)
		}
	}
	emit(engine.Event{Type: engine.TypeEvent, Stack: &view.StackEvent{Stack: "shop-nested", LogicalID: "Shop"}})
	if got.Line != 0 {
		t.Errorf("a nested stack's resource leads to line %d of this template", got.Line)
	}
}
