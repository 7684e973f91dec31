package loopback_test

import (
	"net"
	"slices"
	"testing"

	"github.com/paynorm/paynorm/internal/loopback"
)

func TestAddressesAreDifferentAndFree(t *testing.T) {
	addresses, err := loopback.Addresses(100)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(addresses)))); n != 100 {
		t.Fatalf("%d different addresses of 100", n)
	}
	for _, a := range addresses {
		l, err := net.Listen("tcp", a)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
			t.Errorf("%v is not on the loopback interface", ip)
		}
		c, err := net.Dial("tcp", a)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
}

// A connection to such an address must not take a port next to it.
func TestConnectionsComeFromElsewhere(t *testing.T) {
	addresses, err := loopback.Addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if from := c.LocalAddr().(*net.TCPAddr).IP.String(); from != "127.0.0.1" {
		t.Errorf("comes from %s", from)
	}
}
