// Package loopback finds addresses for servers that tests and measurements
// start, stop and start again.
package loopback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Addresses returns n different loopback addresses that nobody listens on.
//
// They are to be free still when a server comes back, and while other tests
// look for addresses of their own. So they are on a host that is chosen at
// random from 127.0.0.0/8: outgoing connections come from 127.0.0.1 and take no
// port there. Where the system has only 127.0.0.1, as macOS, nothing keeps them
// free.
func Addresses(n int) (addresses []string, err error) {
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	if l, err := net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		host = "127.0.0.1"
	} else if err := l.Close(); err != nil {
		return nil, err
	}
	for range n {
		// Open until the last is found: or one port could be found twice.
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
