package ledger

// FarDeliveries is from how many deliveries on the writer waits for who follows.
const FarDeliveries = farDeliveries

// WaitedInVain says whether the writer has waited for who follows, who took nothing since.
func (l *Ledger) WaitedInVain() bool {
	l.held.mu.Lock()
	defer l.held.mu.Unlock()
	return l.held.stalled
}
