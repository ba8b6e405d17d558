// Package kill answers: what is left of the embedded cloud when its process is killed? Its test runs the real program, deploys
// an application with it again and again, and ends it with SIGKILL at random moments of linear deployments, while writers note
// what was acknowledged to them. It runs only where EVO_KILLS says how often: test/kill.sh does.
package kill
