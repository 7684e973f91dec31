// Command licenses checks that each module that is linked into the program has
// a permissive license. It reads the module cache and needs no network.
//
// It knows licenses by sentences of their texts, which is enough to tell the
// permissive ones apart; what it does not know fails, for a person to look at.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// linked is the program whose dependencies count.
const linked = "./cmd/paynorm"

// licenses are those that may be linked, by what their texts say, white space
// aside. The order is that of testing.
var licenses = []struct{ name, text string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"}, // weak: it covers its own files only
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD", "redistribution and use in source and binary forms, with or without modification, are permitted"},
	{"CC0-1.0", "cc0 1.0 universal"},
	{"Public-Domain", "has been dedicated to the public domain by the authors"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
}

// without are modules that carry no license file; each has been looked at.
var without = map[string]string{
	// Generated from bufbuild/protovalidate, which is under Apache-2.0.
	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go": "Apache-2.0",
}

type module struct{ Path, Version, Dir string }

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	modules, err := dependencies()
	if err != nil {
		return err
	}
	var problems []error
	for _, m := range modules {
		name, err := license(m)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		fmt.Fprintf(out, "%-12s %s %s\n", name, m.Path, m.Version)
	}
	return errors.Join(problems...)
}

// dependencies are the modules that the program is linked from, but its own.
func dependencies() ([]module, error) {
	raw, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{\"Path\":{{printf \"%q\" .Path}},\"Version\":{{printf \"%q\" .Version}},\"Dir\":{{printf \"%q\" .Dir}}}{{end}}{{end}}", linked).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []module
	for line := range strings.Lines(string(raw)) {
		var m module
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	if len(all) == 0 {
		return nil, errors.New("go list names no module")
	}
	return all, nil
}

// picture is the license of a picture in a module's documentation, which is not linked.
const picture = "LICENSE-LOGO"

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([-._].*)?$`)

// license returns the name of a module's license. Of several files, all must be known.
func license(m module) (string, error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.Path, err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || !licenseFile.MatchString(e.Name()) || e.Name() == picture {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			return "", fmt.Errorf("%s: %w", m.Path, err)
		}
		name, ok := identify(string(text))
		if !ok {
			return "", fmt.Errorf("%s: %s is no license that may be linked", m.Path, e.Name())
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return strings.Join(names, "+"), nil
	}
	if name, ok := without[m.Path]; ok {
		return name, nil
	}
	return "", fmt.Errorf("%s has no license file", m.Path)
}

// identify finds the license whose sentence text holds. Texts that carry the
// copyleft of the GPL family are none, whatever else they say.
func identify(text string) (name string, ok bool) {
	plain := strings.ToLower(strings.Join(strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" \t\r\n*#/", c) }), " "))
	plain = strings.ReplaceAll(plain, "license, version", "license version")
	for _, no := range []string{"gnu general public license version", "gnu lesser general public license version", "gnu affero", "server side public license", "business source license"} {
		if strings.HasPrefix(plain, no) {
			return "", false
		}
	}
	for _, l := range licenses {
		if strings.Contains(plain, l.text) {
			return l.name, true
		}
	}
	return "", false
}
