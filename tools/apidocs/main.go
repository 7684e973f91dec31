// Command apidocs writes the reference documents of paynorm from its protobuf
// descriptors and the code that names subjects and answers providers:
//
//   - openapi.json, OpenAPI 3.1, for the HTTP edge
//   - asyncapi.json, AsyncAPI 3.0, for the NATS subjects
//   - events.binpb, a descriptor set of the published messages, for languages
//     that decode protobuf without generated code
//
// It reads a descriptor set with comments, as buf build writes it.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	set := flag.String("set", ".cache/image.binpb", "descriptor set with comments")
	out := flag.String("o", "docs", "folder to write to")
	flag.Parse()
	if err := run(*set, *out); err != nil {
		fmt.Fprintln(os.Stderr, "apidocs:", err)
		os.Exit(1)
	}
}

// run writes the documents below dir.
func run(set, dir string) error {
	data, err := os.ReadFile(set)
	if err != nil {
		return err
	}
	files, err := readDescriptors(data)
	if err != nil {
		return fmt.Errorf("%s: %w", set, err)
	}
	documents := map[string][]byte{}
	if documents["events.binpb"], err = eventDescriptors(files); err != nil {
		return err
	}
	for name, make := range map[string]func(descriptors) (object, error){"openapi.json": openAPI, "asyncapi.json": asyncAPI} {
		document, err := make(files)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if documents[name], err = indented(document); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, data := range documents {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func indented(document object) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(document)
	return b.Bytes(), err
}
