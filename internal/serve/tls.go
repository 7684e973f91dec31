package serve

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"time"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
	"github.com/paynorm/paynorm/internal/config"
	"github.com/paynorm/paynorm/internal/tlsfiles"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// secrets reads what the configuration refers to.
func (p *process) secrets() config.Secrets {
	return config.Secrets{Dir: filepath.Dir(p.ConfigFile), Getenv: p.Getenv}
}

// serverTLS returns how a server speaks TLS, nil when it speaks plain text. ask
// says whether clients are asked for a certificate that somebody else checks.
func (p *process) serverTLS(field string, cfg *configv1.Tls, ask bool, protocols ...string) (*tls.Config, error) {
	if cfg == nil {
		return nil, nil
	}
	files := tlsfiles.Files{Certificate: p.secrets().Path(cfg.GetCertFile()), Key: p.secrets().Path(cfg.GetKeyFile())}
	if ca := cfg.GetClientCaFile(); ca != "" {
		files.CA = p.secrets().Path(ca)
	}
	source, err := tlsfiles.Open(files, time.Now, p.Logger)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return source.Server(ask, protocols...), nil
}

// clientTLS returns how to reach a server with TLS, nil when that is plain text.
func (p *process) clientTLS(field string, cfg *configv1.ClientTls) (*tls.Config, error) {
	if cfg == nil {
		return nil, nil
	}
	var files tlsfiles.Files
	for _, f := range []struct {
		to   *string
		path string
	}{{&files.CA, cfg.GetCaFile()}, {&files.Certificate, cfg.GetCertFile()}, {&files.Key, cfg.GetKeyFile()}} {
		if f.path != "" {
			*f.to = p.secrets().Path(f.path)
		}
	}
	source, err := tlsfiles.Open(files, time.Now, p.Logger)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return source.Client(cfg.GetServerName()), nil
}

// secured is l with TLS, or l itself.
func secured(l net.Listener, c *tls.Config) net.Listener {
	if c == nil {
		return l
	}
	return tls.NewListener(l, c)
}

// asksForCertificates says whether an endpoint authenticates by a certificate.
func asksForCertificates(cfg *configv1.Config) bool {
	for _, e := range cfg.GetEndpoints() {
		for _, a := range e.GetAuth() {
			if a.GetClientCertificate() != nil {
				return true
			}
		}
	}
	return false
}

// normalizerCredentials are those of connections to the normalizer of another process.
func (p *process) normalizerCredentials() (grpc.DialOption, error) {
	c, err := p.clientTLS("gateway.normalizer_tls", p.Config.GetGateway().GetNormalizerTls())
	if err != nil {
		return nil, err
	}
	if c == nil {
		return grpc.WithTransportCredentials(insecure.NewCredentials()), nil
	}
	return grpc.WithTransportCredentials(credentials.NewTLS(c)), nil
}

// normalizerToken shows the gateway's own token with each delivery.
func (p *process) normalizerToken() ([]grpc.DialOption, error) {
	g := p.Config.GetGateway()
	if g.GetNormalizerToken() == nil {
		return nil, nil
	}
	token, err := p.secrets().Read(g.GetNormalizerToken())
	if err != nil {
		return nil, fmt.Errorf("gateway.normalizer_token: %w", err)
	}
	return []grpc.DialOption{grpc.WithPerRPCCredentials(bearer{token, g.GetNormalizerTls() != nil})}, nil
}

// bearer is a bearer token. It does not print.
type bearer struct {
	token string
	tls   bool
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. Plain text
// beyond loopback has been refused, or was meant, when the configuration was read.
func (b bearer) RequireTransportSecurity() bool { return b.tls }

// String hides the token.
func (bearer) String() string { return "[redacted]" }

// GoString hides the token.
func (bearer) GoString() string { return "[redacted]" }
