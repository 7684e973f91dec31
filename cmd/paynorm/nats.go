package main

import (
	"fmt"

	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/serve"
)

// natsCmd is what has to do with an external NATS cluster.
type natsCmd struct {
	Permissions natsPermissionsCmd `cmd:"" help:"Print nats.users of the configuration as accounts of nats-server, for an external cluster."`
}

type natsPermissionsCmd struct{ configFlag }

// Run prints the accounts.
func (c *natsPermissionsCmd) Run(e *environment) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(e.stdout, serve.NATSPermissions(cfg))
	return err
}
