package e2e

import "testing"

// TestCommandsOfTheREADMEWork runs every command of the README in order, with
// ports and data of its own.
func TestCommandsOfTheREADMEWork(t *testing.T) {
	d := newDemo(t)
	d.run(t, blocks(t, "README.md"))
	d.finish(t)
	d.atLeast(t, map[string]int{"server": 1, "background": 2, "run": 4})
}
