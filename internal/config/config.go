// Package config reads, checks and completes paynorm's configuration file.
// Every problem is reported with its file, line, column and field; secrets are
// references, and no error shows the value of one.
package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"

	configv1 "github.com/paynorm/paynorm/gen/paynorm/config/v1"
)

// maxFileSize is far above any real configuration: about 20000 endpoints.
const maxFileSize = 8 << 20

// Load reads the configuration file path, checks it and fills in Defaults.
// What is wrong in the file comes back as *Error, all of it at once.
func Load(path string) (*configv1.Config, error) {
	data, err := read(path, maxFileSize)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse is Load for a file that was read already. path is only named in errors.
func Parse(path string, data []byte) (*configv1.Config, error) {
	if !bytes.HasSuffix(data, []byte("\n")) {
		data = append(bytes.Clone(data), '\n') // YAML places what is empty at the end on a line of its own, which protoyaml needs to have
	}
	doc, problems := parseDocument(data)
	if len(problems) > 0 {
		return nil, newError(path, problems)
	}
	cfg := &configv1.Config{}
	decoding := slices.Concat(doc.problems, decode(data, doc, cfg))
	if found := withFollowing(decoding, slices.Concat(checkSchema(doc, cfg), checkRules(doc, cfg))); len(found) > 0 {
		return nil, newError(path, found)
	}
	Defaults(cfg)
	return cfg, nil
}

// Locate says where field, for example "endpoints[1].auth[0]", stands in the
// file path: "paynorm.yaml:12:9". It is path alone when the file cannot be read.
func Locate(path, field string) string {
	data, err := read(path, maxFileSize)
	if err != nil {
		return path
	}
	doc, problems := parseDocument(data)
	if len(problems) > 0 {
		return path
	}
	pos := doc.at(field)
	return fmt.Sprintf("%s:%d:%d", path, pos.line, pos.column)
}

// read reads a file of at most limit bytes, so that a wrong path (a device, an
// archive) cannot fill the memory.
func read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return data, nil
}
