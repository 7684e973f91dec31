package procfs

// Read reads a folder that stands for /proc.
var Read = read
