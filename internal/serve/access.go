package serve

import (
	"errors"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/services/gateway"
	"github.com/paynorm/paynorm/services/normalizer/access"
)

// newGate makes the gate that reads go through. Its policy is set when the
// configuration is loaded.
func (p *process) newGate() *access.Gate { return &access.Gate{Now: time.Now} }

// setPolicy puts the policy of cfg in place, which may be newer than the
// configuration that the servers were started with.
func (p *process) setPolicy(gate *access.Gate, cfg *configv1.Config) error {
	policy, err := access.NewPolicy(cfg.GetAccess(), p.secrets())
	if err != nil {
		return err
	}
	if policy.Open() && config.ReadsNeedTokens(p.Config) {
		return errors.New("access: the last token cannot be taken out while paynorm runs, because that would open its servers to anybody; restart it")
	}
	gate.Set(policy)
	return nil
}

// sayWhoMayRead warns when nobody is asked who they are.
func (p *process) sayWhoMayRead(gate *access.Gate) {
	if !gate.Open() {
		return
	}
	where := "on loopback, for development"
	if p.Config.GetAccess().GetInsecure() {
		where = "to everybody who reaches it, as access.insecure says"
	}
	p.Logger.Warn("the read API is open "+where+"; the configuration has no access.tokens and no access.jwt", "http", p.addresses.HTTP, "grpc", p.addresses.GRPC)
}

// edgeLimits are the gateway's limits that depend on who sends.
func edgeLimits(o *gateway.Options, cfg *configv1.Http) error {
	for _, cidr := range cfg.GetTrustedProxies() {
		p, err := config.ParseCIDR(cidr)
		if err != nil {
			return err // the configuration was checked
		}
		o.TrustedProxies = append(o.TrustedProxies, p)
	}
	o.EndpointRate = gateway.Rate{PerSecond: cfg.GetEndpointRate().GetPerSecond(), Burst: int(cfg.GetEndpointRate().GetBurst())}
	o.AddressRate = gateway.Rate{PerSecond: cfg.GetAddressRate().GetPerSecond(), Burst: int(cfg.GetAddressRate().GetBurst())}
	return nil
}
