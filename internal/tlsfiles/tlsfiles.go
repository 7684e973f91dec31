// Package tlsfiles makes TLS configurations from files of certificates, and
// reads the files again when they change, so that a renewed certificate is used
// without a restart. Everything speaks TLS 1.2 at least.
package tlsfiles

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// lookAgain is how long files are taken for unchanged.
	lookAgain = time.Second
	// maxFile is beyond any chain of certificates, in bytes.
	maxFile = 1 << 20
)

// Files names PEM files. Any of them may be empty; Certificate and Key go together.
type Files struct {
	Certificate string // ours, followed by those between it and the root
	Key         string // its private key
	CA          string // who must have signed the other side's certificate
}

// Source is what Files held when they were last read in full. It is safe for
// concurrent use.
type Source struct {
	files  Files
	now    func() time.Time
	logger *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	sum     [sha256.Size]byte // of what current was read from
	failed  [sha256.Size]byte // of what could not be used, so that it is logged once
	current material
}

// material is the parsed content of Files.
type material struct {
	certificate *tls.Certificate // nil when there is none
	roots       *x509.CertPool   // nil when there are none
}

// Open reads files. Errors name the file. Later changes that cannot be used are
// logged, and what was read before stays in use: a certificate and its key are
// two files, and for a moment they do not fit.
func Open(files Files, now func() time.Time, logger *slog.Logger) (*Source, error) {
	s := &Source{files: files, now: now, logger: logger, looked: now()}
	data, sum, err := files.read()
	if err != nil {
		return nil, err
	}
	if s.current, err = files.parse(data); err != nil {
		return nil, err
	}
	s.sum = sum
	return s, nil
}

// get returns what the files hold now, as far as it can be used.
func (s *Source) get() material {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.looked) < lookAgain && !now.Before(s.looked) {
		return s.current
	}
	s.looked = s.now()
	data, sum, err := s.files.read()
	if err == nil && sum == s.sum {
		return s.current
	}
	var changed material
	if err == nil {
		changed, err = s.files.parse(data)
	}
	if err != nil {
		if sum != s.failed {
			s.logger.Error("the changed certificate files cannot be used; the old ones stay in use", "cause", err)
		}
		s.failed = sum
		return s.current
	}
	s.current, s.sum = changed, sum
	s.logger.Info("the certificate files were read again", "certificate", s.files.Certificate, "ca", s.files.CA)
	return s.current
}

// contents are what the files hold; nil for those that are not given.
type contents struct{ certificate, key, ca []byte }

func (f Files) read() (c contents, sum [sha256.Size]byte, err error) {
	h := sha256.New()
	for _, file := range []struct {
		path string
		data *[]byte
	}{{f.Certificate, &c.certificate}, {f.Key, &c.key}, {f.CA, &c.ca}} {
		if file.path == "" {
			continue
		}
		data, fault := readFile(file.path)
		if fault != nil {
			err = errors.Join(err, fault)
			data = []byte(fault.Error())
		}
		one := sha256.Sum256(data)
		h.Write(one[:])
		*file.data = data
	}
	return c, [sha256.Size]byte(h.Sum(nil)), err
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, nil
}

func (f Files) parse(c contents) (m material, err error) {
	if c.certificate != nil {
		pair, err := tls.X509KeyPair(c.certificate, c.key)
		if err != nil {
			return material{}, fmt.Errorf("certificate %s and key %s: %w", f.Certificate, f.Key, err)
		}
		m.certificate = &pair
	}
	if c.ca != nil {
		m.roots = x509.NewCertPool()
		if !m.roots.AppendCertsFromPEM(c.ca) {
			return material{}, fmt.Errorf("%s holds no certificate in PEM form", f.CA)
		}
	}
	return m, nil
}
