// Command devsecrets makes random secrets for the example configuration. What
// is there already is left alone, so that it can be run again at any time.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("o", "examples/secrets", "folder to write to")
	flag.Parse()
	if err := run(*out, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "devsecrets:", err)
		os.Exit(1)
	}
}

// run writes the secrets that are missing in dir and tells their names, never their values.
func run(dir string, stdout io.Writer) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	w := writer{dir: dir, stdout: stdout}
	for _, name := range []string{"clip-token", "singleview-token", "incode-client-secret", "incode-webhook-key"} {
		if err := w.write(name, token); err != nil {
			return err
		}
	}
	if err := w.write("aci-opp-key", aesKey); err != nil {
		return err
	}
	return w.keyPair("qitech-private.pem", "qitech.pem")
}

type writer struct {
	dir    string
	stdout io.Writer
}

// write makes the file name unless it is there.
func (w writer) write(name string, content func() ([]byte, error)) error {
	path := filepath.Join(w.dir, name)
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	data, err := content()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.stdout, "wrote", path)
	return err
}

// keyPair makes a key pair, or the public key to a private one. A public key
// without a private one is somebody else's and stays.
func (w writer) keyPair(private, public string) error {
	privatePath := filepath.Join(w.dir, private)
	text, err := os.ReadFile(privatePath)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(filepath.Join(w.dir, public)); err == nil {
			return nil
		}
		if err := w.write(private, privateKey); err != nil {
			return err
		}
		text, err = os.ReadFile(privatePath)
	}
	if err != nil {
		return err
	}
	return w.write(public, func() ([]byte, error) { return publicKey(privatePath, text) })
}

// token is 192 random bits, good in a URL and in a header.
func token() ([]byte, error) {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return []byte(base64.RawURLEncoding.EncodeToString(b) + "\n"), nil
}

// aesKey is an AES-256 key in hex, as ACI shows it.
func aesKey() ([]byte, error) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return []byte(hex.EncodeToString(b) + "\n"), nil
}

// privateKey is a key for ES512, as QI Tech has one.
func privateKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func publicKey(path string, private []byte) ([]byte, error) {
	block, _ := pem.Decode(private)
	if block == nil {
		return nil, fmt.Errorf("%s is not a PEM file", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s is not a private key", path)
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not a key for ES512", path)
	}
	der, err := x509.MarshalPKIXPublicKey(ec.Public())
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
