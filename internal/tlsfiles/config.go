package tlsfiles

import "crypto/tls"

// Server returns the configuration of a server that offers protocols by ALPN.
// With a CA, clients must show a certificate that it signed. Otherwise ask says
// whether clients are asked for a certificate at all; then it is theirs to show
// one, they have proved to hold its key, and nobody has checked who signed it.
func (s *Source) Server(ask bool, protocols ...string) *tls.Config {
	settings := func() *tls.Config {
		now := s.get()
		c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols}
		if now.certificate != nil {
			c.Certificates = []tls.Certificate{*now.certificate}
		}
		switch {
		case now.roots != nil:
			c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, now.roots
		case ask:
			c.ClientAuth = tls.RequestClientCert
		}
		// Tickets would let a client that was verified come back without being
		// verified against the files of today.
		c.SessionTicketsDisabled = now.roots != nil
		return c
	}
	c := settings()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return settings(), nil }
	return c
}

// Client returns the configuration of a client. The server's certificate must
// be signed by the CA, or one of the system's roots when there is none, and be
// that of serverName, or of the host that is dialed when that is empty. A changed
// CA needs a new configuration; our own certificate does not.
func (s *Source) Client(serverName string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName, RootCAs: s.get().roots}
	if s.files.Certificate != "" {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.get().certificate, nil }
	}
	return c
}
