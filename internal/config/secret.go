package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// maxSecretSize leaves room for any key, and none for a wrong path.
const maxSecretSize = 64 << 10

// Secrets reads the secrets that a configuration refers to.
type Secrets struct {
	Dir    string // the folder of the configuration file
	Getenv func(name string) (value string, ok bool)
}

// Read returns the secret that ref names. White space at the end of a file is
// cut off, because editors and echo put it there. A secret that is not there,
// or empty, is an error; errors name the variable or file, never the value.
func (s Secrets) Read(ref *configv1.Secret) (string, error) {
	if name := ref.GetEnv(); name != "" {
		value, ok := s.Getenv(name)
		if !ok {
			return "", fmt.Errorf("environment variable %s is not set", name)
		}
		if value == "" {
			return "", fmt.Errorf("environment variable %s is empty", name)
		}
		return value, nil
	}
	if ref.GetFile() == "" {
		return "", errors.New("no secret is given")
	}
	path := s.Path(ref.GetFile())
	data, err := read(path, maxSecretSize)
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(data), " \t\r\n")
	if value == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return value, nil
}

// Files lists the files that cfg refers to and that may change while paynorm
// runs: secrets of endpoints and keys of issuers, in the order of cfg.
func (s Secrets) Files(cfg *configv1.Config) []string {
	var files []string
	for _, e := range cfg.GetEndpoints() {
		for _, a := range e.GetAuth() {
			if file := secretOf(a).GetFile(); file != "" {
				files = append(files, s.Path(file))
			}
		}
	}
	for _, j := range cfg.GetAccess().GetJwt() {
		for _, file := range []string{j.GetJwksFile(), j.GetPublicKey().GetFile()} {
			if file != "" {
				files = append(files, s.Path(file))
			}
		}
	}
	return files
}

// ReadFile returns a file that a configuration refers to and that holds no
// secret, for example a key set. It is at most 64 KiB.
func (s Secrets) ReadFile(file string) ([]byte, error) { return read(s.Path(file), maxSecretSize) }

// Path returns where file lies: relative paths start at Dir.
func (s Secrets) Path(file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(s.Dir, file)
}

// secretOf is the one secret of an auth entry, nil for kinds that have none.
func secretOf(a *configv1.Auth) *configv1.Secret {
	switch kind := a.GetKind().(type) {
	case *configv1.Auth_UrlToken:
		return kind.UrlToken.GetSecret()
	case *configv1.Auth_AesGcm:
		return kind.AesGcm.GetKey()
	case *configv1.Auth_Jwt:
		return kind.Jwt.GetPublicKey()
	case *configv1.Auth_Oauth2:
		return kind.Oauth2.GetClientSecret()
	case *configv1.Auth_Header:
		return kind.Header.GetSecret()
	case *configv1.Auth_ClientCertificate:
		return kind.ClientCertificate.GetCa()
	}
	return nil
}
