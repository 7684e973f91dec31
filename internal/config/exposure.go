package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// checkExposure refuses servers that would show to a network what only this
// host should see: plain text, reads without tokens, subscribers without users.
func checkExposure(cfg *configv1.Config, report reporter) {
	httpAddress, grpcAddress := beyondLoopback(cfg.GetHttp().GetAddress()), beyondLoopback(cfg.GetGrpc().GetAddress())
	natsAddress := beyondLoopback(cfg.GetNats().GetAddress()) && cfg.GetNats().GetUrl() == ""
	for _, s := range []struct {
		field    string
		exposed  bool
		tls      *configv1.Tls
		insecure bool
	}{
		{"http", httpAddress, cfg.GetHttp().GetTls(), cfg.GetHttp().GetInsecure()},
		{"grpc", grpcAddress, cfg.GetGrpc().GetTls(), cfg.GetGrpc().GetInsecure()},
		{"nats", natsAddress, cfg.GetNats().GetTls(), cfg.GetNats().GetInsecure()},
	} {
		if s.exposed && s.tls == nil && !s.insecure {
			report(s.field+".address", "plain text beyond loopback; give %s.tls or, if that is meant, write %s.insecure: true", s.field, s.field)
		}
	}
	access := cfg.GetAccess()
	if (httpAddress || grpcAddress) && !ReadsNeedTokens(cfg) && !access.GetInsecure() {
		report("access", "anybody who reaches http.address or grpc.address could read; give tokens or jwt or, if that is meant, write insecure: true")
	}
	if natsAddress && len(cfg.GetNats().GetUsers()) == 0 {
		report("nats.users", "anybody who reaches nats.address could subscribe; beyond loopback users are required")
	}
	if address := cfg.GetGateway().GetNormalizerAddress(); beyondLoopback(address) && cfg.GetGateway().GetNormalizerTls() == nil && !cfg.GetGrpc().GetInsecure() {
		report("gateway.normalizer_address", "plain text beyond loopback; give gateway.normalizer_tls or, if that is meant, write grpc.insecure: true")
	}
}

// ReadsNeedTokens says whether cfg declares who may read. Otherwise anybody may.
func ReadsNeedTokens(cfg *configv1.Config) bool {
	return len(cfg.GetAccess().GetTokens())+len(cfg.GetAccess().GetJwt()) > 0
}

// beyondLoopback says whether address, as host:port, is one that other hosts
// may reach. One that is left out is not: the defaults are on loopback.
func beyondLoopback(address string) bool {
	if checkAddress(address) != nil {
		return false // which is reported already
	}
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return !strings.EqualFold(host, "localhost")
	}
	return !ip.Unmap().IsLoopback()
}

// checkTLS checks the certificates that stand in cfg.
func checkTLS(cfg *configv1.Config, report reporter) {
	if cfg.GetHttp().GetTls().GetClientCaFile() != "" {
		report("http.tls.client_ca_file", "not here: an endpoint asks for certificates of its own with client_certificate")
	}
	for field, c := range map[string]*configv1.ClientTls{
		"gateway.normalizer_tls": cfg.GetGateway().GetNormalizerTls(), "nats.cluster_tls": cfg.GetNats().GetClusterTls(),
	} {
		if (c.GetCertFile() == "") != (c.GetKeyFile() == "") {
			report(field, "want cert_file and key_file together")
		}
	}
	if cfg.GetHttp().GetTls() != nil {
		return
	}
	for i, e := range cfg.GetEndpoints() {
		for n, a := range e.GetAuth() {
			if a.GetClientCertificate() != nil {
				report(fmt.Sprintf("endpoints[%d].auth[%d].client_certificate", i, n), "needs http.tls: without it there is no certificate")
			}
		}
	}
}

// checkLogin checks how paynorm logs in to an external cluster.
func checkLogin(nats *configv1.Nats, report reporter) {
	for field, given := range map[string]bool{
		"nats.user": nats.GetUser() != "", "nats.password": nats.GetPassword() != nil,
		"nats.credentials_file": nats.GetCredentialsFile() != "", "nats.cluster_tls": nats.GetClusterTls() != nil,
	} {
		if given && nats.GetUrl() == "" {
			report(field, "is for an external cluster; give nats.url")
		}
	}
	if nats.GetUrl() != "" && nats.GetTls() != nil {
		report("nats.tls", "is for the embedded server; towards a cluster it is nats.cluster_tls")
	}
	if (nats.GetUser() == "") != (nats.GetPassword() == nil) {
		report("nats.user", "want user and password together")
	}
	if nats.GetUser() != "" && nats.GetCredentialsFile() != "" {
		report("nats.credentials_file", "excludes nats.user: log in with one of them")
	}
	if (nats.GetUser() == "" && nats.GetCredentialsFile() == "") || nats.GetClusterTls() != nil || nats.GetInsecure() {
		return
	}
	for part := range strings.SplitSeq(nats.GetUrl(), ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err == nil && (u.Scheme == "nats" || u.Scheme == "ws") && beyondLoopback(net.JoinHostPort(u.Hostname(), "0")) {
			report("nats.url", "would log in over plain text beyond loopback; use tls:// or nats.cluster_tls or, if that is meant, write nats.insecure: true")
			return
		}
	}
}
