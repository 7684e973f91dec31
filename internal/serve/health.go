package serve

import (
	"sync"

	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// ledgerHealth passes what the ledger says of itself on to grpc.health.v1, which
// is where the gateway of another process looks.
type ledgerHealth struct {
	mu     sync.Mutex
	down   bool
	server *health.Server // nil until there is one
}

func newHealth() *ledgerHealth { return &ledgerHealth{} }

// set takes why the ledger refuses deliveries, nil when it does not.
func (h *ledgerHealth) set(cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = cause != nil
	h.report()
}

// tell says from now on to server how the ledger is.
func (h *ledgerHealth) tell(server *health.Server) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.server = server
	h.report()
}

func (h *ledgerHealth) report() {
	if h.server == nil {
		return
	}
	status := healthv1.HealthCheckResponse_SERVING
	if h.down {
		status = healthv1.HealthCheckResponse_NOT_SERVING
	}
	h.server.SetServingStatus("", status)
}
