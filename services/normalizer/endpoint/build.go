package endpoint

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	eventv1 "github.com/paynorm/paynorm/gen/paynorm/event/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/services/normalizer/provider"
)

// Load reads the configuration file path and builds its endpoints. Errors name
// the file, the line and the field.
func Load(path string, adapters []provider.Adapter, getenv func(string) (string, bool)) (*configv1.Config, *Set, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, nil, err
	}
	set, problems := build(cfg, filepath.Dir(path), adapters, getenv)
	if len(problems) == 0 {
		return cfg, set, nil
	}
	for _, p := range problems {
		p.Position = config.Locate(path, p.Field)
	}
	return nil, nil, join(problems)
}

// Build makes the endpoints of cfg, whose secret files lie relative to dir, the
// folder of the configuration file. Everything that would leave an endpoint
// open or unable to authenticate is an error; all errors are reported at once,
// each as *Error, and none shows a secret.
func Build(cfg *configv1.Config, dir string, adapters []provider.Adapter, getenv func(string) (string, bool)) (*Set, error) {
	set, problems := build(cfg, dir, adapters, getenv)
	if len(problems) > 0 {
		return nil, join(problems)
	}
	return set, nil
}

func build(cfg *configv1.Config, dir string, adapters []provider.Adapter, getenv func(string) (string, bool)) (*Set, []*Error) {
	b := builder{
		secrets:  config.Secrets{Dir: dir, Getenv: getenv},
		adapters: map[string]provider.Adapter{},
		set:      &Set{endpoints: map[key]*Endpoint{}},
	}
	for _, a := range adapters {
		id := a.Describe().ID
		b.adapters[id] = a
		b.known = append(b.known, id)
	}
	for i, e := range cfg.GetEndpoints() {
		b.endpoint(i, e)
	}
	return b.set, b.problems
}

type builder struct {
	secrets  config.Secrets
	adapters map[string]provider.Adapter
	known    []string // the adapters' IDs
	set      *Set
	problems []*Error
}

func (b *builder) endpoint(index int, e *configv1.Endpoint) {
	field := fmt.Sprintf("endpoints[%d]", index)
	report := func(member string, err error) {
		b.problems = append(b.problems, &Error{Field: field + member, Provider: e.GetProvider(), Merchant: e.GetMerchant(), Err: err})
	}
	adapter, ok := b.adapters[e.GetProvider()]
	if !ok {
		report(".provider", fmt.Errorf("unknown provider; known are %s", strings.Join(b.known, ", ")))
		return
	}
	mode, ok := map[string]eventv1.Mode{"live": eventv1.Mode_MODE_LIVE, "test": eventv1.Mode_MODE_TEST}[e.GetMode()]
	if !ok {
		report(".mode", errors.New("want live or test"))
	}
	k := key{e.GetProvider(), e.GetMerchant()}
	if _, twice := b.set.endpoints[k]; twice {
		report("", errors.New("configured twice"))
	}
	desc := adapter.Describe()
	keys := readKeys(e.GetAuth(), desc.Schemes, b.secrets, report)
	b.set.endpoints[k] = &Endpoint{
		Provider: e.GetProvider(), Merchant: e.GetMerchant(), Mode: mode, ExpectAccounts: e.GetExpectAccounts(),
		Keys:    keys,
		Adapter: adapter, Acknowledgement: desc.Acknowledgement,
		Redact: redact(e.GetAuth()), Secrets: carried(keys),
	}
}

// redact names the headers that carry credentials: those of HTTP itself, and the configured ones.
func redact(auth []*configv1.Auth) []string {
	names := []string{"authorization", "cookie", "proxy-authorization"}
	for _, a := range auth {
		if h := a.GetHeader(); h != nil {
			names = append(names, strings.ToLower(h.GetName()))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// carried lists the secrets that senders put into their requests.
func carried(keys provider.Keys) []provider.Secret {
	var secrets []provider.Secret
	for _, k := range keys.URLTokens {
		secrets = append(secrets, k.Value)
	}
	for _, k := range keys.Headers {
		secrets = append(secrets, k.Value)
	}
	for _, k := range keys.OAuth2 {
		secrets = append(secrets, k.Value)
	}
	slices.SortFunc(secrets, func(a, b provider.Secret) int { return cmp.Or(len(b)-len(a), strings.Compare(string(a), string(b))) })
	return slices.Compact(secrets)
}

func join(problems []*Error) error {
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}
