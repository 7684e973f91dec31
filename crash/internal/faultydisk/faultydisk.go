// Package faultydisk runs a program on a disk that can be full, or slow. The
// program gets the errors that it would get from the kernel: a write that makes
// a file longer takes what room is left, and then fails with ENOSPC; an fsync
// takes as long as it is told to.
//
// Writing over what is there needs no room, and neither do names: that is how
// ext4 and XFS are when they are full.
package faultydisk
