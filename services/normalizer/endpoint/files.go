package endpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/paynorm/paynorm/internal/config"
)

// content is a hash over the names and contents of files. Content is compared
// rather than times, because mounted secrets change by moving links.
type content [sha256.Size]byte

// watchedFiles are a configuration file and the secret files that it refers to.
type watchedFiles struct {
	path    string
	main    content  // the configuration file's when secrets was read from it
	secrets []string // of the last configuration that could be read
}

// content hashes what the files hold now. A file that is not there counts too:
// it may be what a reload waits for.
func (f *watchedFiles) content() content {
	if now := hashFiles(f.path); now != f.main {
		f.main = now
		if cfg, err := config.Load(f.path); err == nil {
			f.secrets = config.Secrets{Dir: filepath.Dir(f.path)}.Files(cfg)
		}
	}
	return hashFiles(append([]string{f.path}, f.secrets...)...)
}

func hashFiles(paths ...string) content {
	h := sha256.New()
	for _, path := range paths {
		sum := hashFile(path)
		part(h, []byte(path))
		part(h, sum[:])
	}
	return content(h.Sum(nil))
}

// part writes data with its length in front, so that parts cannot run together.
func part(h hash.Hash, data []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(data))))
	h.Write(data)
}

// hashFile is the hash of the file's content, or of the error to read it.
func hashFile(path string) content {
	h := sha256.New()
	file, err := os.Open(path)
	if err == nil {
		defer file.Close() // Nothing was written.
		_, err = io.Copy(h, io.LimitReader(file, maxWatchedSize))
	}
	if err != nil {
		part(h, []byte("error: "+err.Error()))
	}
	return content(h.Sum(nil))
}

// maxWatchedSize is beyond what a configuration or a secret may hold; the rest
// of a larger file makes no difference.
const maxWatchedSize = 16 << 20
