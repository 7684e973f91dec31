// Package powercut runs a program and can cut its power: what it had written and
// not synced is gone, as if the machine had stopped.
//
// It needs no root, no device and no change of the program. The kernel tells it
// of each write and each fsync before they happen (seccomp user notification),
// and it keeps a second copy of the program's data as it is on the platter: at
// an fsync of a file, what is in the file then goes to the copy, and its name
// with it; at an fsync of a folder, the names in it. A power cut kills the
// program, and the copy becomes its data.
//
// What was not synced need not be lost: the kernel writes it back when it likes.
// So at a cut some of it survives, at random: the beginning of what a file has
// more, a new name, a deleted file.
package powercut

// Cut says what a power cut did.
type Cut struct {
	Files     int   // that the program had, at the cut
	LostBytes int64 // that were written and are gone
	LuckBytes int64 // that were not synced and are there
	LostNames int   // names that were given or taken without a sync, and are not
	LuckNames int   // the same, and are
}

// Add adds o to c.
func (c *Cut) Add(o Cut) {
	c.Files = max(c.Files, o.Files)
	c.LostBytes += o.LostBytes
	c.LuckBytes += o.LuckBytes
	c.LostNames += o.LostNames
	c.LuckNames += o.LuckNames
}
