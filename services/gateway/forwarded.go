package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// sender returns the address that r comes from, as host:port or as an address
// alone. X-Forwarded-For counts only when the connection is from a trusted
// proxy: each proxy adds the address that it saw to the right, so the right-most
// one that is no trusted proxy is the last that somebody we trust has seen.
// Everything to its left could be written by the sender itself.
func (g *Gateway) sender(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !g.trusted(peer.Addr()) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	last := r.RemoteAddr
	for _, hop := range slices.Backward(hops) {
		address, ok := hopAddress(strings.TrimSpace(hop))
		if !ok {
			return last // what stands here was not written by one of our proxies
		}
		last = address.String()
		if !g.trusted(address) {
			return last
		}
	}
	return last
}

func (g *Gateway) trusted(a netip.Addr) bool {
	a = a.Unmap()
	return slices.ContainsFunc(g.o.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// hopAddress reads an address, which some proxies write with a port.
func hopAddress(text string) (netip.Addr, bool) {
	if both, err := netip.ParseAddrPort(text); err == nil {
		return both.Addr().Unmap(), true
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return address.Unmap(), err == nil && address.Zone() == ""
}
