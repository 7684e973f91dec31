package load

import "time"

// Clock says when the deliveries of an open loop are due.
type Clock struct {
	Start time.Time
	Rate  float64 // deliveries per second; 0 is a closed loop
}

// Due returns when delivery seq is due. It is computed from the start, so that
// rounding does not add up.
func (c Clock) Due(seq uint64) time.Time {
	return c.Start.Add(time.Duration(float64(seq) / c.Rate * float64(time.Second)))
}
