package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// NATSOptions say how to reach NATS. The zero value is plain text and no login.
type NATSOptions struct {
	Name            string // shows in the server's list of connections
	User, Password  string
	CredentialsFile string // with a JWT and a seed, instead of User and Password
	TLS             *TLS   // nil: as the address says
}

// ConnectNATS connects to the servers of url, separated by commas, and keeps
// connecting again when the connection breaks. The caller closes the connection.
func ConnectNATS(url string, o NATSOptions) (*nats.Conn, error) {
	options := []nats.Option{nats.Name(o.Name), nats.MaxReconnects(-1)}
	if o.User != "" {
		options = append(options, nats.UserInfo(o.User, o.Password))
	}
	if o.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(o.CredentialsFile))
	}
	if o.TLS != nil {
		config, err := o.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("TLS towards %s: %w", url, err)
		}
		options = append(options, nats.Secure(config))
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", url, err)
	}
	return conn, nil
}

// GRPCOptions say how to reach paynorm's gRPC server. The zero value is plain
// text and no token.
type GRPCOptions struct {
	// Token is the bearer token of a configured access. It is sent over TLS, or to this host.
	Token string
	TLS   *TLS // nil: plain text
}

// DialGRPC returns a connection to target, for example "127.0.0.1:9090". It is
// made when it is first used. The caller closes it.
func DialGRPC(target string, o GRPCOptions) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second})}
	transport := insecure.NewCredentials()
	if o.TLS != nil {
		config, err := o.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("TLS towards %s: %w", target, err)
		}
		transport = credentials.NewTLS(config)
	}
	if o.Token != "" {
		if o.TLS == nil && !loopback(target) {
			return nil, errors.New("a token is not sent in plain text to another host: give TLS")
		}
		options = append(options, grpc.WithPerRPCCredentials(token{o.Token, o.TLS != nil}))
	}
	conn, err := grpc.NewClient(target, append(options, grpc.WithTransportCredentials(transport))...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", target, err)
	}
	return conn, nil
}

// loopback reports whether target is an address of this host.
func loopback(target string) bool {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.IsLoopback()
}

// token sends a bearer token with each call.
type token struct {
	secret string
	tls    bool
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (t token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + t.secret}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (t token) RequireTransportSecurity() bool { return t.tls }
