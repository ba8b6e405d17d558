package shape

import (
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"evo/internal/cfn"
)

const functionType = "AWS::Lambda::Function"

// Function are the named properties of a function, as Properties takes them. f is its configuration, which operations answer with as
// different types; layers and image are what it has of these.
func Function(f any, layers []types.Layer, image *types.ImageConfigResponse, names ...string) *cfn.Node {
	n := Properties(functionType, f, map[string]string{"Layers": "-", "ImageConfig": "-"}, names...)
	versions := cfn.Arr()
	for _, l := range layers {
		versions.Items = append(versions.Items, cfn.Str(text(l.Arn)))
	}
	if len(layers) > 0 {
		n.Set("Layers", versions)
	}
	if image != nil {
		if c := Property(functionType, "ImageConfig", image.ImageConfig, nil); c != nil {
			n.Set("ImageConfig", c)
		}
	}
	return n
}
