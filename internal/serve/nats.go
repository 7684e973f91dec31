package serve

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/paynorm/paynorm/internal/natsd"
)

const (
	// embeddedAck is how long a commit may take on our own disk.
	embeddedAck = 5 * time.Second
	// externalAck keeps the promise that a webhook is refused within a second when NATS is away.
	externalAck = 800 * time.Millisecond
)

// ackTimeout is how long an acknowledgement of NATS may take.
func (p *process) ackTimeout() time.Duration {
	if p.Config.GetNats().GetUrl() != "" {
		return externalAck
	}
	return embeddedAck
}

// eventsBuffer is how many bytes of a batch of events go to the server at once.
const eventsBuffer = 128 << 10

// reachNATS starts the embedded server, or finds the external cluster, and connects to it.
func (p *process) reachNATS(ctx context.Context) (*nats.Conn, error) {
	cfg := p.Config.GetNats()
	if cfg.GetUrl() != "" {
		login, err := p.login()
		if err != nil {
			return nil, err
		}
		p.dial = func(more ...nats.Option) (*nats.Conn, error) {
			nc, err := nats.Connect(cfg.GetUrl(), append(append(more, login...), nats.Name("paynorm"), nats.ErrorHandler(natsd.Logs(p.Logger)), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
				nats.ReconnectWait(200*time.Millisecond), nats.Timeout(2*time.Second), nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2))...)
			if err != nil {
				return nil, fmt.Errorf("nats.url: %w", err)
			}
			return nc, nil
		}
		nc, err := p.connectNATS()
		if err != nil {
			return nil, err
		}
		p.Logger.Info("using an external NATS; run its servers with sync_interval: always, or a power cut takes acknowledged webhooks",
			"server", nc.ConnectedServerName(), "version", nc.ConnectedServerVersion(), "replicas", cfg.GetReplicas())
		if nc.MaxPayload() < natsd.MaxPayload {
			p.Logger.Warn("the NATS server's max_payload is small: larger webhooks are answered 413", "max_payload", nc.MaxPayload(), "recommended", natsd.MaxPayload)
		}
		return nc, nil
	}
	p.lendProcessors()
	users, err := p.subscribers()
	if err != nil {
		return nil, err
	}
	c, err := p.serverTLS("nats.tls", cfg.GetTls(), false)
	if err != nil {
		return nil, err
	}
	server, err := natsd.Start(ctx, natsd.Options{
		Users: users, TLS: c,
		StoreDir: p.file(natsFolder), Address: cfg.GetAddress(), Logger: p.Logger,
	})
	if err != nil {
		return nil, err
	}
	p.closers.push(server.Shutdown)
	p.storage, p.stage = server.Failure, server.Stage
	p.addresses.NATS = server.Address()
	p.dial = func(more ...nats.Option) (*nats.Conn, error) {
		nc, err := server.Connect(more...)
		if err != nil {
			return nil, fmt.Errorf("embedded NATS: %w", err)
		}
		return nc, nil
	}
	return p.connectNATS()
}

// connectNATS connects once more to what reachNATS has found.
func (p *process) connectNATS(more ...nats.Option) (*nats.Conn, error) {
	nc, err := p.dial(more...)
	if err == nil {
		p.closers.push(nc.Close)
	}
	return nc, err
}
