package fitness

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoFloats looks for floating point in what computes verdicts. Only CEL's own numbers are such, and these are rounded to
// exact ones before they leave the package expression.
func TestNoFloats(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.go", "exact/*.go", "report/*.go", "suitefile/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if n.Name == "float64" || n.Name == "float32" || n.Name == "ParseFloat" || n.Name == "Float64" {
					t.Errorf("%s: %s", file, n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					t.Errorf("%s: %s", file, n.Value)
				}
			}
			return true
		})
	}
}
