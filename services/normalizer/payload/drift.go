package payload

// MaxDrift is how many members of one delivery are reported at most that are
// not as the provider documents them.
const MaxDrift = 16
