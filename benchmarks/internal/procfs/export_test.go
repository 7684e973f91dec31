package procfs

// Read and ReadMachine read a folder that stands for /proc.
var (
	Read        = read
	ReadMachine = machine
)
