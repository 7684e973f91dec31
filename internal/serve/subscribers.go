package serve

import (
	"fmt"

	"github.com/nats-io/nats.go"
	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/natsd"
)

// NATSPermissions returns who may subscribe by the configuration, as the
// configuration of an external nats-server.
func NATSPermissions(cfg *configv1.Config) string { return natsd.Permissions(declared(cfg)) }

// declared are the users of cfg, without passwords.
func declared(cfg *configv1.Config) (users []natsd.User) {
	for _, u := range cfg.GetNats().GetUsers() {
		user := natsd.User{Name: u.GetName(), Merchants: u.GetMerchants(), Providers: u.GetProviders()}
		for _, c := range u.GetConsumers() {
			user.Consumers = append(user.Consumers, natsd.Consumer{Name: c.GetName(), Content: c.GetContent()})
		}
		users = append(users, user)
	}
	return users
}

// subscribers are the users of the configuration, with their passwords.
func (p *process) subscribers() ([]natsd.User, error) {
	users := declared(p.Config)
	for i, u := range p.Config.GetNats().GetUsers() {
		password, err := p.secrets().Read(u.GetPassword())
		if err != nil {
			field := fmt.Sprintf("nats.users[%d].password", i)
			return nil, fmt.Errorf("%s: %s: %w", config.Locate(p.ConfigFile, field), field, err)
		}
		users[i].Password = password
	}
	return users, nil
}

// login is how paynorm logs in to an external cluster.
func (p *process) login() (options []nats.Option, err error) {
	cfg := p.Config.GetNats()
	if cfg.GetUser() != "" {
		password, err := p.secrets().Read(cfg.GetPassword())
		if err != nil {
			return nil, fmt.Errorf("nats.password: %w", err)
		}
		options = append(options, nats.UserInfo(cfg.GetUser(), password))
	}
	if file := cfg.GetCredentialsFile(); file != "" {
		options = append(options, nats.UserCredentials(p.secrets().Path(file)))
	}
	c, err := p.clientTLS("nats.cluster_tls", cfg.GetClusterTls())
	if err != nil {
		return nil, err
	}
	if c != nil {
		options = append(options, nats.Secure(c))
	}
	return options, nil
}
