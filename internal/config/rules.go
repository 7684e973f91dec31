package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// checkRules checks what the schema cannot state: rules across fields, and
// texts that have a form of their own.
func checkRules(doc *document, cfg *configv1.Config) []Problem {
	var problems []Problem
	report := func(field, format string, args ...any) {
		problems = append(problems, doc.problem(field, format, args...))
	}
	checkAddresses(cfg, report)
	checkRoom(cfg.GetHttp(), report)
	checkNats(cfg.GetNats(), report)
	checkEndpoints(doc, cfg.GetEndpoints(), report)
	checkExposure(cfg, report)
	checkTLS(cfg, report)
	checkLogin(cfg.GetNats(), report)
	checkNames(doc, cfg, report)
	checkRanges("http.trusted_proxies", cfg.GetHttp().GetTrustedProxies(), report)
	return problems
}

type reporter func(field, format string, args ...any)

func checkAddresses(cfg *configv1.Config, report reporter) {
	for _, a := range []struct{ field, value string }{
		{"http.address", cfg.GetHttp().GetAddress()},
		{"grpc.address", cfg.GetGrpc().GetAddress()},
		{"metrics.address", cfg.GetMetrics().GetAddress()},
		{"nats.address", cfg.GetNats().GetAddress()},
		{"gateway.normalizer_address", cfg.GetGateway().GetNormalizerAddress()},
	} {
		if a.value == "" {
			continue
		}
		if err := checkAddress(a.value); err != nil {
			report(a.field, `want host:port, for example "127.0.0.1:8080": %s`, err)
		}
	}
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	var malformed *net.AddrError
	if errors.As(err, &malformed) {
		return errors.New(malformed.Err) // without the address, which is in the file
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("the port is not a number from 0 to 65535")
	}
	return nil
}

func checkRoom(http *configv1.Http, report reporter) {
	largest := cmp.Or(http.GetMaxBodyBytes(), DefaultMaxBodyBytes)
	if room := http.GetMaxBytesInFlight(); room > 0 && room < largest {
		report("http.max_bytes_in_flight", "must be at least http.max_body_bytes (%d), or no body of that size is ever taken", largest)
	}
}

func checkNats(nats *configv1.Nats, report reporter) {
	if nats.GetUrl() != "" && nats.GetAddress() != "" {
		report("nats.url", "excludes nats.address: the one is an external cluster, the other the embedded server")
	}
	if nats.GetReplicas() > 1 && nats.GetUrl() == "" {
		report("nats.replicas", "%d replicas need nats.url: the embedded server is one", nats.GetReplicas())
	}
	if nats.GetUrl() == "" {
		return
	}
	for part := range strings.SplitSeq(nats.GetUrl(), ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			report("nats.url", `want addresses such as "nats://host:4222", separated by commas`) // without the text: it may hold a password
			return
		}
		if u.User != nil {
			report("nats.url", "names a user; give nats.user and nats.password, because a secret is never written here")
			return
		}
	}
}

func checkEndpoints(doc *document, endpoints []*configv1.Endpoint, report reporter) {
	first := map[[2]string]string{}
	for i, e := range endpoints {
		field := fmt.Sprintf("endpoints[%d]", i)
		key := [2]string{e.GetProvider(), e.GetMerchant()}
		if before, ok := first[key]; ok {
			report(field, "%s/%s is configured at line %d already", key[0], key[1], doc.at(before).line)
		} else if key[0] != "" && key[1] != "" {
			first[key] = field
		}
		if len(e.GetAuth()) == 0 {
			report(field+".auth", "no auth: anybody could forge webhooks; if that is meant, write auth: [{none: {i_accept_forged_webhooks: true}}]")
		}
		for n, a := range e.GetAuth() {
			checkAuth(fmt.Sprintf("%s.auth[%d]", field, n), a, len(e.GetAuth()) > 1, report)
		}
	}
}

func checkAuth(field string, a *configv1.Auth, others bool, report reporter) {
	if a.GetNone() != nil && others {
		report(field+".none", "none stands alone: beside other entries it would say nothing, or switch them off")
	}
	checkRanges(field+".source_ip.cidrs", a.GetSourceIp().GetCidrs(), report)
}

func checkRanges(field string, cidrs []string, report reporter) {
	for i, cidr := range cidrs {
		if cidr == "" {
			continue
		}
		if _, err := ParseCIDR(cidr); err != nil {
			report(fmt.Sprintf("%s[%d]", field, i), "%s", err)
		}
	}
}

// ParseCIDR reads an address range. The addresses of senders are compared as
// IPv4 wherever they are, so that a range of IPv4 addresses in IPv6 form would
// match nobody and is refused.
func ParseCIDR(cidr string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return netip.Prefix{}, errors.New(`want a range such as "203.0.113.0/24", or "203.0.113.7/32" for one address`)
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("write an IPv4 range in its IPv4 form")
	}
	return p.Masked(), nil
}
