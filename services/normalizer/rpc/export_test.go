package rpc

import "time"

// SetPatience sets how long a watcher may take to make room for a message.
func (s *Events) SetPatience(d time.Duration) { s.patience = d }
