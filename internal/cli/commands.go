package cli

import (
	"github.com/spf13/cobra"

	"evo/internal/cli/app"
	"evo/internal/cli/cmd/buildcmd"
	"evo/internal/cli/cmd/check"
	"evo/internal/cli/cmd/cloudcmd"
	"evo/internal/cli/cmd/deletecmd"
	"evo/internal/cli/cmd/demo"
	"evo/internal/cli/cmd/deploy"
	"evo/internal/cli/cmd/fitness"
	"evo/internal/cli/cmd/initcmd"
	"evo/internal/cli/cmd/list"
	"evo/internal/cli/cmd/local"
	"evo/internal/cli/cmd/logscmd"
	"evo/internal/cli/cmd/packagecmd"
	"evo/internal/cli/cmd/publishcmd"
	"evo/internal/cli/cmd/rolloutcmd"
	"evo/internal/cli/cmd/transform"
	"evo/internal/cli/cmd/validate"
)

// commands returns all commands.
func commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{
		demo.New(a),
		initcmd.New(a),
		validate.New(a),
		transform.New(a),
		check.New(a),
		fitness.New(a),
		buildcmd.New(a),
		packagecmd.New(a),
		publishcmd.New(a),
		local.New(a),
		deploy.New(a),
		rolloutcmd.New(a),
		list.New(a),
		logscmd.New(a),
		deletecmd.New(a),
		cloudcmd.New(a),
	}
}
