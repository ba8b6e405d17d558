package shape

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"evo/internal/cfn"
)

const restStageType = "AWS::ApiGateway::Stage"

// RestStage are the named properties of a REST API's stage but for its tags, as Properties takes them. st is the stage, which operations
// answer with as different types; settings are its settings by path and method.
func RestStage(st any, settings map[string]types.MethodSetting, names ...string) *cfn.Node {
	n := Properties(restStageType, st, map[string]string{"AccessLogSetting": "AccessLogSettings", "CanarySetting": "CanarySettings",
		"MethodSettings": "-", "Tags": "-"}, names...)
	if cached, _ := n.Get("CacheClusterEnabled").Bool(); !cached {
		n.Delete("CacheClusterSize") // of a cache that is no more
	}
	if m := methodSettings(settings); m != nil {
		n.Set("MethodSettings", m)
	}
	return n
}

// methodSettings makes the API's map by path and method the template's list.
func methodSettings(settings map[string]types.MethodSetting) *cfn.Node {
	if len(settings) == 0 {
		return nil
	}
	list := cfn.Arr()
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		i := strings.LastIndexByte(key, '/')
		if i < 0 {
			continue
		}
		n := Property(restStageType, "MethodSettings", []types.MethodSetting{settings[key]}, nil).Items[0]
		n.Set("HttpMethod", cfn.Str(key[i+1:]))
		n.Set("ResourcePath", cfn.Str("/"+strings.TrimPrefix(strings.ReplaceAll(key[:i], "~1", "/"), "/")))
		list.Items = append(list.Items, n)
	}
	return list
}
